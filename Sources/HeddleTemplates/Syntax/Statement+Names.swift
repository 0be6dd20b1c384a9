/// How a body mentions a name first: what it reads before it sets makes a macro take `caller`, `kwargs` or `varargs`.
enum FirstMention {
    case read
    case stored
}

extension [Statement] {
    /// How the name is mentioned first, in the order in which Jinja2 walks the statements; nil where it is not.
    func firstMention(of name: String) -> FirstMention? {
        for statement in self { if let mention = statement.firstMention(of: name) { return mention } }
        return nil
    }
}

extension Statement {
    fileprivate func firstMention(of name: String) -> FirstMention? {
        switch self {
        case .data, .breakLoop, .continueLoop: nil
        case .output(let value): value.mention(of: name)
        case .branches(let branches, let otherwise): Self.mention(of: name, branches[...], otherwise)
        case .loop(let loop):
            loop.target.mention(of: name) ?? loop.iterable.mention(of: name)
                ?? loop.body.statements.firstMention(of: name) ?? loop.otherwise.statements.firstMention(of: name)
                ?? loop.test?.mention(of: name)
        case .set(let target, let value): target.mention(of: name) ?? value.mention(of: name)
        case .setBlock(let target, let filter, let body, _):
            target.mention(of: name) ?? filter?.mention(of: name) ?? body.statements.firstMention(of: name)
        case .macro(_, _, let definition), .generation(let definition): definition.mention(of: name)
        case .callBlock(let call, let definition): call.mention(of: name) ?? definition.mention(of: name)
        case .filterBlock(let filter, let body):
            body.statements.firstMention(of: name) ?? filter.mention(of: name)
        case .with(let values, let body, _):
            values.lazy.compactMap { $0.target.mention(of: name) }.first
                ?? values.lazy.compactMap { $0.value.mention(of: name) }.first
                ?? body.statements.firstMention(of: name)
        }
    }

    private static func mention(
        of name: String, _ branches: ArraySlice<(test: Expression, body: [Statement])>, _ otherwise: [Statement]
    ) -> FirstMention? {
        for branch in branches {
            if let mention = branch.test.mention(of: name) ?? branch.body.firstMention(of: name) { return mention }
        }
        return otherwise.firstMention(of: name)
    }
}

extension Statement.MacroDefinition {
    fileprivate func mention(of name: String) -> FirstMention? {
        if parameters.contains(where: { $0.name == name }) { return .stored }
        for parameter in parameters { if let mention = parameter.fallback?.mention(of: name) { return mention } }
        return body.statements.firstMention(of: name)
    }
}

extension Statement.Target {
    fileprivate func mention(of name: String) -> FirstMention? {
        switch self {
        case .name(let own, _): own == name ? .stored : nil
        case .tuple(let parts): parts.lazy.compactMap { $0.mention(of: name) }.first
        case .slot, .attribute: nil
        }
    }
}

extension Expression {
    fileprivate func mention(of name: String) -> FirstMention? { reads(name) ? .read : nil }
}
