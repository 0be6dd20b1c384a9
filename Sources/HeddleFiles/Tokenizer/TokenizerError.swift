/// Why a tokenizer.json cannot be served, or a text not be encoded.
public enum TokenizerError: Error, Hashable, Sendable {
    case file(FileError)
    case notJSON(file: String, JSONError)
    /// A part or a value that changes the tokens and that Heddle does not compute.
    case unsupported(file: String, part: String, value: String, supported: String)
    /// A part is missing or malformed, or contradicts another.
    case invalid(file: String, part: String, reason: String)
    case notUTF8(byteOffset: Int)
}

extension TokenizerError: CustomStringConvertible {
    /// One sentence that names file, part and value.
    public var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .notJSON(let file, let error): "\(file) is not JSON: \(error)"
        case .unsupported(let file, let part, let value, let supported):
            "\(file): \(part) = \(value) is not supported; \(supported)"
        case .invalid(let file, let part, let reason): "\(file): \(part): \(reason)"
        case .notUTF8(let offset): "the text is not UTF-8 at byte \(offset)"
        }
    }
}

/// What a tokenizer may hold at most.
public struct TokenizerLimits: Hashable, Sendable {
    /// Largest token id plus one.
    public var tokenCountMax = 1 << 22
    /// Most added tokens.
    public var addedTokenCountMax = 1 << 16
    /// Longest added token, piece of a unigram model, and text that a step looks for or inserts, which bounds how often one
    /// byte of a text is looked at.
    public var addedTokenByteCountMax = 1 << 10
    /// Most steps of a normalizer, a pre-tokenizer or a decoder, and most tokens that a template adds.
    public var stepCountMax = 64
    /// The longest tokenizer.json and its values.
    public var json = JSONLimits()

    /// Room for every tokenizer published so far, several times over.
    public init() {}
}
