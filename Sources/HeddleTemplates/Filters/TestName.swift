/// Decides which tests there are, the words behind `is`.
enum TestName {
    static let all: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<",
        "lt", "lessthan", "<=", "le",
    ]

    static func status(of name: String) -> NameStatus { all.contains(name) ? .supported : .unknown }

    /// The comparison that a test is another word for.
    static func comparison(_ name: String) -> ComparisonOperator? {
        switch name {
        case "==", "eq", "equalto": .equal
        case "!=", "ne": .notEqual
        case ">", "gt", "greaterthan": .greater
        case ">=", "ge": .greaterOrEqual
        case "<", "lt", "lessthan": .less
        case "<=", "le": .lessOrEqual
        case "in": .isIn
        default: nil
        }
    }
}

extension Renderer {
    func apply(test name: String, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
        if let comparison = TestName.comparison(name) {
            let other = try bind(arguments, name, ["other"], required: 1)[0] ?? .none
            return try holds(value, comparison, other)
        }
        switch name {
        case "sameas": return try isSame(value, try bind(arguments, name, ["other"], required: 1)[0] ?? .none)
        case "divisibleby":
            let number = try bind(arguments, name, ["num"], required: 1)[0] ?? .none
            return try isEqual(try compute(.remainder, value, number), .integer(0))
        default: break
        }
        guard TestName.all.contains(name) else { throw failure(.runtime, "No test named '\(name)'.") }
        _ = try bind(arguments, name, [])
        switch name {
        case "odd": return try isEqual(try compute(.remainder, value, .integer(2)), .integer(1))
        case "even": return try isEqual(try compute(.remainder, value, .integer(2)), .integer(0))
        case "lower": return try string(of: value).isLower
        case "upper": return try string(of: value).isUpper
        case "filter": return try isName(value) { FilterName.status(of: $0) != .unknown }
        case "test": return try isName(value) { TestName.all.contains($0) }
        default: return Self.isKind(name, value)
        }
    }

    private func isName(_ value: Value, _ isKnown: (String) -> Bool) throws(TemplateError) -> Bool {
        _ = try hash(of: value)
        return value.string.map { isKnown($0.description) } ?? false
    }

    private static func isKind(_ name: String, _ value: Value) -> Bool {
        switch (name, value) {
        case ("defined", _): !value.isUndefined
        case ("undefined", _): value.isUndefined
        case ("none", .none), ("boolean", .bool), ("integer", .integer), ("float", .float): true
        case ("true", .bool(let truth)): truth
        case ("false", .bool(let truth)): !truth
        case ("string", .text), ("string", .markup), ("escaped", .markup), ("mapping", .mapping): true
        case ("number", .bool), ("number", .integer), ("number", .float): true
        case ("sequence", .text), ("sequence", .markup), ("sequence", .list), ("sequence", .tuple),
            ("sequence", .mapping), ("sequence", .range), ("sequence", .undefined):
            true
        case ("iterable", .view), ("iterable", .iterator), ("iterable", .loop): true
        case ("iterable", _): isKind("sequence", value)
        case ("callable", .macro), ("callable", .function), ("callable", .method), ("callable", .loop),
            ("callable", .joiner), ("callable", .undefined):
            true
        default: false
        }
    }

    /// Whether both are one object, where that does not depend on how Python stores its values.
    private func isSame(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.undefined(let a), .undefined(let b)): return a === b
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            guard a === b || a.values.count + b.values.count > 0 else { throw unsupported("sameas of empty values") }
            return a === b
        case (.mapping(let a), .mapping(let b)): return a === b
        case (.namespace(let a), .namespace(let b)): return a === b
        case (.macro(let a), .macro(let b)): return a === b
        case (.function(let a), .function(let b)): return a == b
        case (.iterator(let a), .iterator(let b)): return a === b
        case (.loop(let a), .loop(let b)): return a === b
        case (.integer(let a), .integer(let b)):
            guard a == b else { return false }
            guard (-5...256).contains(a) else { throw unsupported("sameas of numbers") }
            return true
        default:
            guard left.typeName == right.typeName else { return false }
            guard try isEqual(left, right) else { return false }
            throw unsupported("sameas of a \(left.typeName)")
        }
    }
}
