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
                throw failure(
                    .value,
                    start == index ? "Single '{' encountered in format string" : "expected '}' before end of string")
            }
            let piece = try field(bytes[start..<index], arguments, &state, depthLeft: depthLeft)
            index += 1
            try spend(bytes: result.count, growingBy: piece.bytes.count)
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
}
