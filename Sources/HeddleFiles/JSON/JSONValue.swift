/// One value of a JSON text. Strings and keys are bytes (see `JSONString`), and objects keep the order of the text.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits 64 bits.
    case integer(Int64)
    /// Every other number, rounded to the nearest double.
    case real(Double)
    case string(JSONString)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// The string's text; nil for anything else.
    public var text: String? { if case .string(let string) = self { string.description } else { nil } }
    /// The number as an `Int`; nil for a fraction and anything else.
    public var integer: Int? { if case .integer(let number) = self { Int(exactly: number) } else { nil } }
    /// The number, whole or not; nil for anything else.
    public var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .real(let number): number
        default: nil
        }
    }
    /// The truth value; nil for anything else.
    public var bool: Bool? { if case .bool(let truth) = self { truth } else { nil } }
    /// The elements; nil for anything else.
    public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// The object; nil for anything else.
    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
}

/// A JSON string as UTF-8, compared byte by byte.
///
/// Swift's `String` compares by canonical equivalence: two vocabulary keys that differ only in how an accent is written
/// would be one key, and one of their tokens would be lost.
public struct JSONString: Hashable, Sendable {
    /// Valid UTF-8, with escapes resolved.
    public let bytes: [UInt8]

    /// Takes bytes that are valid UTF-8.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// Takes a text's UTF-8.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Hashes all bytes in one piece: an array would feed them one by one.
    public func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// Whether this is `text`, byte for byte.
    public func equals(_ text: String) -> Bool { bytes.elementsEqual(text.utf8) }
}

/// A JSON object: its members in the order of the text, every key once.
public struct JSONObject: Hashable, Sendable {
    /// One key and its value.
    public struct Member: Hashable, Sendable {
        /// The key, byte for byte as it was written, escapes resolved.
        public let key: JSONString
        /// What stands behind the colon.
        public let value: JSONValue

        package init(key: JSONString, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// In the order of the text.
    public let members: [Member]

    /// Keys differ from each other.
    package init(members: [Member]) { self.members = members }

    /// The value at `key`, by a linear search: for objects with few keys, or few questions. nil where there is none.
    public subscript(_ key: String) -> JSONValue? { members.first { $0.key.equals(key) }?.value }
}

extension JSONString: CustomStringConvertible {
    /// The text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSONValue: CustomStringConvertible {
    /// A short form for error messages: long strings and lists are cut.
    public var description: String { brief(depth: 2) }

    private func brief(depth: Int) -> String {
        switch self {
        case .null: return "null"
        case .bool(let truth): return truth ? "true" : "false"
        case .integer(let number): return String(number)
        case .real(let number): return String(number)
        case .string(let string):
            let text = string.description
            return "\"" + (text.count > 60 ? text.prefix(60) + "…" : text) + "\""
        case .array(let elements):
            guard depth > 0 else { return "[…]" }
            let shown = elements.prefix(8).map { $0.brief(depth: depth - 1) }
            return "[" + (shown + (elements.count > 8 ? ["…"] : [])).joined(separator: ", ") + "]"
        case .object(let object):
            guard depth > 0 else { return "{…}" }
            let shown = object.members.prefix(8).map { "\"\($0.key)\": \($0.value.brief(depth: depth - 1))" }
            return "{" + (shown + (object.members.count > 8 ? ["…"] : [])).joined(separator: ", ") + "}"
        }
    }
}
