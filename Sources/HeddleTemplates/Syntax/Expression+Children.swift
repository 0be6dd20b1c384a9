extension Expression {
    /// The expressions right below, in the order in which they are written.
    var children: [Expression] {
        switch kind {
        case .constant, .name, .variable, .captured: []
        case .tuple(let items), .list(let items), .concatenation(let items): items
        case .dictionary(let items): items.flatMap { [$0.key, $0.value] }
        case .attribute(let value, _), .not(let value), .negative(let value), .positive(let value): [value]
        case .item(let left, let right), .and(let left, let right), .or(let left, let right),
            .binary(_, let left, let right):
            [left, right]
        case .slice(let value, let start, let stop, let step): [value] + [start, stop, step].compactMap(\.self)
        case .call(let callee, let arguments): [callee] + arguments.all
        case .filter(let value, _, let arguments), .test(let value, _, let arguments): [value] + arguments.all
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .comparison(let first, let rest): [first] + rest.map(\.operand)
        }
    }

    /// The same tree with every expression right below replaced.
    func mapChildren(_ change: (Expression) throws(TemplateError) -> Expression) throws(TemplateError) -> Expression {
        Expression(kind: try kind.mapChildren(change), line: line, depth: depth)
    }

    /// Whether Jinja2 can compute it before it runs the template.
    var isConstant: Bool {
        switch kind {
        case .name, .variable, .captured, .call: false
        default: children.allSatisfy(\.isConstant)
        }
    }

    /// The number that literals, signs, sums, products and powers of them make; nil for everything else.
    var foldedNumber: Constant? {
        switch kind {
        case .constant(let constant): constant.isNumber ? constant : nil
        case .positive(let operand): operand.foldedNumber
        case .negative(let operand): operand.foldedNumber?.negated
        case .binary(let operation, let left, let right):
            left.foldedNumber.flatMap { left in right.foldedNumber.flatMap { left.combined(operation, $0) } }
        default: nil
        }
    }

    /// Whether one of the names is read anywhere in it.
    func reads(_ name: String) -> Bool {
        if case .name(let own) = kind { return own == name }
        return children.contains { $0.reads(name) }
    }
}

extension Expression.Kind {
    fileprivate typealias Change = (Expression) throws(TemplateError) -> Expression

    fileprivate func mapChildren(_ change: Change) throws(TemplateError) -> Self {
        switch self {
        case .constant, .name, .variable, .captured: return self
        case .tuple(let items): return .tuple(try items.mapped(change))
        case .list(let items): return .list(try items.mapped(change))
        case .concatenation(let items): return .concatenation(try items.mapped(change))
        case .dictionary(let items):
            var result: [(key: Expression, value: Expression)] = []
            for item in items { result.append((try change(item.key), try change(item.value))) }
            return .dictionary(result)
        case .attribute(let value, let name): return .attribute(try change(value), name)
        case .not(let value): return .not(try change(value))
        case .negative(let value): return .negative(try change(value))
        case .positive(let value): return .positive(try change(value))
        case .item(let left, let right): return .item(try change(left), try change(right))
        case .and(let left, let right): return .and(try change(left), try change(right))
        case .or(let left, let right): return .or(try change(left), try change(right))
        case .binary(let operation, let left, let right): return .binary(operation, try change(left), try change(right))
        case .slice(let value, let start, let stop, let step):
            return .slice(
                try change(value), start: try start.mapped(change), stop: try stop.mapped(change),
                step: try step.mapped(change))
        case .call(let callee, let arguments): return .call(try change(callee), try arguments.mapped(change))
        case .filter(let value, let name, let arguments):
            return .filter(try change(value), name, try arguments.mapped(change))
        case .test(let value, let name, let arguments):
            return .test(try change(value), name, try arguments.mapped(change))
        case .conditional(let test, let then, let otherwise):
            return .conditional(test: try change(test), then: try change(then), otherwise: try otherwise.mapped(change))
        case .comparison(let first, let rest):
            var operands: [(relation: ComparisonOperator, operand: Expression)] = []
            let start = try change(first)
            for item in rest { operands.append((item.relation, try change(item.operand))) }
            return .comparison(start, operands)
        }
    }
}

extension Expression.Arguments {
    fileprivate func mapped(_ change: Expression.Kind.Change) throws(TemplateError) -> Self {
        var result = Self(positional: try positional.mapped(change))
        for (name, value) in keywords { result.keywords.append((name, try change(value))) }
        result.unpacked = try unpacked.mapped(change)
        result.unpackedKeywords = try unpackedKeywords.mapped(change)
        return result
    }
}

extension [Expression] {
    fileprivate func mapped(_ change: Expression.Kind.Change) throws(TemplateError) -> Self {
        var result: [Expression] = []
        result.reserveCapacity(count)
        for item in self { result.append(try change(item)) }
        return result
    }
}

extension Expression? {
    fileprivate func mapped(_ change: Expression.Kind.Change) throws(TemplateError) -> Self {
        guard let self else { return nil }
        return try change(self)
    }
}

extension Constant {
    fileprivate var isNumber: Bool {
        switch self {
        case .integer, .float: true
        case .none, .bool, .text: false
        }
    }

    fileprivate var negated: Constant? {
        switch self {
        case .integer(let number): number == .min ? nil : .integer(-number)
        case .float(let number): .float(-number)
        case .none, .bool, .text: nil
        }
    }

    /// The number without its sign; nil where it has none.
    var negatedIfNegative: Constant? {
        switch self {
        case .integer(let number): number < 0 ? negated : nil
        case .float(let number): number.sign == .minus ? negated : nil
        case .none, .bool, .text: nil
        }
    }

    private var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .float(let number): number
        case .none, .bool, .text: nil
        }
    }

    fileprivate func combined(_ operation: BinaryOperator, _ other: Constant) -> Constant? {
        if case .integer(let left) = self, case .integer(let right) = other {
            return Self.combined(operation, left, right).map { .integer($0) }
        }
        guard let left = double, let right = other.double else { return nil }
        return switch operation {
        case .add: .float(left + right)
        case .subtract: .float(left - right)
        case .multiply: .float(left * right)
        default: nil
        }
    }

    private static func combined(_ operation: BinaryOperator, _ left: Int, _ right: Int) -> Int? {
        let (result, overflow): (Int, Bool)
        switch operation {
        case .add: (result, overflow) = left.addingReportingOverflow(right)
        case .subtract: (result, overflow) = left.subtractingReportingOverflow(right)
        case .multiply: (result, overflow) = left.multipliedReportingOverflow(by: right)
        case .power:
            guard (0...64).contains(right) else { return nil }
            var power: Int? = 1
            for _ in 0..<right { power = power.flatMap { combined(.multiply, $0, left) } }
            return power
        default: return nil
        }
        return overflow ? nil : result
    }
}
