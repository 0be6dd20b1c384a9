extension Renderer {
    /// `format % value`, as Python formats with `%`.
    func formatted(_ format: Text, with value: Value) throws(TemplateError) -> Text {
        var source = PercentSource(value)
        var result: [UInt8] = []
        let bytes = format.bytes
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "%") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            try spend()
            var argument: Value?
            if index < bytes.count, bytes[index] == UInt8(ascii: "(") {
                argument = try named(bytes, &index, value)
                source.isNamed = true
            }
            let specification = try specification(bytes, &index, &source)
            guard index < bytes.count else { throw failure(.value, "incomplete format") }
            let (kind, count) = Scan.scalar(bytes, index)
            index += count
            if kind == "%" {
                result.append(UInt8(ascii: "%"))
                continue
            }
            if argument == nil { argument = try next(&source) }
            let piece = try converted(argument ?? .none, Character(kind), specification)
            try spend(bytes: result.count, growingBy: piece.bytes.count)
            result += piece.bytes
        }
        if !source.isUsedUp { throw failure(.type, "not all arguments converted during string formatting") }
        return Text(result)
    }

    private struct PercentSource {
        let values: [Value]
        let isMapping: Bool
        var position = 0
        var isNamed = false

        init(_ value: Value) {
            switch value {
            case .tuple(let items):
                values = items.values
                isMapping = false
            case .mapping, .list, .undefined, .range:
                values = [value]
                isMapping = true
            default:
                values = [value]
                isMapping = false
            }
        }

        /// What can be subscripted need not be used.
        var isUsedUp: Bool { isMapping || position >= values.count }
    }

    private struct PercentSpecification {
        var isLeft = false
        var hasPlus = false
        var hasSpace = false
        var isAlternate = false
        var hasZeros = false
        var width = 0
        var precision: Int?
    }

    private func next(_ source: inout PercentSource) throws(TemplateError) -> Value {
        guard !source.isNamed, source.position < source.values.count else {
            throw failure(.type, "not enough arguments for format string")
        }
        source.position += 1
        return source.values[source.position - 1]
    }

    private func named(_ bytes: [UInt8], _ index: inout Int, _ value: Value) throws(TemplateError) -> Value {
        guard case .mapping(let mapping) = value else {
            if case .undefined(let undefined) = value { throw use(of: undefined) }
            throw failure(.type, "format requires a mapping")
        }
        var depth = 1
        let start = index + 1
        index = start
        while index < bytes.count, depth > 0 {
            if bytes[index] == UInt8(ascii: "(") { depth += 1 }
            if bytes[index] == UInt8(ascii: ")") { depth -= 1 }
            index += 1
        }
        guard depth == 0 else { throw failure(.value, "incomplete format key") }
        let name = Text(Array(bytes[start..<(index - 1)]))
        guard let found = mapping[.text(name)] else {
            throw failure(.lookup, Representation.quoted(name).description)
        }
        return found
    }

    private func specification(
        _ bytes: [UInt8], _ index: inout Int, _ source: inout PercentSource
    ) throws(TemplateError) -> PercentSpecification {
        var result = PercentSpecification()
        flags: while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "-"): result.isLeft = true
            case UInt8(ascii: "+"): result.hasPlus = true
            case UInt8(ascii: " "): result.hasSpace = true
            case UInt8(ascii: "#"): result.isAlternate = true
            case UInt8(ascii: "0"): result.hasZeros = true
            default: break flags
            }
            index += 1
        }
        result.width = try number(bytes, &index, &source) ?? 0
        if result.width < 0 {
            result.isLeft = true
            result.width = -result.width
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            result.precision = max(0, try number(bytes, &index, &source) ?? 0)
        }
        while index < bytes.count, "hlL".utf8.contains(bytes[index]) { index += 1 }
        return result
    }

    private func number(
        _ bytes: [UInt8], _ index: inout Int, _ source: inout PercentSource
    ) throws(TemplateError) -> Int? {
        if index < bytes.count, bytes[index] == UInt8(ascii: "*") {
            index += 1
            guard let number = try next(&source).index else { throw failure(.type, "* wants int") }
            guard number.magnitude <= limits.outputByteCountMax.magnitude else {
                throw failure(.limit, "the width is too large")
            }
            return number
        }
        let start = index
        while index < bytes.count, Scan.isDigit(bytes[index]) { index += 1 }
        guard index > start else { return nil }
        guard let number = Int(String(decoding: bytes[start..<index], as: UTF8.self)),
            number <= limits.outputByteCountMax
        else { throw failure(.limit, "a width of more than \(limits.outputByteCountMax)") }
        return number
    }

    private func converted(
        _ value: Value, _ kind: Character, _ specification: PercentSpecification
    ) throws(TemplateError) -> Text {
        switch kind {
        case "s", "r", "a":
            var text = try kind == "s" ? string(of: value) : representation(of: value)
            if kind == "a", !text.isASCII { throw unsupported("%a beyond ASCII") }
            if let precision = specification.precision { text = text.slice(0, min(precision, text.count)) }
            return try padded(text, to: specification.width, with: Text(" "), specification.isLeft ? .right : .left)
        case "c":
            var text = value.string
            if let number = value.index {
                guard let code = UInt32(exactly: number), code <= 0x10FFFF else {
                    throw failure(.overflow, "%c arg not in range(0x110000)")
                }
                guard let scalar = Unicode.Scalar(code) else { throw unsupported("half of a surrogate pair") }
                text = Text(String(scalar))
            }
            guard let text, text.count == 1 else { throw failure(.type, "%c requires int or char") }
            return try padded(text, to: specification.width, with: Text(" "), specification.isLeft ? .right : .left)
        case "d", "i", "u", "x", "X", "o":
            return try aligned(try wholeNumber(value, kind, specification), specification)
        case "e", "E", "f", "F", "g", "G":
            if case .undefined(let undefined) = value { throw use(of: undefined) }
            guard let number = Self.double(value) else {
                throw failure(.type, "must be real number, not \(value.typeName)")
            }
            let precision = specification.precision ?? 6
            guard precision <= 400 else { throw unsupported("a precision above 400") }
            let text = FloatText.formatted(
                number, kind: kind, precision: precision, alternate: specification.isAlternate)
            return try aligned(
                (text.hasPrefix("-"), "", text.hasPrefix("-") ? String(text.dropFirst()) : text), specification)
        default: throw failure(.value, "unsupported format character '\(kind)'")
        }
    }

    private func wholeNumber(
        _ value: Value, _ kind: Character, _ specification: PercentSpecification
    ) throws(TemplateError) -> (isNegative: Bool, prefix: String, digits: String) {
        var number = value.index
        let isDecimal = "diu".contains(kind)
        if isDecimal, case .float(let double) = value {
            guard double.isFinite else {
                throw failure(double.isNaN ? .value : .overflow, "cannot convert float to integer")
            }
            guard let whole = Int(exactly: double.rounded(.towardZero)) else { throw tooLarge() }
            number = whole
        }
        if isDecimal, number == nil, case .undefined(let undefined) = value { throw use(of: undefined) }
        guard let number else {
            throw failure(.type, "%\(kind) format: a real number is required, not \(value.typeName)")
        }
        let radix = kind == "o" ? 8 : isDecimal ? 10 : 16
        var digits = String(number.magnitude, radix: radix, uppercase: kind == "X")
        if let precision = specification.precision, precision > digits.count {
            digits = try repeated(Text("0"), precision - digits.count).description + digits
        }
        let prefix = specification.isAlternate && !isDecimal ? "0\(kind)" : ""
        return (number < 0, prefix, digits)
    }

    private func aligned(
        _ number: (isNegative: Bool, prefix: String, digits: String), _ specification: PercentSpecification
    ) throws(TemplateError) -> Text {
        let sign = number.isNegative ? "-" : specification.hasPlus ? "+" : specification.hasSpace ? " " : ""
        let head = sign + number.prefix
        let text = Text(head + number.digits)
        if specification.isLeft { return try padded(text, to: specification.width, with: Text(" "), .right) }
        guard specification.hasZeros else { return try padded(text, to: specification.width, with: Text(" "), .left) }
        let zeros = try repeated(Text("0"), max(0, specification.width - text.count))
        return Text(head) + zeros + Text(number.digits)
    }
}
