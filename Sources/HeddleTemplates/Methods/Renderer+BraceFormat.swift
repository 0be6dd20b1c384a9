extension Renderer {
    /// `format.format(…)`: fields in braces with their attributes and items, conversions and the usual specifications.
    func braceFormatted(_ format: Text, _ arguments: CallArguments) throws(TemplateError) -> Text {
        var state = BraceState()
        return try braceFormatted(format.bytes[...], arguments, &state, depthLeft: 2)
    }

    private struct BraceState {
        var position = 0
        /// Whether fields are numbered by hand; nil before the first.
        var isNumbered: Bool?
    }

    private func braceFormatted(
        _ bytes: ArraySlice<UInt8>, _ arguments: CallArguments, _ state: inout BraceState, depthLeft: Int
    ) throws(TemplateError) -> Text {
        guard depthLeft > 0 else { throw failure(.value, "Max string recursion exceeded") }
        var result: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
                result.append(byte)
                continue
            }
            if index < bytes.endIndex, bytes[index] == byte {
                result.append(byte)
                index += 1
                continue
            }
            guard byte == UInt8(ascii: "{") else {
                throw failure(.value, "Single '}' encountered in format string")
            }
            let start = index
            var depth = 1
            while index < bytes.endIndex {
                if bytes[index] == UInt8(ascii: "{") { depth += 1 }
                if bytes[index] == UInt8(ascii: "}") {
                    depth -= 1
                    if depth == 0 { break }
                }
                index += 1
            }
            guard index < bytes.endIndex else {
                throw failure(.value, start == index ? "Single '{' encountered in format string" : "expected '}' before end of string")
            }
            let piece = try field(bytes[start..<index], arguments, &state, depthLeft: depthLeft)
            index += 1
            try spend(bytes: result.count + piece.bytes.count)
            result += piece.bytes
        }
        return Text(result)
    }

    private func field(
        _ field: ArraySlice<UInt8>, _ arguments: CallArguments, _ state: inout BraceState, depthLeft: Int
    ) throws(TemplateError) -> Text {
        try spend()
        var name = field
        var conversion: UInt8?
        var specification: ArraySlice<UInt8> = []
        // A colon or exclamation mark inside brackets belongs to the name.
        var isInBrackets = false
        for index in field.indices {
            let byte = field[index]
            if byte == UInt8(ascii: "[") { isInBrackets = true }
            if byte == UInt8(ascii: "]") { isInBrackets = false }
            guard !isInBrackets, byte == UInt8(ascii: ":") || byte == UInt8(ascii: "!") else { continue }
            name = field[..<index]
            specification = field[(index + 1)...]
            if byte == UInt8(ascii: "!") {
                conversion = specification.first
                specification = specification.dropFirst()
                guard conversion != nil, specification.isEmpty || specification.first == UInt8(ascii: ":") else {
                    throw failure(.value, "expected ':' after conversion specifier")
                }
                specification = specification.dropFirst()
            }
            break
        }
        var value = try lookUp(name, arguments, &state)
        switch conversion {
        case nil: break
        case UInt8(ascii: "s"): value = .text(try string(of: value))
        case UInt8(ascii: "r"): value = .text(try representation(of: value))
        case UInt8(ascii: "a"):
            let text = try representation(of: value)
            guard text.isASCII else { throw unsupported("!a beyond ASCII") }
            value = .text(text)
        default: throw failure(.value, "Unknown conversion specifier")
        }
        let rule = try braceFormatted(specification, arguments, &state, depthLeft: depthLeft - 1)
        return try formatted(value, by: rule)
    }

    private func lookUp(
        _ name: ArraySlice<UInt8>, _ arguments: CallArguments, _ state: inout BraceState
    ) throws(TemplateError) -> Value {
        let end = name.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? name.endIndex
        let first = Text(Array(name[..<end]))
        var value: Value
        if first.isEmpty || first.bytes.allSatisfy(Scan.isDigit) {
            let isNumbered = !first.isEmpty
            guard state.isNumbered == nil || state.isNumbered == isNumbered else {
                throw failure(.value, "cannot switch between manual field specification and automatic field numbering")
            }
            state.isNumbered = isNumbered
            let position = isNumbered ? Int(first.description) ?? .max : state.position
            if !isNumbered { state.position += 1 }
            guard position < arguments.positional.count else {
                throw failure(.lookup, "Replacement index \(position) out of range for positional args tuple")
            }
            value = arguments.positional[position]
        } else {
            guard let found = arguments.keywords.first(where: { $0.name == first }) else {
                throw failure(.lookup, Representation.quoted(first).description)
            }
            value = found.value
        }
        var index = end
        while index < name.endIndex {
            if name[index] == UInt8(ascii: ".") {
                let rest = name[(index + 1)...]
                index = rest.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? name.endIndex
                let part = Text(Array(rest[..<index]))
                guard !part.isEmpty else { throw failure(.value, "Empty attribute in format string") }
                value = try attribute(part, of: value)
            } else if name[index] == UInt8(ascii: "[") {
                guard let close = name[index...].firstIndex(of: UInt8(ascii: "]")) else {
                    throw failure(.value, "Missing ']' in format string")
                }
                let part = Text(Array(name[(index + 1)..<close]))
                guard !part.isEmpty else { throw failure(.value, "Empty attribute in format string") }
                let number = part.bytes.allSatisfy(Scan.isDigit) ? Int(part.description) : nil
                value = try item(number.map { .integer($0) } ?? .text(part), of: value)
                index = close + 1
            } else {
                throw failure(.value, "Only '.' or '[' may follow ']' in format field specifier")
            }
        }
        return value
    }

    // MARK: specifications

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

    private func formatted(_ value: Value, by text: Text) throws(TemplateError) -> Text {
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
            guard isWhole, kind != "n", let number = value.index else { throw failure(.value, "Unknown format code '\(kind)'") }
            guard rule.precision == nil else { throw failure(.value, "Precision not allowed in integer format specifier") }
            if case .bool = value, rule.kind == nil { throw unsupported("a format for a bool") }
            isNegative = number < 0
            let radix = kind == "d" ? 10 : kind == "o" ? 8 : kind == "b" ? 2 : 16
            digits = String(number.magnitude, radix: radix, uppercase: kind == "X")
            if rule.isAlternate, radix != 10 { throw unsupported("# in a format") }
        case "f", "F", "e", "E", "g", "G", "%", "r":
            guard var number = Self.double(value) else { throw failure(.value, "Unknown format code '\(kind)'") }
            if kind == "r", rule.precision != nil || rule.isAlternate { throw unsupported("a precision without a type") }
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

    private func aligned(_ sign: String, _ text: Text, _ rule: Rule, default side: UInt8) throws(TemplateError) -> Text {
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
