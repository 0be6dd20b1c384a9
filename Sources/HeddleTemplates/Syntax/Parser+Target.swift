extension Parser {
    /// What may stand left of `=` or between `for` and `in`: names, tuples of them, and for `set` attributes of
    /// namespaces.
    mutating func assignmentTarget(until end: String?, allowsAttributes: Bool) throws(TemplateError) -> Statement.Target
    {
        let first = try targetPart(allowsAttributes)
        guard isAt(.comma) else { return first }
        var parts = [first]
        while skip(.comma) {
            if isAtTupleEnd(end) { break }
            parts.append(try targetPart(allowsAttributes))
        }
        return .tuple(parts)
    }

    private mutating func targetPart(_ allowsAttributes: Bool) throws(TemplateError) -> Statement.Target {
        let line = current.line
        if skip(.leftParenthesis) {
            try enter()
            defer { leave() }
            // Inside parentheses Jinja2 reads any expression, and then only names may be assigned to.
            let inner = try tuple(isParenthesized: true)
            try expect(.rightParenthesis)
            return try target(from: inner)
        }
        guard case .name(let name) = current.kind else {
            let value = try primary()
            throw failure("can't assign to this expression", line: value.line)
        }
        advance()
        guard !Self.reserved.contains(name) else { throw failure("can't assign to 'const'", line: line) }
        if allowsAttributes, skip(.dot) {
            return .attribute(of: try node(.name(name), line), try anyName())
        }
        return .name(name, line: line)
    }

    private func target(from expression: Expression) throws(TemplateError) -> Statement.Target {
        switch expression.kind {
        case .name(let name): return .name(name, line: expression.line)
        case .tuple(let items):
            var parts: [Statement.Target] = []
            for item in items { parts.append(try target(from: item)) }
            return .tuple(parts)
        default: throw failure("can't assign to this expression", line: expression.line)
        }
    }

    func isAtTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
        case .name(let name): name == end
        default: false
        }
    }
}
