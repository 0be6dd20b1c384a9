extension Renderer {
    func isTrue(_ value: Value) throws(TemplateError) -> Bool {
        switch value {
        case .undefined, .none: return false
        case .bool(let truth): return truth
        case .integer(let number): return number != 0
        case .float(let number): return number != 0
        case .text(let text), .markup(let text): return !text.isEmpty
        case .list(let items), .tuple(let items): return !items.values.isEmpty
        case .mapping(let mapping): return !mapping.entries.isEmpty
        case .view(let view): return !view.mapping.entries.isEmpty
        case .range(let range): return range.count > 0
        case .loop(let loop): return try loop.count() > 0
        case .namespace, .iterator, .macro, .function, .method, .joiner, .cycler: return true
        }
    }

    func holds(_ left: Value, _ comparison: ComparisonOperator, _ right: Value) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: try isEqual(left, right)
        case .notEqual: !(try isEqual(left, right))
        case .isIn: try contains(right, left)
        case .isNotIn: !(try contains(right, left))
        case .less: try precedes(left, right, "<")
        case .greater: try precedes(right, left, ">", isTurned: true)
        case .lessOrEqual: try precedesOrEquals(left, right, "<=")
        case .greaterOrEqual: try precedesOrEquals(right, left, ">=", isTurned: true)
        }
    }

    // MARK: equality

    func isEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try spend()
        if let a = left.string { return right.string.map { $0 == a } ?? false }
        if let a = left.index {
            if let b = right.index { return a == b }
            if case .float(let b) = right { return Int(exactly: b) == a }
            return false
        }
        try enter()
        defer { depth -= 1 }
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.float(let a), .float(let b)): return a == b
        case (.float(let a), _): return right.index.map { Int(exactly: a) == $0 } ?? false
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            return a === b ? true : try areEqual(a.values, b.values)
        case (.mapping(let a), .mapping(let b)): return a === b ? true : try isEqual(a, b)
        case (.namespace(let a), .namespace(let b)): return a === b
        case (.range(let a), .range(let b)):
            guard a.count == b.count, a.count > 0 else { return a.count == b.count }
            return a.start == b.start && (a.count == 1 || a.step == b.step)
        case (.view(let a), .view(let b)):
            guard a.part == b.part, a.part != .values else {
                if a.part != .values, b.part != .values { throw unsupported("comparing keys with items") }
                return false
            }
            guard a.mapping.entries.count == b.mapping.entries.count else { return false }
            for element in a.values where try !contains(right, element) { return false }
            return true
        case (.iterator(let a), .iterator(let b)): return a === b
        case (.loop(let a), .loop(let b)): return a === b
        case (.macro(let a), .macro(let b)): return a === b
        case (.function(let a), .function(let b)): return a == b
        case (.method, .method): throw unsupported("comparing methods")
        case (.joiner(let a), .joiner(let b)): return a === b
        case (.cycler(let a), .cycler(let b)): return a === b
        default: return false
        }
    }

    private func areEqual(_ left: [Value], _ right: [Value]) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (a, b) in zip(left, right) where try !isEqual(a, b) { return false }
        return true
    }

    private func isEqual(_ left: Mapping, _ right: Mapping) throws(TemplateError) -> Bool {
        guard left.entries.count == right.entries.count else { return false }
        for (hash, _, value) in left.pairs {
            guard let other = right[hash], try isEqual(value, other) else { return false }
        }
        return true
    }

    // MARK: order

    /// Whether `left` is below `right`; `isTurned` where the template wrote them the other way round.
    func precedes(
        _ left: Value, _ right: Value, _ name: String, isTurned: Bool = false
    ) throws(TemplateError) -> Bool {
        try spend()
        try enter()
        defer { depth -= 1 }
        switch (left, right) {
        case (.undefined(let first), .undefined(let second)): throw use(of: isTurned ? second : first)
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw use(of: undefined)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            if let (x, y) = try firstDifference(a.values, b.values) {
                return try isTurned ? precedes(x, y, name, isTurned: true) : precedes(x, y, name)
            }
            return a.values.count < b.values.count
        default: break
        }
        if let a = left.string, let b = right.string { return a.precedes(b) }
        if let a = left.index, let b = right.index { return a < b }
        if let order = Self.order(left, right) { return order < 0 }
        if Renderer.double(left) != nil, Renderer.double(right) != nil { return false }
        let (a, b) = isTurned ? (right, left) : (left, right)
        throw failure(
            .type, "'\(name)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
    }

    private func precedesOrEquals(
        _ left: Value, _ right: Value, _ name: String, isTurned: Bool = false
    ) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            if let (x, y) = try firstDifference(a.values, b.values) {
                return try precedesOrEquals(x, y, name, isTurned: isTurned)
            }
            return a.values.count <= b.values.count
        default: break
        }
        if try precedes(left, right, name, isTurned: isTurned) { return true }
        return try isEqual(left, right)
    }

    private func firstDifference(_ left: [Value], _ right: [Value]) throws(TemplateError) -> (Value, Value)? {
        for (a, b) in zip(left, right) where try !isEqual(a, b) { return (a, b) }
        return nil
    }

    /// Below, at or above zero where one of the numbers is a double; nil for what is no number or cannot be ordered.
    private static func order(_ left: Value, _ right: Value) -> Int? {
        guard let a = double(left), let b = double(right), !a.isNaN, !b.isNaN else { return nil }
        if a != b { return a < b ? -1 : 1 }
        // Rounding a whole number to a double may have made them equal.
        if let whole = left.index, let exact = Int(exactly: b) { return whole < exact ? -1 : whole > exact ? 1 : 0 }
        if let whole = right.index, let exact = Int(exactly: a) { return exact < whole ? -1 : exact > whole ? 1 : 0 }
        return 0
    }

    // MARK: membership

    func contains(_ container: Value, _ element: Value) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text), .markup(let text):
            guard let needle = element.string else {
                throw failure(.type, "'in <string>' requires string as left operand, not \(element.typeName)")
            }
            try spend(1 + text.bytes.count / 16)
            return text.contains(needle)
        case .mapping(let mapping): return mapping[try hash(of: element)] != nil
        case .view(let view) where view.part == .keys: return view.mapping[try hash(of: element)] != nil
        case .view(let view) where view.part == .items:
            guard case .tuple(let pair) = element, pair.values.count == 2 else { return false }
            guard let value = view.mapping[try hash(of: pair.values[0])] else { return false }
            return try isEqual(value, pair.values[1])
        case .range(let range):
            guard let number = element.index else {
                guard case .float(let double) = element, let whole = Int(exactly: double) else { return false }
                return Self.contains(range, whole)
            }
            return Self.contains(range, number)
        case .namespace, .none, .bool, .integer, .float, .macro, .function, .method, .joiner, .cycler:
            throw failure(.type, "argument of type '\(container.typeName)' is not iterable")
        default:
            let iterator = try iterate(container)
            while let next = try iterator.next() { if try isEqual(next, element) { return true } }
            return false
        }
    }

    private static func contains(_ range: Progression, _ number: Int) -> Bool {
        let (distance, isOver) = number.subtractingReportingOverflow(range.start)
        guard !isOver, distance % range.step == 0 else { return false }
        let index = distance / range.step
        return index >= 0 && index < range.count
    }

    /// What makes a value a key; lists and dictionaries cannot be one.
    func hash(of value: Value) throws(TemplateError) -> HashKey {
        try spend()
        switch value {
        case .undefined: return .undefined
        case .none: return .none
        case .bool(let truth): return .integer(truth ? 1 : 0)
        case .integer(let number): return .integer(number)
        case .float(let number): return Int(exactly: number).map { .integer($0) } ?? .float(number.bitPattern)
        case .text(let text), .markup(let text): return .text(text)
        case .tuple(let items):
            var parts: [HashKey] = []
            for item in items.values { parts.append(try hash(of: item)) }
            return .tuple(parts)
        case .list, .mapping, .view: throw failure(.type, "unhashable type: '\(value.typeName)'")
        case .namespace(let object): return .object(ObjectIdentifier(object))
        case .iterator(let object): return .object(ObjectIdentifier(object))
        case .loop(let object): return .object(ObjectIdentifier(object))
        case .macro(let object): return .object(ObjectIdentifier(object))
        case .joiner(let object): return .object(ObjectIdentifier(object))
        case .cycler(let object): return .object(ObjectIdentifier(object))
        case .function(let function): return .function(function.rawValue)
        case .range, .method: throw unsupported("a \(value.typeName) as a key")
        }
    }
}
