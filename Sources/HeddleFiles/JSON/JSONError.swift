/// Where and why a text is not JSON within the limits.
public struct JSONError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Reason: Hashable, Sendable {
        case tooLong(byteCountMax: Int)
        case tooDeep(depthMax: Int)
        case tooManyValues(valueCountMax: Int)
        case unexpectedEnd
        case unexpectedByte(UInt8, expected: String)
        case invalidNumber
        case invalidEscape
        case loneSurrogate
        case controlCharacter(UInt8)
        case invalidUTF8
        case duplicateKey(String)
        case trailingText
    }

    /// What is wrong.
    public let reason: Reason
    /// Bytes from the start of the text.
    public let byteOffset: Int
    /// Lines end at a line feed; the first is 1.
    public let line: Int
    /// Bytes from the start of the line; the first is 1.
    public let column: Int
}

extension JSONError: CustomStringConvertible {
    /// One sentence with line and column.
    public var description: String { "line \(line), column \(column): \(reason)" }
}

extension JSONError.Reason: CustomStringConvertible {
    /// What is wrong, without the place.
    public var description: String {
        switch self {
        case .tooLong(let max): "the text is longer than \(max) bytes"
        case .tooDeep(let max): "values are nested deeper than \(max)"
        case .tooManyValues(let max): "there are more than \(max) values"
        case .unexpectedEnd: "the text ends inside a value"
        case .unexpectedByte(let byte, let expected):
            "found \(byte >= 0x21 && byte < 0x7F ? "“\(Character(Unicode.Scalar(byte)))”" : "byte \(byte)") instead of \(expected)"
        case .invalidNumber: "the number is malformed"
        case .invalidEscape: "the escape in this string is malformed"
        case .loneSurrogate: "the string holds half of a surrogate pair"
        case .controlCharacter(let byte): "control character \(byte) stands in a string"
        case .invalidUTF8: "the string is not UTF-8"
        case .duplicateKey(let key): "the key “\(key)” stands twice in one object"
        case .trailingText: "text follows the value"
        }
    }
}

/// What a JSON text may hold at most.
public struct JSONLimits: Hashable, Sendable {
    /// Longest text. A tokenizer.json of 256 thousand tokens has about 33 MB.
    public var byteCountMax = 256 << 20
    /// Deepest nesting; each level is one call on the stack.
    public var depthMax = 64
    /// Most values, keys not counted.
    public var valueCountMax = 16 << 20

    /// The limits for model files.
    public init() {}
}
