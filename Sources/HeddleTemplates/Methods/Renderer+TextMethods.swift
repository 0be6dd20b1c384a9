extension Renderer {
    /// Calls a method of Python's `str`.
    func callTextMethod(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        try spend(1 + text.bytes.count / 16)
        switch name {
        case "strip", "lstrip", "rstrip":
            let set = try bind(arguments, name, ["chars"], positionalOnly: 1)[0]
            return try self.text(
                try stripped(text, of: set, left: name != "rstrip", right: name != "lstrip"))
        case "upper", "lower", "title", "capitalize", "swapcase", "casefold":
            return try changeCase(text, name, arguments)
        case "startswith", "endswith": return try hasEnd(text, name, arguments)
        case "split", "rsplit": return try split(text, name, arguments)
        case "splitlines":
            let keeps = try bind(arguments, name, ["keepends"])[0]
            return try list(text.lines(keepingEnds: try integer(keeps, or: 0) != 0).map { .text($0) })
        case "replace":
            let values = try bind(arguments, name, ["old", "new", "count"], required: 2, positionalOnly: 3)
            let old = try string(values[0] ?? .none, "replace() argument 1")
            let new = try string(values[1] ?? .none, "replace() argument 2")
            return try self.text(try replaced(text, old, new, count: try integer(values[2], or: -1)))
        case "join": return try join(text, arguments)
        case "find", "rfind", "index", "rindex", "count": return try find(text, name, arguments)
        case "partition", "rpartition": return try partition(text, name, arguments)
        case "removeprefix", "removesuffix":
            let part = try string(
                try bind(arguments, name, ["part"], required: 1, positionalOnly: 1)[0] ?? .none, "\(name)() argument")
            if name == "removeprefix" {
                return try self.text(text.hasPrefix(part) ? Text(Array(text.bytes.dropFirst(part.bytes.count))) : text)
            }
            return try self.text(text.hasSuffix(part) ? Text(Array(text.bytes.dropLast(part.bytes.count))) : text)
        case "center", "ljust", "rjust", "zfill": return try pad(text, name, arguments)
        case "format": return .text(try braceFormatted(text, arguments))
        case "format_map":
            guard case .mapping(let mapping) = try bind(arguments, name, ["mapping"], required: 1)[0] ?? .none else {
                throw unsupported("format_map of what is no dictionary")
            }
            var values = CallArguments()
            for (key, value) in mapping.entries { if let name = key.string { values.keywords.append((name, value)) } }
            return .text(try braceFormatted(text, values))
        case "expandtabs": return try expandTabs(text, arguments)
        default: return try question(text, name, arguments)
        }
    }

    /// Texts that `safe` made keep their mark, where nothing would be escaped.
    func callMarkupMethod(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let unsafe: Set<String> = [
            "join", "replace", "format", "format_map", "center", "ljust", "rjust", "partition", "rpartition",
            "escape", "striptags", "unescape",
        ]
        guard !unsafe.contains(name) else { throw unsupported("the method \(name) of a text marked safe") }
        switch try callTextMethod(text, name, arguments) {
        case .text(let text): return .markup(text)
        case .list(let items):
            return try list(items.values.map { value in value.string.map { .markup($0) } ?? value })
        case let other: return other
        }
    }

    func stripped(_ text: Text, of set: Value?, left: Bool = true, right: Bool = true) throws(TemplateError) -> Text {
        guard let set, !set.isNone else { return text.stripped(of: nil, left: left, right: right) }
        guard let members = set.string else { throw failure(.type, "strip arg must be None or str") }
        return text.stripped(of: members, left: left, right: right)
    }

    /// With every `old` replaced, or the first `count` of them where it is not negative.
    func replaced(_ text: Text, _ old: Text, _ new: Text, count: Int) throws(TemplateError) -> Text {
        guard count != 0 else { return text }
        let places = text.places(of: old, countMax: count < 0 ? .max : count)
        try spend(1 + (text.bytes.count + places.count) / 16)
        let (added, isOver) = places.count.multipliedReportingOverflow(by: max(0, new.bytes.count - old.bytes.count))
        try spend(bytes: isOver || added > limits.outputByteCountMax ? .max : text.bytes.count + added)
        return text.replacing(places, byteCount: old.bytes.count, with: new)
    }

    private func changeCase(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        _ = try bind(arguments, name, [])
        switch name {
        case "upper": return try self.text(text.uppercased)
        case "lower": return try self.text(text.lowercased)
        case "title": return try self.text(text.titled)
        case "capitalize": return try self.text(text.capitalized)
        case "swapcase": return try self.text(text.caseSwapped)
        default:
            guard text.isASCII else { throw unsupported("casefold beyond ASCII") }
            return try self.text(text.lowercased)
        }
    }

    private func hasEnd(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, name, ["part", "start", "end"], required: 1, positionalOnly: 3)
        let range = try range(of: text, values[1], values[2])
        let candidates: [Value]
        switch values[0] ?? .none {
        case .tuple(let items): candidates = items.values
        case let one: candidates = [one]
        }
        for candidate in candidates {
            guard let part = candidate.string else {
                throw failure(
                    .type, "\(name) first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            guard let range else { continue }
            let piece = Text(Array(text.bytes[range]))
            if name == "startswith" ? piece.hasPrefix(part) : piece.hasSuffix(part) { return .bool(true) }
        }
        return .bool(false)
    }

    /// The bytes between two scalars' numbers, which may count from the end; nil where the start lies behind the end.
    private func range(of text: Text, _ start: Value?, _ end: Value?) throws(TemplateError) -> Range<Int>? {
        func number(_ value: Value?, or fallback: Int) throws(TemplateError) -> Int {
            guard let value, !value.isNone else { return fallback }
            guard let index = value.index else {
                throw failure(.type, "slice indices must be integers or None or have an __index__ method")
            }
            return index
        }
        let count = text.count
        var first = try number(start, or: 0)
        var last = try number(end, or: count)
        if first < 0 { first = max(0, first + count) }
        if last < 0 { last = max(0, last + count) }
        last = min(last, count)
        guard first <= last else { return nil }
        return text.byteOffset(first)..<text.byteOffset(last)
    }

    private func split(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, name, ["sep", "maxsplit"])
        let limit = try integer(values[1], or: -1)
        let countMax = limit < 0 ? Int.max : limit
        let isFromRight = name == "rsplit"
        let pieces: [Text]
        if let separator = values[0], !separator.isNone {
            let separator = try string(separator, "must be str or None: the separator")
            guard !separator.isEmpty else { throw failure(.value, "empty separator") }
            pieces =
                isFromRight
                ? text.piecesFromRight(between: separator, countMax: countMax)
                : text.pieces(between: separator, countMax: countMax)
        } else {
            pieces = isFromRight ? text.wordsFromRight(countMax: countMax) : text.words(countMax: countMax)
        }
        return try list(pieces.map { .text($0) })
    }

    private func join(_ separator: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "join", ["iterable"], required: 1, positionalOnly: 1)
        var bytes: [UInt8] = []
        for (index, value) in try elements(of: values[0] ?? .none).enumerated() {
            guard let text = value.string else {
                throw failure(.type, "sequence item \(index): expected str instance, \(value.typeName) found")
            }
            if index > 0 { bytes += separator.bytes }
            try spend(bytes: bytes.count, growingBy: text.bytes.count)
            bytes += text.bytes
        }
        return .text(Text(bytes))
    }

    private func find(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, name, ["sub", "start", "end"], required: 1, positionalOnly: 3)
        let needle = try string(values[0] ?? .none, "\(name)() argument")
        let range = try range(of: text, values[1], values[2])
        if name == "count" { return .integer(range.map { text.occurrences(of: needle, in: $0) } ?? 0) }
        let isFromRight = name.hasPrefix("r")
        let found = range.flatMap {
            isFromRight ? text.lastOffset(of: needle, in: $0) : text.firstOffset(of: needle, in: $0)
        }
        if let found { return .integer(text.scalarIndex(found)) }
        guard name.hasSuffix("find") else { throw failure(.value, "substring not found") }
        return .integer(-1)
    }

    private func partition(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, name, ["sep"], required: 1, positionalOnly: 1)
        let separator = try string(values[0] ?? .none, "the separator")
        guard !separator.isEmpty else { throw failure(.value, "empty separator") }
        let whole = 0..<text.bytes.count
        let isFromRight = name == "rpartition"
        let found =
            isFromRight ? text.lastOffset(of: separator, in: whole) : text.firstOffset(of: separator, in: whole)
        guard let found else {
            return try tuple((isFromRight ? [.empty, .empty, text] : [text, .empty, .empty]).map { .text($0) })
        }
        let rest = Text(Array(text.bytes[(found + separator.bytes.count)...]))
        return try tuple([.text(Text(Array(text.bytes[..<found]))), .text(separator), .text(rest)])
    }

    private func question(_ text: Text, _ name: String, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let answer: Bool
        switch name {
        case "isalnum": answer = text.isAlphanumeric
        case "isalpha": answer = text.isAlphabetic
        case "isascii": answer = text.isASCII
        case "isdecimal": answer = text.isDecimal
        case "isdigit": answer = text.isDigit
        case "islower": answer = text.isLower
        case "isnumeric": answer = text.isNumeric
        case "isprintable": answer = text.scalars.allSatisfy(Text.isPrintable)
        case "isspace": answer = text.isSpace
        case "istitle": answer = text.isTitle
        case "isupper": answer = text.isUpper
        default: throw unsupported("the method \(name) of a str")
        }
        _ = try bind(arguments, name, [])
        return .bool(answer)
    }
}
