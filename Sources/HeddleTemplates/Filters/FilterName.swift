/// Decides which filters there are.
enum FilterName {
    /// By the group that computes them.
    enum Group { case text, number, sequence, selection }

    static func group(of name: String) -> Group? {
        switch name {
        case "capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join", "lower", "replace",
            "safe", "string", "title", "tojson", "trim", "truncate", "upper", "wordcount":
            .text
        case "abs", "float", "int", "round", "sum": .number
        case "attr", "batch", "count", "d", "default", "dictsort", "first", "groupby", "items", "last", "length",
            "list", "max", "min", "reverse", "slice", "sort", "unique":
            .sequence
        case "map", "reject", "rejectattr", "select", "selectattr": .selection
        default: nil
        }
    }

    /// What Jinja2 has beside those.
    static let unsupported: Set<String> = [
        "filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr",
    ]

    static func status(of name: String) -> NameStatus {
        group(of: name) != nil ? .supported : unsupported.contains(name) ? .unsupported : .unknown
    }
}

extension Renderer {
    func apply(filter name: String, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch FilterName.group(of: name) {
        case .text: return try applyText(name, value, arguments)
        case .number: return try applyNumber(name, value, arguments)
        case .sequence: return try applySequence(name, value, arguments)
        case .selection: return try applySelection(name, value, arguments)
        case nil:
            if FilterName.unsupported.contains(name) { throw unsupported("the filter \(name)") }
            throw failure(.runtime, "No filter named '\(name)'.")
        }
    }

    /// A text as filters take it: everything else is written as `str` writes it.
    func softText(_ value: Value) throws(TemplateError) -> (text: Text, isMarked: Bool) {
        if case .markup(let text) = value { return (text, true) }
        return (try string(of: value), false)
    }

    func soft(_ text: Text, isMarked: Bool) throws(TemplateError) -> Value {
        try spend(bytes: text.bytes.count)
        return isMarked ? .markup(text) : .text(text)
    }

    // MARK: attributes by path

    /// The parts of `a.b.0`, as filters with an `attribute` read them.
    func path(_ attribute: Value?) throws(TemplateError) -> [Value] {
        guard let attribute, !attribute.isNone else { return [] }
        guard let text = attribute.string else { return [attribute] }
        return try path(text)
    }

    private func path(_ text: Text) throws(TemplateError) -> [Value] {
        var parts: [Value] = []
        for part in text.pieces(between: Text("."), countMax: .max) {
            guard part.isDigit else {
                parts.append(.text(part))
                continue
            }
            guard let number = Int(part.description) else { throw unsupported("the path \(text.description)") }
            parts.append(.integer(number))
        }
        return parts
    }

    /// The paths of `a,b.c`.
    func paths(_ attribute: Value?) throws(TemplateError) -> [[Value]] {
        guard let text = attribute?.string else { return [try path(attribute)] }
        var result: [[Value]] = []
        for part in text.pieces(between: Text(","), countMax: .max) { result.append(try path(part)) }
        return result
    }

    func follow(_ path: [Value], from value: Value, default fallback: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for part in path {
            value = try item(part, of: value)
            if let fallback, !fallback.isNone, value.isUndefined { value = fallback }
        }
        return value
    }

    func ignoringCase(_ value: Value) -> Value { value.string.map { .text($0.lowercased) } ?? value }

    func isTrue(_ value: Value?, or fallback: Bool) throws(TemplateError) -> Bool {
        guard let value else { return fallback }
        return try isTrue(value)
    }
}
