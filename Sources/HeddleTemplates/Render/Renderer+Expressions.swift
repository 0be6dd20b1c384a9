extension Renderer {
    func evaluate(_ expression: Expression, _ frame: Frame) throws(TemplateError) -> Value {
        try spend()
        switch expression.kind {
        case .constant(let constant): return Self.value(of: constant)
        case .variable(let variable):
            if let value = frame.frame(variable.framesUp).slots[variable.slot] { return value }
            guard variable.name != "self" else { throw unsupported("the template's own variable “self”") }
            return .undefined(Undefined("'\(variable.name)' is undefined"))
        case .name(let name): preconditionFailure("the binder replaces the name \(name) by a variable")
        case .captured: return .text(captured.last ?? .empty)
        default: break
        }
        try enter()
        defer { depth -= 1 }
        let result = try evaluateInner(expression, frame)
        return result
    }

    private static func value(of constant: Constant) -> Value {
        switch constant {
        case .none: .none
        case .bool(let truth): .bool(truth)
        case .integer(let number): .integer(number)
        case .float(let number): .float(number)
        case .text(let text): .text(text)
        }
    }

    /// Every form has a function of its own that is not inlined: what one form needs on the stack would otherwise be
    /// taken at every level of all.
    private func evaluateInner(_ expression: Expression, _ frame: Frame) throws(TemplateError) -> Value {
        switch expression.kind {
        case .constant, .variable, .name, .captured: preconditionFailure("leaves are evaluated without a level")
        case .tuple(let items): return try tuple(try evaluate(items, frame))
        case .list(let items): return try list(try evaluate(items, frame))
        case .dictionary(let items): return try dictionary(items, frame)
        case .attribute(let value, let name): return try attribute(value, name, expression.line, frame)
        case .item(let value, let index): return try item(value, index, expression.line, frame)
        case .slice(let value, let start, let stop, let step):
            return try slice(value, start, stop, step, expression.line, frame)
        case .call(let callee, let arguments): return try call(callee, arguments, expression.line, frame)
        case .filter(let value, let name, let arguments):
            return try filter(value, name, arguments, expression.line, frame)
        case .test(let value, let name, let arguments): return try test(value, name, arguments, expression.line, frame)
        case .conditional(let test, let then, let otherwise):
            return try conditional(test, then, otherwise, expression.line, frame)
        case .and(let left, let right): return try either(left, right, unless: true, frame)
        case .or(let left, let right): return try either(left, right, unless: false, frame)
        case .not(let operand): return .bool(!(try isTrue(try evaluate(operand, frame))))
        case .negative(let operand): return try signed(operand, isNegative: true, expression.line, frame)
        case .positive(let operand): return try signed(operand, isNegative: false, expression.line, frame)
        case .binary(let operation, let left, let right):
            return try binary(operation, left, right, expression.line, frame)
        case .concatenation(let parts): return try concatenate(parts, frame)
        case .comparison(let first, let rest): return try compare(first, rest, expression.line, frame)
        }
    }

    @inline(never)
    private func attribute(_ value: Expression, _ name: String, _ line: Int, _ frame: Frame) throws(TemplateError)
        -> Value
    {
        let value = try evaluate(value, frame)
        self.line = line
        return try attribute(Text(name), of: value)
    }

    @inline(never)
    private func item(_ value: Expression, _ index: Expression, _ line: Int, _ frame: Frame) throws(TemplateError)
        -> Value
    {
        let value = try evaluate(value, frame)
        let index = try evaluate(index, frame)
        self.line = line
        return try item(index, of: value)
    }

    @inline(never)
    private func call(
        _ callee: Expression, _ arguments: Expression.Arguments, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let callee = try evaluate(callee, frame)
        let values = try evaluate(arguments, frame)
        self.line = line
        return try call(callee, values)
    }

    @inline(never)
    private func filter(
        _ value: Expression, _ name: String, _ arguments: Expression.Arguments, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let value = try evaluate(value, frame)
        let values = try evaluate(arguments, frame)
        self.line = line
        return try apply(filter: name, to: value, values)
    }

    @inline(never)
    private func test(
        _ value: Expression, _ name: String, _ arguments: Expression.Arguments, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let value = try evaluate(value, frame)
        let values = try evaluate(arguments, frame)
        self.line = line
        return .bool(try apply(test: name, to: value, values))
    }

    /// `and` takes the right value unless the left is false, `or` unless it is true.
    @inline(never)
    private func either(
        _ left: Expression, _ right: Expression, unless isAnd: Bool, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let value = try evaluate(left, frame)
        return try isTrue(value) == isAnd ? try evaluate(right, frame) : value
    }

    @inline(never)
    private func binary(
        _ operation: BinaryOperator, _ left: Expression, _ right: Expression, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let left = try evaluate(left, frame)
        let right = try evaluate(right, frame)
        self.line = line
        return try compute(operation, left, right)
    }

    @inline(never)
    private func evaluate(_ items: [Expression], _ frame: Frame) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for item in items { values.append(try evaluate(item, frame)) }
        return values
    }

    @inline(never)
    private func dictionary(
        _ items: [(key: Expression, value: Expression)], _ frame: Frame
    ) throws(TemplateError) -> Value {
        var pairs: [(key: Value, value: Value)] = []
        for (key, value) in items { pairs.append((try evaluate(key, frame), try evaluate(value, frame))) }
        return try mapping(pairs)
    }

    @inline(never)
    private func slice(
        _ value: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let value = try evaluate(value, frame)
        let start = try start.map { (bound) throws(TemplateError) in try evaluate(bound, frame) }
        let stop = try stop.map { (bound) throws(TemplateError) in try evaluate(bound, frame) }
        let step = try step.map { (bound) throws(TemplateError) in try evaluate(bound, frame) }
        self.line = line
        return try slice(of: value, start, stop, step)
    }

    @inline(never)
    private func conditional(
        _ test: Expression, _ then: Expression, _ otherwise: Expression?, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        if try isTrue(try evaluate(test, frame)) { return try evaluate(then, frame) }
        if let otherwise { return try evaluate(otherwise, frame) }
        return .undefined(
            Undefined(
                "the inline if-expression on line \(line) evaluated to false and no else section was defined."))
    }

    @inline(never)
    private func signed(
        _ operand: Expression, isNegative: Bool, _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        let value = try evaluate(operand, frame)
        self.line = line
        switch value {
        case .undefined(let undefined): throw use(of: undefined)
        case .float(let number): return .float(isNegative ? -number : number)
        default:
            guard let number = value.index else {
                throw failure(.type, "bad operand type for unary \(isNegative ? "-" : "+"): '\(value.typeName)'")
            }
            guard isNegative else { return .integer(number) }
            guard number != .min else { throw tooLarge() }
            return .integer(-number)
        }
    }

    @inline(never)
    private func concatenate(_ parts: [Expression], _ frame: Frame) throws(TemplateError) -> Value {
        var bytes: [UInt8] = []
        let values = try evaluate(parts, frame)
        for value in values {
            let text = try string(of: value)
            try spend(bytes: bytes.count, growingBy: text.bytes.count)
            bytes += text.bytes
        }
        return .text(Text(bytes))
    }

    @inline(never)
    private func compare(
        _ first: Expression, _ rest: [(relation: ComparisonOperator, operand: Expression)], _ line: Int, _ frame: Frame
    ) throws(TemplateError) -> Value {
        var left = try evaluate(first, frame)
        for (comparison, operand) in rest {
            let right = try evaluate(operand, frame)
            self.line = line
            guard try holds(left, comparison, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    // MARK: arguments

    @inline(never)
    func evaluate(_ arguments: Expression.Arguments, _ frame: Frame) throws(TemplateError) -> CallArguments {
        var result = CallArguments(positional: try evaluate(arguments.positional, frame))
        if let unpacked = arguments.unpacked {
            result.positional += try elements(of: try evaluate(unpacked, frame))
        }
        for (name, value) in arguments.keywords { result.keywords.append((Text(name), try evaluate(value, frame))) }
        if let unpacked = arguments.unpackedKeywords {
            let value = try evaluate(unpacked, frame)
            guard case .mapping(let mapping) = value else {
                throw failure(.type, "argument after ** must be a mapping, not \(value.typeName)")
            }
            for (key, value) in mapping.entries {
                guard let name = key.string else { throw failure(.type, "keywords must be strings") }
                guard !result.keywords.contains(where: { $0.name == name }) else {
                    throw failure(.type, "got multiple values for keyword argument '\(name.description)'")
                }
                result.keywords.append((name, value))
            }
            try spend(mapping.entries.count * (1 + mapping.entries.count / 16))
        }
        return result
    }
}

/// The values that a function, filter, test or macro is called with.
struct CallArguments {
    var positional: [Value] = []
    var keywords: [(name: Text, value: Value)] = []
}
