extension Parser {
    /// Makes a node of the tree, and refuses one that is too deep.
    func node(_ kind: Expression.Kind, _ line: Int, over children: [Expression?] = []) throws(TemplateError)
        -> Expression
    {
        var depth = 1
        for child in children { if let child { depth = max(depth, child.depth + 1) } }
        guard depth <= limits.expressionDepthMax else {
            throw failure("an expression is deeper than \(limits.expressionDepthMax)", line: line, kind: .limit)
        }
        return Expression(kind: kind, line: line, depth: depth)
    }

    /// One expression, or several with commas as a tuple.
    mutating func tuple(
        allowsConditional: Bool = true, until end: String? = nil, isParenthesized: Bool = false
    ) throws(TemplateError) -> Expression {
        let line = current.line
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(.comma) }
            if isAtTupleEnd(end) { break }
            items.append(try expression(allowsConditional: allowsConditional))
            guard isAt(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            guard isParenthesized else { throw failure("Expected an expression, got '\(current.text)'") }
        }
        return try node(.tuple(items), line, over: items)
    }

    mutating func expression(allowsConditional: Bool = true) throws(TemplateError) -> Expression {
        try enter()
        defer { leave() }
        let line = current.line
        var result = try disjunction()
        guard allowsConditional else { return result }
        while skip(name: "if") {
            let test = try disjunction()
            let otherwise = skip(name: "else") ? try expression() : nil
            result = try node(
                .conditional(test: test, then: result, otherwise: otherwise), line, over: [test, result, otherwise])
        }
        return result
    }

    private mutating func disjunction() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try conjunction()
        while skip(name: "or") {
            let right = try conjunction()
            left = try node(.or(left, right), line, over: [left, right])
        }
        return left
    }

    private mutating func conjunction() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try negation()
        while skip(name: "and") {
            let right = try negation()
            left = try node(.and(left, right), line, over: [left, right])
        }
        return left
    }

    private mutating func negation() throws(TemplateError) -> Expression {
        let line = current.line
        guard skip(name: "not") else { return try comparison() }
        try enter()
        defer { leave() }
        let operand = try negation()
        return try node(.not(operand), line, over: [operand])
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try sum()
        var rest: [(relation: ComparisonOperator, operand: Expression)] = []
        while let comparison = comparisonOperator() { rest.append((comparison, try sum())) }
        guard !rest.isEmpty else { return first }
        return try node(.comparison(first, rest), line, over: [first] + rest.map(\.operand))
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        switch current.kind {
        case .symbol(let symbol):
            guard symbol != .assign, let found = ComparisonOperator(rawValue: symbol.rawValue) else { return nil }
            advance()
            return found
        case .name("in"):
            advance()
            return .isIn
        case .name("not"):
            guard following.kind == .name("in") else { return nil }
            advance()
            advance()
            return .isNotIn
        default: return nil
        }
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try concatenation()
        while true {
            let operation: BinaryOperator
            if skip(.add) {
                operation = .add
            } else if skip(.subtract) {
                operation = .subtract
            } else {
                return left
            }
            let right = try concatenation()
            left = try node(.binary(operation, left, right), line, over: [left, right])
        }
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        let line = current.line
        var parts = [try product()]
        while skip(.tilde) { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try node(.concatenation(parts), line, over: parts)
    }

    private mutating func product() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try power()
        while true {
            let operation: BinaryOperator
            switch current.kind {
            case .symbol(.multiply): operation = .multiply
            case .symbol(.divide): operation = .divide
            case .symbol(.floorDivide): operation = .floorDivide
            case .symbol(.remainder): operation = .remainder
            default: return left
            }
            advance()
            let right = try power()
            left = try node(.binary(operation, left, right), line, over: [left, right])
        }
    }

    private mutating func power() throws(TemplateError) -> Expression {
        let line = current.line
        var left = try unary()
        while skip(.power) {
            let right = try unary()
            left = try power(left, right, line)
        }
        return left
    }

    /// Jinja2 computes what is constant first and writes the number into Python's source without parentheses, where a sign binds
    /// weaker than `**`: `(-2) ** x` is there `-2 ** x`, which is -(2 ** x). Where both sides are constant, -2 is raised.
    private mutating func power(
        _ left: Expression, _ right: Expression, _ line: Int
    ) throws(TemplateError) -> Expression {
        guard !right.isConstant, let number = left.foldedNumber, let magnitude = number.negatedIfNegative else {
            return try node(.binary(.power, left, right), line, over: [left, right])
        }
        let base = try node(.constant(magnitude), line)
        let power = try node(.binary(.power, base, right), line, over: [base, right])
        return try node(.negative(power), line, over: [power])
    }

    private mutating func unary(hasFilters: Bool = true) throws(TemplateError) -> Expression {
        let line = current.line
        var result: Expression
        if isAt(.subtract) || isAt(.add) {
            try enter()
            defer { leave() }
            let isNegative = isAt(.subtract)
            advance()
            let operand = try unary(hasFilters: false)
            result = try node(isNegative ? .negative(operand) : .positive(operand), line, over: [operand])
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return hasFilters ? try filtersAndTests(of: result) : result
    }

    mutating func primary() throws(TemplateError) -> Expression {
        let line = current.line
        switch current.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try node(.constant(.bool(true)), line)
            case "false", "False": return try node(.constant(.bool(false)), line)
            case "none", "None": return try node(.constant(.none), line)
            default: return try node(.name(name), line)
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text = Text(text.bytes + more.bytes)
                advance()
            }
            return try node(.constant(.text(text)), line)
        case .integer(let number):
            advance()
            return try node(.constant(.integer(number)), line)
        case .float(let number):
            advance()
            return try node(.constant(.float(number)), line)
        case .symbol(.leftParenthesis):
            advance()
            let result = try tuple(isParenthesized: true)
            try expect(.rightParenthesis)
            return result
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try dictionary()
        default: throw failure("unexpected '\(current.text)'")
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        var items: [Expression] = []
        while !isAt(.rightBracket) {
            if !items.isEmpty { try expect(.comma) }
            if isAt(.rightBracket) { break }
            items.append(try expression())
        }
        try expect(.rightBracket)
        return try node(.list(items), line, over: items)
    }

    private mutating func dictionary() throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        var items: [(key: Expression, value: Expression)] = []
        while !isAt(.rightBrace) {
            if !items.isEmpty { try expect(.comma) }
            if isAt(.rightBrace) { break }
            let key = try expression()
            try expect(.colon)
            items.append((key, try expression()))
        }
        try expect(.rightBrace)
        return try node(.dictionary(items), line, over: items.map(\.key) + items.map(\.value))
    }
}
