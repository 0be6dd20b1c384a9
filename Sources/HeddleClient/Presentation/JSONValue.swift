/// A JSON document that is written, with its keys in the order in which they were given.
public enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// Infinite numbers, which JSON does not have, are written as null.
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([Member])

    /// A key and its value.
    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: JSONValue

        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public static func count(_ count: some BinaryInteger) -> JSONValue { .integer(Int64(clamping: count)) }
    public static func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.text)) }
    public static func seconds(_ duration: Duration) -> JSONValue {
        let (seconds, attoseconds) = duration.components
        return .number(Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// The document on one line.
    public var line: String {
        var text = ""
        write(to: &text, indent: nil)
        return text
    }

    /// The document with a line for each value.
    public var lines: String {
        var text = ""
        write(to: &text, indent: 0)
        return text
    }

    /// The document as YAML: the same keys in the same order. Texts are quoted as in JSON, which YAML reads alike.
    public var yaml: String {
        var text = ""
        writeYAML(to: &text, indent: 0)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private func writeYAML(to text: inout String, indent: Int) {
        let blanks = String(repeating: "  ", count: indent)
        switch self {
        case .object(let members) where !members.isEmpty:
            for (index, member) in members.enumerated() {
                if index > 0 { text += blanks }
                text += member.key + ":"
                member.value.writeNested(to: &text, indent: indent + 1, isEntry: false)
            }
        case .array(let values) where !values.isEmpty:
            for (index, value) in values.enumerated() {
                if index > 0 { text += blanks }
                text += "-"
                value.writeNested(to: &text, indent: indent + 1, isEntry: true)
            }
        default: text += line + "\n"
        }
    }

    /// - Parameter isEntry: behind a dash, where an object or a list begins on the same line.
    private func writeNested(to text: inout String, indent: Int, isEntry: Bool) {
        let isNested =
            switch self {
            case .object(let members): !members.isEmpty
            case .array(let values): !values.isEmpty
            default: false
            }
        text += isNested && !isEntry ? "\n" + String(repeating: "  ", count: indent) : " "
        writeYAML(to: &text, indent: indent)
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? Self.shortest(value) : "null"
        case .text(let value): Self.quote(value, to: &text)
        case .array(let values):
            // Numbers stand beside each other: a list of tokens is one line.
            let isFlat = values.allSatisfy { if case .integer = $0 { true } else { false } }
            Self.list(values, "[", "]", to: &text, indent: isFlat ? nil : indent) { value, text, indent in
                value.write(to: &text, indent: indent)
            }
        case .object(let members):
            Self.list(members, "{", "}", to: &text, indent: indent) { member, text, indent in
                Self.quote(member.key, to: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: String, _ close: String, to text: inout String, indent: Int?,
        _ write: (Element, inout String, Int?) -> Void
    ) {
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: "  ", count: indent + 1) }
            write(element, &text, indent.map { $0 + 1 })
        }
        if let indent, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
        text += close
    }

    /// A whole number is written without a fraction where that is exact, as other programs write it.
    private static func shortest(_ value: Double) -> String {
        if let whole = Int64(exactly: value), abs(value) < 1e15 { return "\(whole).0" }
        return "\(value)"
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
