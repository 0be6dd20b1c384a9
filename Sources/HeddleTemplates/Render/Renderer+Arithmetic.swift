import Foundation

extension Renderer {
    func tooLarge() -> TemplateError { failure(.unsupported, "whole numbers beyond 64 bits are not supported") }

    func compute(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
        if operation == .remainder, let format = left.string {
            if case .markup = left { throw unsupported("formatting a marked text") }
            return try text(try formatted(format, with: right))
        }
        if case .undefined(let undefined) = left { throw use(of: undefined) }
        if case .undefined(let undefined) = right { throw use(of: undefined) }
        if let a = left.index, let b = right.index { return try compute(operation, a, b) }
        if let a = Self.double(left), let b = Self.double(right) { return try compute(operation, a, b) }
        switch operation {
        case .add: if let sum = try joined(left, right) { return sum }
        case .multiply:
            if let count = right.index { if let value = try repeated(left, count) { return value } }
            if let count = left.index { if let value = try repeated(right, count) { return value } }
        default: break
        }
        throw failure(
            .type,
            "unsupported operand type(s) for \(operation.rawValue): '\(left.typeName)' and '\(right.typeName)'")
    }

    static func double(_ value: Value) -> Double? {
        if case .float(let number) = value { return number }
        return value.index.map { Double($0) }
    }

    private func joined(_ left: Value, _ right: Value) throws(TemplateError) -> Value? {
        switch (left, right) {
        case (.text(let a), .text(let b)): return try text(a + b)
        case (.markup(let a), .text(let b)): return .markup(try checked(a + Markup.escaped(b)))
        case (.text(let a), .markup(let b)): return .markup(try checked(Markup.escaped(a) + b))
        case (.markup(let a), .markup(let b)): return .markup(try checked(a + b))
        case (.list(let a), .list(let b)): return try list(a.values + b.values)
        case (.tuple(let a), .tuple(let b)): return try tuple(a.values + b.values)
        default: return nil
        }
    }

    private func checked(_ text: Text) throws(TemplateError) -> Text {
        try spend(bytes: text.bytes.count)
        return text
    }

    private func repeated(_ value: Value, _ count: Int) throws(TemplateError) -> Value? {
        let count = max(0, count)
        switch value {
        case .text(let text): return .text(try repeated(text, count))
        case .markup(let text): return .markup(try repeated(text, count))
        case .list(let items): return try list(try repeated(items.values, count))
        case .tuple(let items): return try tuple(try repeated(items.values, count))
        default: return nil
        }
    }

    func repeated(_ text: Text, _ count: Int) throws(TemplateError) -> Text {
        let (total, isOver) = text.bytes.count.multipliedReportingOverflow(by: count)
        try spend(bytes: isOver ? .max : total)
        return Text(Array(repeatElement(text.bytes, count: total == 0 ? 0 : count).joined()))
    }

    private func repeated(_ values: [Value], _ count: Int) throws(TemplateError) -> [Value] {
        let (total, isOver) = values.count.multipliedReportingOverflow(by: count)
        try spend(isOver ? .max : total)
        return Array(repeatElement(values, count: total == 0 ? 0 : count).joined())
    }

    // MARK: whole numbers

    private func compute(_ operation: BinaryOperator, _ a: Int, _ b: Int) throws(TemplateError) -> Value {
        let (result, isOver): (Int, Bool)
        switch operation {
        case .add: (result, isOver) = a.addingReportingOverflow(b)
        case .subtract: (result, isOver) = a.subtractingReportingOverflow(b)
        case .multiply: (result, isOver) = a.multipliedReportingOverflow(by: b)
        case .divide:
            guard b != 0 else { throw failure(.zeroDivision, "division by zero") }
            guard a.magnitude <= 1 << 53, b.magnitude <= 1 << 53 else { throw tooLarge() }
            return .float(Double(a) / Double(b))
        case .floorDivide, .remainder:
            guard b != 0 else { throw failure(.zeroDivision, "integer division or modulo by zero") }
            guard a != .min || b != -1 else { throw tooLarge() }
            let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
            let isBelow = remainder != 0 && (remainder < 0) != (b < 0)
            if operation == .floorDivide { return .integer(isBelow ? quotient - 1 : quotient) }
            return .integer(isBelow ? remainder + b : remainder)
        case .power:
            guard b >= 0 else {
                guard a != 0 else { throw failure(.zeroDivision, "0.0 cannot be raised to a negative power") }
                return try compute(.power, Double(a), Double(b))
            }
            return .integer(try power(a, b))
        }
        guard !isOver else { throw tooLarge() }
        return .integer(result)
    }

    private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Int {
        if base == 1 || exponent == 0 { return 1 }
        if base == 0 { return 0 }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        guard exponent < 64 else { throw tooLarge() }
        var result = 1
        for _ in 0..<exponent {
            let (product, isOver) = result.multipliedReportingOverflow(by: base)
            guard !isOver else { throw tooLarge() }
            result = product
        }
        return result
    }

    // MARK: doubles

    private func compute(_ operation: BinaryOperator, _ a: Double, _ b: Double) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .float(a + b)
        case .subtract: return .float(a - b)
        case .multiply: return .float(a * b)
        case .divide:
            guard b != 0 else { throw failure(.zeroDivision, "float division by zero") }
            return .float(a / b)
        case .floorDivide:
            guard b != 0 else { throw failure(.zeroDivision, "float floor division by zero") }
            return .float(Self.floorDivided(a, b).quotient)
        case .remainder:
            guard b != 0 else { throw failure(.zeroDivision, "float modulo") }
            return .float(Self.floorDivided(a, b).remainder)
        case .power:
            if a == 0, b < 0 { throw failure(.zeroDivision, "0.0 cannot be raised to a negative power") }
            if a < 0, a.isFinite, b.isFinite, b != b.rounded() { throw unsupported("a complex number") }
            let result = pow(a, b)
            if result.isInfinite, a.isFinite, b.isFinite { throw failure(.overflow, "Numerical result out of range") }
            return .float(result)
        }
    }

    /// As Python computes `divmod` of doubles.
    private static func floorDivided(_ a: Double, _ b: Double) -> (quotient: Double, remainder: Double) {
        var remainder = fmod(a, b)
        var quotient = (a - remainder) / b
        if remainder != 0 {
            if (b < 0) != (remainder < 0) {
                remainder += b
                quotient -= 1
            }
        } else {
            remainder = copysign(0, b)
        }
        guard quotient != 0 else { return (copysign(0, a / b), remainder) }
        let floor = quotient.rounded(.down)
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder)
    }
}
