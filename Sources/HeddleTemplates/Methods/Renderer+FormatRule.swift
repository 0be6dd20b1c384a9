extension Renderer {
    private struct Rule {
        var fill = Text(" ")
        var alignment: UInt8?
        var sign: UInt8 = UInt8(ascii: "-")
        var isAlternate = false
        var width = 0
        var separator: String = ""
        var precision: Int?
        var kind: Character?
    }

    /// One value as a format's specification behind the colon wants it.
    func formatted(_ value: Value, by text: Text) throws(TemplateError) -> Text {
        guard !text.isEmpty else { return try string(of: value) }
        let rule = try rule(text)
        switch value {
        case .text(let text), .markup(let text):
            guard rule.kind == nil || rule.kind == "s", rule.alignment != UInt8(ascii: "="), rule.separator.isEmpty,
                !rule.isAlternate, rule.sign == UInt8(ascii: "-")
            else { throw failure(.value, "invalid format specifier for a str") }
            let cut = rule.precision.map { text.slice(0, min($0, text.count)) } ?? text
            return try aligned("", cut, rule, default: UInt8(ascii: "<"))
        case .integer, .float, .bool: return try number(value, rule)
        default: throw failure(.type, "unsupported format string passed to \(value.typeName).__format__")
        }
    }

    private func rule(_ text: Text) throws(TemplateError) -> Rule {
        var rule = Rule()
        var rest = text.elements[...]
        func isAlignment(_ element: Text?) -> Bool { element.map { "<>=^".utf8.contains($0.bytes[0]) } ?? false }
        if isAlignment(rest.dropFirst().first) {
            rule.fill = rest.removeFirst()
            rule.alignment = rest.removeFirst().bytes[0]
        } else if isAlignment(rest.first) {
            rule.alignment = rest.removeFirst().bytes[0]
        }
        if let sign = rest.first?.bytes[0], "+- ".utf8.contains(sign) {
            rule.sign = sign
            rest.removeFirst()
        }
        if rest.first?.equals("#") == true {
            rule.isAlternate = true
            rest.removeFirst()
        }
        if rest.first?.equals("0") == true {
            rest.removeFirst()
            if rule.alignment == nil {
                rule.fill = Text("0")
                rule.alignment = UInt8(ascii: "=")
            }
        }
        rule.width = try digits(&rest) ?? 0
        if let mark = rest.first, mark.equals(",") || mark.equals("_") {
            rule.separator = mark.description
            rest.removeFirst()
        }
        if rest.first?.equals(".") == true {
            rest.removeFirst()
            guard let precision = try digits(&rest) else { throw failure(.value, "Format specifier missing precision") }
            rule.precision = precision
        }
        if let kind = rest.popFirst() { rule.kind = kind.description.first }
        guard rest.isEmpty else { throw failure(.value, "Invalid format specifier") }
        return rule
    }

    private func digits(_ rest: inout ArraySlice<Text>) throws(TemplateError) -> Int? {
        var text = ""
        while let digit = rest.first, Scan.isDigit(digit.bytes[0]) {
            text += digit.description
            rest.removeFirst()
        }
        guard !text.isEmpty else { return nil }
        guard let number = Int(text), number <= limits.outputByteCountMax else {
            throw failure(.limit, "a width of more than \(limits.outputByteCountMax)")
        }
        return number
    }

    private func number(_ value: Value, _ rule: Rule) throws(TemplateError) -> Text {
        let isWhole: Bool
        if case .float = value { isWhole = false } else { isWhole = true }
        let kind = rule.kind ?? (isWhole ? "d" : "r")
        var isNegative = false
        var digits: String
        switch kind {
        case "d", "x", "X", "o", "b", "n":
            guard isWhole, kind != "n", let number = value.index else {
                throw failure(.value, "Unknown format code '\(kind)'")
            }
            guard rule.precision == nil else {
                throw failure(.value, "Precision not allowed in integer format specifier")
            }
            if case .bool = value, rule.kind == nil { throw unsupported("a format for a bool") }
            isNegative = number < 0
            let radix = kind == "d" ? 10 : kind == "o" ? 8 : kind == "b" ? 2 : 16
            digits = String(number.magnitude, radix: radix, uppercase: kind == "X")
            if rule.isAlternate, radix != 10 { throw unsupported("# in a format") }
        case "f", "F", "e", "E", "g", "G", "%", "r":
            guard var number = Self.double(value) else { throw failure(.value, "Unknown format code '\(kind)'") }
            if kind == "r", rule.precision != nil || rule.isAlternate {
                throw unsupported("a precision without a type")
            }
            let precision = rule.precision ?? 6
            guard precision <= 400, !rule.isAlternate else { throw unsupported("a precision above 400, or #,") }
            if kind == "%" { number *= 100 }
            digits =
                kind == "r"
                ? FloatText.representation(number)
                : FloatText.formatted(number, kind: kind == "%" ? "f" : kind, precision: precision)
            if kind == "%" { digits += "%" }
            if digits.hasPrefix("-") {
                isNegative = true
                digits.removeFirst()
            }
        default: throw failure(.value, "Unknown format code '\(kind)' for object of type '\(value.typeName)'")
        }
        if !rule.separator.isEmpty {
            guard kind == "d" || "fFr%eEgG".contains(kind), rule.fill.bytes != [UInt8(ascii: "0")] else {
                throw unsupported("a separator with this format")
            }
            digits = Self.grouped(digits, rule.separator)
        }
        let sign = isNegative ? "-" : rule.sign == UInt8(ascii: "-") ? "" : String(Unicode.Scalar(rule.sign))
        return try aligned(sign, Text(digits), rule, default: UInt8(ascii: ">"))
    }

    private static func grouped(_ digits: String, _ separator: String) -> String {
        let whole = digits.prefix { $0.isNumber }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result += separator }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }

    private func aligned(_ sign: String, _ text: Text, _ rule: Rule, default side: UInt8) throws(TemplateError) -> Text
    {
        switch rule.alignment ?? side {
        case UInt8(ascii: "<"): return try padded(Text(sign) + text, to: rule.width, with: rule.fill, .right)
        case UInt8(ascii: ">"): return try padded(Text(sign) + text, to: rule.width, with: rule.fill, .left)
        case UInt8(ascii: "="):
            return Text(sign) + (try padded(text, to: rule.width - sign.utf8.count, with: rule.fill, .left))
        default:
            let whole = Text(sign) + text
            let missing = max(0, rule.width - whole.count)
            let before = try repeated(rule.fill, missing / 2)
            return before + whole + (try repeated(rule.fill, missing - missing / 2))
        }
    }
}
