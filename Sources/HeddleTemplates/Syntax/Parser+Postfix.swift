extension Parser {
    /// Attributes, items and calls behind an expression.
    mutating func postfix(_ start: Expression) throws(TemplateError) -> Expression {
        var result = start
        while true {
            if isAt(.dot) || isAt(.leftBracket) {
                result = try element(of: result)
            } else if isAt(.leftParenthesis) {
                result = try call(of: result)
            } else {
                return result
            }
        }
    }

    /// Filters, tests and calls behind an expression.
    mutating func filtersAndTests(of start: Expression) throws(TemplateError) -> Expression {
        var result = start
        while true {
            if isAt(.pipe) {
                result = try filters(of: result, startsInside: false)
            } else if isAt(name: "is") {
                result = try test(of: result)
            } else if isAt(.leftParenthesis) {
                result = try call(of: result)
            } else {
                return result
            }
        }
    }

    private mutating func call(of callee: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        let arguments = try arguments()
        return try node(.call(callee, arguments), line, over: [callee] + arguments.all)
    }

    private mutating func element(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        if skip(.dot) {
            switch current.kind {
            case .name(let name):
                advance()
                return try node(.attribute(value, name), line, over: [value])
            case .integer(let number):
                let index = try node(.constant(.integer(number)), current.line)
                advance()
                return try node(.item(value, index), line, over: [value])
            default: throw failure("expected name or number")
            }
        }
        advance()
        var items: [Expression] = []
        var slice: Expression?
        while !isAt(.rightBracket) {
            if !items.isEmpty || slice != nil { try expect(.comma) }
            guard slice == nil else {
                throw failure("a slice among several subscripts is not supported", line: line, kind: .unsupported)
            }
            if isAt(.colon) {
                slice = try self.slice(of: value, start: nil, line)
            } else {
                let item = try expression()
                if isAt(.colon) {
                    slice = try self.slice(of: value, start: item, line)
                } else {
                    items.append(item)
                }
            }
        }
        try expect(.rightBracket)
        if let slice {
            guard items.isEmpty else {
                throw failure("a slice among several subscripts is not supported", line: line, kind: .unsupported)
            }
            return slice
        }
        let index = items.count == 1 ? items[0] : try node(.tuple(items), line, over: items)
        return try node(.item(value, index), line, over: [value, index])
    }

    private mutating func slice(
        of value: Expression, start: Expression?, _ line: Int
    ) throws(TemplateError) -> Expression {
        advance()
        let stop = try sliceBound()
        let step = skip(.colon) ? try sliceBound() : nil
        return try node(.slice(value, start: start, stop: stop, step: step), line, over: [value, start, stop, step])
    }

    private mutating func sliceBound() throws(TemplateError) -> Expression? {
        isAt(.colon) || isAt(.rightBracket) || isAt(.comma) ? nil : try expression()
    }

    private mutating func arguments() throws(TemplateError) -> Expression.Arguments {
        let line = current.line
        try expect(.leftParenthesis)
        var result = Expression.Arguments()
        var needsComma = false
        func ensure(_ isRight: Bool) throws(TemplateError) {
            guard isRight else { throw failure("invalid syntax for function call expression", line: line) }
        }
        while !isAt(.rightParenthesis) {
            if needsComma {
                try expect(.comma)
                if isAt(.rightParenthesis) { break }
            }
            needsComma = true
            if skip(.multiply) {
                try ensure(result.unpacked == nil && result.unpackedKeywords == nil)
                result.unpacked = try expression()
            } else if skip(.power) {
                try ensure(result.unpackedKeywords == nil)
                result.unpackedKeywords = try expression()
            } else if case .name(let name) = current.kind, following.kind == .symbol(.assign) {
                try ensure(result.unpackedKeywords == nil)
                guard !result.keywords.contains(where: { $0.name == name }) else {
                    throw failure("keyword argument repeated: \(name)")
                }
                advance()
                advance()
                result.keywords.append((name, try expression()))
            } else {
                try ensure(result.unpacked == nil && result.unpackedKeywords == nil && result.keywords.isEmpty)
                result.positional.append(try expression())
            }
        }
        try expect(.rightParenthesis)
        return result
    }

    /// A chain of filters. `startsInside` for `{% filter name %}`, whose first filter has no `|`.
    mutating func filters(of start: Expression, startsInside: Bool) throws(TemplateError) -> Expression {
        var result = start
        var isInside = startsInside
        while isAt(.pipe) || isInside {
            if !isInside { advance() }
            isInside = false
            let line = current.line
            let name = try dottedName()
            let arguments = isAt(.leftParenthesis) ? try arguments() : Expression.Arguments()
            result = try node(.filter(result, name, arguments), line, over: [result] + arguments.all)
        }
        return result
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try anyName()
        while skip(.dot) { name += "." + (try anyName()) }
        return name
    }

    private mutating func test(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        let isNegated = skip(name: "not")
        let name = try dottedName()
        var arguments = Expression.Arguments()
        if isAt(.leftParenthesis) {
            arguments = try self.arguments()
        } else if isAtTestArgument {
            guard !isAt(name: "is") else { throw failure("You cannot chain multiple tests with is") }
            let argument = try primary()
            arguments.positional = [try postfix(argument)]
        }
        let test = try node(.test(value, name, arguments), line, over: [value] + arguments.all)
        return isNegated ? try node(.not(test), line, over: [test]) : test
    }

    private var isAtTestArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace): true
        default: false
        }
    }
}
