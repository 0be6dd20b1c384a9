extension Renderer {
    func applyText(_ name: String, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "upper", "lower", "capitalize", "title", "string", "wordcount", "escape", "e", "forceescape", "safe":
            _ = try bind(arguments, name, [])
            return try applyPlain(name, value)
        case "trim":
            let set = try bind(arguments, name, ["chars"])[0]
            let (text, isMarked) = try softText(value)
            return try soft(try stripped(text, of: set), isMarked: isMarked)
        case "center":
            let width = try integer(try bind(arguments, name, ["width"])[0], or: 80)
            let (text, isMarked) = try softText(value)
            return try soft(try padded(text, to: width, with: Text(" "), .both), isMarked: isMarked)
        case "replace":
            let values = try bind(arguments, name, ["old", "new", "count"], required: 2)
            let count = values[2].flatMap { $0.isNone ? nil : $0 }
            let old = try string(of: values[0] ?? .none)
            let new = try string(of: values[1] ?? .none)
            let text = try replaced(
                try string(of: value), old, new, count: try integer(count, or: -1))
            return try self.text(text)
        case "join": return try joinFilter(value, arguments)
        case "indent": return try indent(value, arguments)
        case "truncate": return try truncate(value, arguments)
        case "tojson":
            let values = try bind(arguments, name, ["ensure_ascii", "indent", "separators", "sort_keys"])
            var style = JSONStyle()
            style.isASCII = try isTrue(values[0], or: false)
            if let indent = values[1], !indent.isNone { style.indent = try indentation(indent) }
            try setSeparators(of: &style, values[2])
            style.sortsKeys = try isTrue(values[3], or: false)
            return .text(try json(of: value, style))
        default: return try format(value, arguments)
        }
    }

    private func applyPlain(_ name: String, _ value: Value) throws(TemplateError) -> Value {
        let (text, isMarked) = try softText(value)
        switch name {
        case "upper": return try soft(text.uppercased, isMarked: isMarked)
        case "lower": return try soft(text.lowercased, isMarked: isMarked)
        case "capitalize": return try soft(text.capitalized, isMarked: isMarked)
        case "title": return try self.text(Self.titled(text))
        case "string": return try soft(text, isMarked: isMarked)
        case "wordcount": return .integer(Self.wordCount(text))
        case "safe": return .markup(text)
        default:
            if isMarked, name != "forceescape" { return .markup(text) }
            let escaped = Markup.escaped(text)
            try spend(bytes: escaped.bytes.count)
            return .markup(escaped)
        }
    }

    /// Words begin behind spaces, dashes and opening brackets, unlike those of `str.title`.
    private static func titled(_ text: Text) -> Text {
        var result: [UInt8] = []
        var word: [UInt8] = []
        func flush() {
            guard let first = Text(word).elements.first else { return }
            result += first.uppercased.bytes
            result += Text(Array(word[first.bytes.count...])).lowercased.bytes
            word = []
        }
        for scalar in text.scalars {
            if Scan.isSpace(scalar) || "-({[<".unicodeScalars.contains(scalar) {
                flush()
                result += Array(String(scalar).utf8)
            } else {
                word += Array(String(scalar).utf8)
            }
        }
        flush()
        return Text(result)
    }

    private static func wordCount(_ text: Text) -> Int {
        var count = 0
        var isInside = false
        for element in text.elements {
            let isWord = element.isAlphanumeric || element.equals("_")
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return count
    }

    private func joinFilter(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "join", ["d", "attribute"])
        let path = try path(values[1])
        let separator = try string(of: values[0] ?? .text(.empty))
        var bytes: [UInt8] = []
        var isFirst = true
        let iterator = try iterate(value)
        while let next = try iterator.next() {
            let text = try string(of: path.isEmpty ? next : try follow(path, from: next))
            if !isFirst { bytes += separator.bytes }
            isFirst = false
            try spend(bytes: bytes.count, growingBy: text.bytes.count)
            bytes += text.bytes
        }
        try spend(bytes: bytes.count)
        return .text(Text(bytes))
    }

    private func indent(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "indent", ["width", "first", "blank"])
        let indentation = try indentation(values[0] ?? .integer(4))
        if case .undefined(let undefined) = value { throw use(of: undefined) }
        guard let text = value.string else {
            throw failure(.type, "unsupported operand type(s) for +=: '\(value.typeName)' and 'str'")
        }
        if case .markup = value, Markup.escaped(indentation) != indentation {
            throw unsupported("indenting a text marked safe with markup")
        }
        let indentsFirst = try isTrue(values[1], or: false)
        let indentsBlank = try isTrue(values[2], or: false)
        let lines = Text(text.bytes + [UInt8(ascii: "\n")]).lines(keepingEnds: false)
        let (total, isOver) = lines.count.multipliedReportingOverflow(by: indentation.bytes.count)
        try spend(bytes: isOver || total > limits.outputByteCountMax ? .max : total + text.bytes.count)
        var bytes = indentsFirst ? indentation.bytes : []
        for (index, line) in lines.enumerated() {
            if index > 0 {
                bytes.append(UInt8(ascii: "\n"))
                if indentsBlank || !line.isEmpty { bytes += indentation.bytes }
            }
            bytes += line.bytes
        }
        if case .markup = value { return .markup(Text(bytes)) }
        return try self.text(Text(bytes))
    }

    /// So many spaces, or the text itself.
    private func indentation(_ width: Value) throws(TemplateError) -> Text {
        if let text = width.string { return text }
        guard let count = width.index else {
            throw failure(.type, "can't multiply sequence by non-int of type '\(width.typeName)'")
        }
        return try repeated(Text(" "), max(0, count))
    }

    private func truncate(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "truncate", ["length", "killwords", "end", "leeway"])
        let length = try integer(values[0], or: 255)
        let end = try string(values[2] ?? .text(Text("...")), "the end")
        let leeway = values[3].map(\.isNone) == false ? try integer(values[3], or: 5) : 5
        guard length >= end.count else { throw failure(.value, "expected length >= \(end.count), got \(length)") }
        guard leeway >= 0 else { throw failure(.value, "expected leeway >= 0, got \(leeway)") }
        if value.isUndefined { return value }
        guard case .text(let text) = value else { throw unsupported("truncate of a \(value.typeName)") }
        if text.count <= length.addingReportingOverflow(leeway).partialValue || length > Int.max - leeway {
            return value
        }
        let cut = text.slice(0, length - end.count)
        if try isTrue(values[1], or: false) { return try self.text(cut + end) }
        let words = cut.piecesFromRight(between: Text(" "), countMax: 1)
        return try self.text((words.first ?? .empty) + end)
    }

    private func format(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.positional.isEmpty || arguments.keywords.isEmpty else {
            throw failure(.runtime, "can't handle positional and keyword arguments at the same time")
        }
        let (text, isMarked) = try softText(value)
        if isMarked { throw unsupported("formatting a text marked safe") }
        if arguments.keywords.isEmpty {
            return try self.text(try formatted(text, with: try tuple(arguments.positional)))
        }
        let names = try mapping(arguments.keywords.map { (.text($0.name), $0.value) })
        return try self.text(try formatted(text, with: names))
    }

    private func setSeparators(of style: inout JSONStyle, _ value: Value?) throws(TemplateError) {
        guard let value, !value.isNone else { return }
        let parts = try elements(of: value)
        guard parts.count == 2 else { throw failure(.value, "separators are two texts") }
        style.itemSeparator = try string(parts[0], "the separator")
        style.keySeparator = try string(parts[1], "the separator")
    }
}
