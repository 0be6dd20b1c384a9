/// Reads a template's tokens into statements, by the grammar of Jinja2.
struct Parser {
    private let tokens: [Token]
    private var index = 0
    let limits: TemplateLimits
    /// Statements and brackets that are open.
    private var nesting = 0

    private init(tokens: [Token], limits: TemplateLimits) {
        self.tokens = tokens
        self.limits = limits
    }

    /// The statements of a whole template.
    static func statements(of source: [UInt8], limits: TemplateLimits) throws(TemplateError) -> [Statement] {
        guard source.count <= limits.templateByteCountMax else {
            throw TemplateError(
                kind: .limit,
                message: "the template has \(source.count) bytes; at most \(limits.templateByteCountMax) are read",
                line: 0)
        }
        let tokens = try Lexer.tokens(of: source)
        // Scopes are copied at branches: few names keep that short.
        var words: Set<String> = []
        for token in tokens {
            guard case .name(let word) = token.kind, words.insert(word).inserted else { continue }
            guard words.count <= limits.wordCountMax else {
                throw TemplateError(
                    kind: .limit, message: "the template has more than \(limits.wordCountMax) different words",
                    line: token.line)
            }
        }
        var parser = Parser(tokens: tokens, limits: limits)
        return try parser.body(until: [])
    }

    // MARK: tokens

    var current: Token { tokens[index] }
    var following: Token { tokens[min(index + 1, tokens.count - 1)] }

    mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    func isAt(_ symbol: Token.Symbol) -> Bool { current.kind == .symbol(symbol) }

    func isAt(name: String) -> Bool { current.kind == .name(name) }

    mutating func skip(_ symbol: Token.Symbol) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isAt(name: name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(TemplateError) {
        guard skip(symbol) else { throw unexpected(instead: symbol.rawValue) }
    }

    mutating func expect(name: String) throws(TemplateError) {
        guard skip(name: name) else { throw unexpected(instead: name) }
    }

    mutating func anyName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected(instead: "name") }
        advance()
        return name
    }

    func failure(_ message: String, line: Int? = nil, kind: TemplateError.Kind = .syntax) -> TemplateError {
        TemplateError(kind: kind, message: message, line: line ?? current.line)
    }

    func unexpected(instead expected: String) -> TemplateError {
        guard current.kind != .end else { return failure("unexpected end of template, expected '\(expected)'.") }
        return failure("expected token '\(expected)', got '\(current.text)'")
    }

    mutating func enter() throws(TemplateError) {
        nesting += 1
        guard nesting <= limits.nestingMax else {
            throw failure("the template is nested deeper than \(limits.nestingMax)", kind: .limit)
        }
    }

    mutating func leave() { nesting -= 1 }

    // MARK: statements

    /// Statements up to a tag whose first word is one of `ends`, which is left as the current token; with no ends, up
    /// to the template's end.
    private mutating func body(until ends: [String]) throws(TemplateError) -> [Statement] {
        try enter()
        var result: [Statement] = []
        while true {
            switch current.kind {
            case .end:
                guard ends.isEmpty else {
                    throw failure(
                        "Unexpected end of template. Jinja was looking for '\(ends.joined(separator: "' or '"))'.")
                }
                leave()
                return result
            case .data(let text):
                result.append(.data(text))
                advance()
            case .variableBegin:
                advance()
                let value = try tuple()
                guard current.kind == .variableEnd else { throw unexpected(instead: "end of print statement") }
                advance()
                result.append(.output(value))
            default:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) {
                    leave()
                    return result
                }
                result += try statement()
                guard current.kind == .blockEnd else { throw unexpected(instead: "end of statement block") }
                advance()
            }
        }
    }

    /// The rest of the opening tag, and the body up to the closing word, which is skipped.
    private mutating func block(until ends: [String]) throws(TemplateError) -> (body: [Statement], end: String) {
        _ = skip(.colon)
        guard current.kind == .blockEnd else { throw unexpected(instead: "end of statement block") }
        advance()
        let statements = try body(until: ends)
        return (statements, try anyName())
    }

    private mutating func statement() throws(TemplateError) -> [Statement] {
        guard case .name(let word) = current.kind else { throw failure("tag name expected") }
        let line = current.line
        switch word {
        case "for": return [try loop(line)]
        case "if": return [try branches()]
        case "set": return [try assignment(line)]
        case "macro":
            advance()
            let name = try anyName()
            let parameters = try signature()
            let body = try block(until: ["endmacro"]).body
            return [
                .macro(
                    slot: 0, name: name,
                    Statement.MacroDefinition(
                        name: name, parameters: parameters, body: .init(statements: body), line: line))
            ]
        case "call":
            advance()
            let parameters = isAt(.leftParenthesis) ? try signature() : []
            let call = try expression()
            guard case .call = call.kind else { throw failure("expected call", line: line) }
            let body = try block(until: ["endcall"]).body
            return [
                .callBlock(
                    call, Statement.MacroDefinition(parameters: parameters, body: .init(statements: body), line: line))
            ]
        case "generation":
            advance()
            let body = try block(until: ["endgeneration"]).body
            return [.generation(Statement.MacroDefinition(parameters: [], body: .init(statements: body), line: line))]
        case "filter":
            advance()
            let chain = try filters(of: node(.captured, line), startsInside: true)
            return [.filterBlock(chain, .init(statements: try block(until: ["endfilter"]).body))]
        case "with": return [try with(line)]
        case "print": return try printed()
        case "break":
            advance()
            return [.breakLoop]
        case "continue":
            advance()
            return [.continueLoop]
        case "block", "extends", "include", "from", "import", "autoescape":
            throw failure("the statement “\(word)” is not supported in chat templates", kind: .unsupported)
        default: throw failure("Encountered unknown tag '\(word)'.")
        }
    }

    private mutating func loop(_ line: Int) throws(TemplateError) -> Statement {
        advance()
        let target = try assignmentTarget(until: "in", allowsAttributes: false)
        try expect(name: "in")
        let iterable = try tuple(allowsConditional: false, until: "recursive")
        let test = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        let body = try block(until: ["endfor", "else"])
        let otherwise = body.end == "else" ? try block(until: ["endfor"]).body : []
        return .loop(
            Statement.Loop(
                target: target, iterable: iterable, test: test, testTarget: target, isRecursive: isRecursive,
                body: .init(statements: body.body), otherwise: .init(statements: otherwise), line: line))
    }

    private mutating func branches() throws(TemplateError) -> Statement {
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            advance()
            let test = try tuple(allowsConditional: false)
            var (body, end) = try block(until: ["elif", "else", "endif"])
            branches.append((test, body))
            if end == "elif" {
                // The word that ended the body begins the next branch.
                index -= 1
                continue
            }
            guard end == "else" else { return .branches(branches, otherwise: []) }
            (body, end) = try block(until: ["endif"])
            return .branches(branches, otherwise: body)
        }
    }

    private mutating func assignment(_ line: Int) throws(TemplateError) -> Statement {
        advance()
        let target = try assignmentTarget(until: nil, allowsAttributes: true)
        if skip(.assign) { return .set(target, try tuple()) }
        let filter = isAt(.pipe) ? try filters(of: node(.captured, line), startsInside: false) : nil
        let body = try block(until: ["endset"]).body
        return .setBlock(target, filter: filter, .init(statements: body), line: line)
    }

    private mutating func with(_ line: Int) throws(TemplateError) -> Statement {
        advance()
        var values: [(target: Statement.Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !values.isEmpty { try expect(.comma) }
            let target = try assignmentTarget(until: nil, allowsAttributes: false)
            try expect(.assign)
            values.append((target, try expression()))
        }
        return .with(values, .init(statements: try block(until: ["endwith"]).body), line: line)
    }

    private mutating func printed() throws(TemplateError) -> [Statement] {
        advance()
        var result: [Statement] = []
        while current.kind != .blockEnd {
            if !result.isEmpty { try expect(.comma) }
            result.append(.output(try expression()))
        }
        return result
    }

    private mutating func signature() throws(TemplateError) -> [(name: String, fallback: Expression?)] {
        try expect(.leftParenthesis)
        var parameters: [(name: String, fallback: Expression?)] = []
        while !isAt(.rightParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let line = current.line
            let name = try anyName()
            guard !Self.reserved.contains(name) else { throw failure("can't assign to '\(name)'", line: line) }
            guard !parameters.contains(where: { $0.name == name }) else {
                throw failure("duplicate argument '\(name)'", line: line)
            }
            let fallback = skip(.assign) ? try expression() : nil
            guard fallback != nil || parameters.last?.fallback == nil else {
                throw failure("non-default argument follows default argument", line: line)
            }
            parameters.append((name, fallback))
        }
        try expect(.rightParenthesis)
        return parameters
    }

    /// Words that are constants and can be no variable.
    static let reserved: Set<String> = ["true", "false", "none", "True", "False", "None"]
}
