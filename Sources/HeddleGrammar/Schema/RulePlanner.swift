import HeddleFiles

/// Makes the rules of a schema: one for each set of places that must hold together, the first of which allows any value.
struct RulePlanner {
    private(set) var rules: [RulePlan] = []
    private var reader: SchemaReader
    private var numberOfPlaces: [[String]: Int] = [:]
    private var places: [[String]] = []
    /// Rules that stand for one value, which are named by no place.
    private var exactValues: [Int: JSONValue] = [:]
    private let limits: GrammarLimits
    /// Bytes that the vocabulary has alone.
    private let bytes: ByteSet
    private var languageMachines: [SchemaShape.Language: ByteMachine] = [:]
    /// States of all machines so far: what compiling costs.
    private var stateCount = 0
    private let number: ByteMachine
    private let integer: ByteMachine

    /// - Parameter bytes: without which nothing is written; every rule can be finished with them.
    init(_ reader: SchemaReader, limits: GrammarLimits, bytes: ByteSet) throws(SchemaError) {
        self.reader = reader
        self.limits = limits
        self.bytes = bytes
        number = try Self.machine(NumberText.number, bytes, limits)
        integer = try Self.machine(NumberText.integer, bytes, limits)
    }

    /// Plans the values at `place` and all that they hold, and says which rule they are.
    mutating func plan(_ place: String) throws(SchemaError) -> Int {
        _ = try rule([])
        let start = try rule([place])
        while rules.count < places.count {
            var rule = RulePlan()
            if let value = exactValues[rules.count] {
                rule.alternatives = try literal(value)
            } else {
                let shapes = try reader.shapes(of: places[rules.count])
                for shape in shapes { rule.alternatives += try alternatives(of: shape) }
            }
            rules.append(rule)
        }
        findNeeds()
        guard rules[start].need != nil else { throw .unsatisfiable }
        leaveOutTheImpossible()
        return start
    }

    private mutating func rule(_ places: [String]) throws(SchemaError) -> Int {
        if let number = numberOfPlaces[places] { return number }
        guard self.places.count < limits.ruleCountMax else {
            throw .tooLarge(what: "subschemas", countMax: limits.ruleCountMax)
        }
        numberOfPlaces[places] = self.places.count
        self.places.append(places)
        return self.places.count - 1
    }

    private mutating func alternatives(of shape: SchemaShape) throws(SchemaError) -> [RulePlan.Alternative] {
        if let values = shape.values { return try literals(values, of: shape) }
        var alternatives: [RulePlan.Alternative] = []
        var words: [ByteExpression] = []
        if shape.types.contains(.null) { words.append(.literal("null")) }
        if shape.types.contains(.boolean) { words += [.literal("true"), .literal("false")] }
        if !words.isEmpty { alternatives.append(.machine(try machine(.any(words)))) }
        if let numbers = try numbers(of: shape) { alternatives.append(.machine(numbers)) }
        if shape.types.contains(.string) { alternatives.append(try string(of: shape)) }
        if shape.types.contains(.array) {
            alternatives.append(
                .array(
                    RulePlan.Array(
                        prefix: try (0..<shape.prefixCount).map { index throws(SchemaError) in
                            try rule(shape.places(ofElement: index))
                        }, rest: try rule(shape.places(ofElement: shape.prefixCount)), min: shape.itemsMin,
                        max: shape.itemsMax)))
        }
        if shape.types.contains(.object) { alternatives.append(.object(try object(of: shape))) }
        return alternatives
    }

    private mutating func numbers(of shape: SchemaShape) throws(SchemaError) -> ByteMachine? {
        guard shape.types.contains(.integer) else { return nil }
        let isInteger = !shape.types.contains(.real)
        guard shape.lower != nil || shape.upper != nil else { return isInteger ? integer : number }
        let lower = isInteger ? shape.lower?.whole(isLower: true) : shape.lower
        let upper = isInteger ? shape.upper?.whole(isLower: false) : shape.upper
        return try machine(NumberText.between(lower, upper, isInteger: isInteger))
    }

    private mutating func string(of shape: SchemaShape) throws(SchemaError) -> RulePlan.Alternative {
        guard let languages = try languages(of: shape) else {
            return .string(min: shape.lengthMin, max: shape.lengthMax)
        }
        guard shape.lengthMin > 0 || shape.lengthMax != nil else { return .machine(languages) }
        let length: ByteExpression =
            .literal("\"") + .repeated(ScalarText.plain, min: shape.lengthMin, max: shape.lengthMax) + .literal("\"")
        guard shape.lengthMin <= shape.lengthMax ?? .max else { return .machine(try machine(.any([]))) }
        return .machine(try intersection(languages, try machine(length)))
    }

    /// What patterns and formats leave of the plainly written strings, with their quotes.
    private mutating func languages(of shape: SchemaShape) throws(SchemaError) -> ByteMachine? {
        var result: ByteMachine?
        for language in shape.languages {
            if let known = languageMachines[language] {
                result = try result.map { (other) throws(SchemaError) in try intersection(other, known) } ?? known
                continue
            }
            let expression: ByteExpression
            switch language {
            case .format(let format): expression = format.expression
            case .pattern(let pattern, let path):
                do throws(SchemaPattern.Refusal) { expression = try SchemaPattern.expression(pattern) } catch {
                    throw .unsupportedKeyword(
                        path: path, keyword: "pattern", reason: "in “\(pattern)” \(error.reason)")
                }
            }
            let one = try machine(.literal("\"") + expression + .literal("\""))
            languageMachines[language] = one
            result = try result.map { (known) throws(SchemaError) in try intersection(known, one) } ?? one
        }
        return result
    }

    private mutating func object(of shape: SchemaShape) throws(SchemaError) -> RulePlan.Object {
        var properties: [RulePlan.Object.Property] = []
        for name in shape.propertyNames {
            properties.append(
                RulePlan.Object.Property(
                    key: ScalarText.plain(name.bytes), rule: try rule(shape.places(ofProperty: name)),
                    isRequired: shape.required.contains(name)))
        }
        return RulePlan.Object(properties: properties, additional: try rule(shape.additionalPlaces))
    }

    // MARK: Literals

    private mutating func literals(
        _ values: [JSONValue], of shape: SchemaShape
    ) throws(SchemaError) -> [RulePlan.Alternative] {
        var parts: [ByteExpression] = []
        var alternatives: [RulePlan.Alternative] = []
        let languages = try languages(of: shape)
        for value in values where shape.types.contains(value.schemaType) {
            switch value {
            case .string(let text):
                let spelled = [0x22] + ScalarText.plain(text.bytes) + [0x22]
                let count = text.description.unicodeScalars.count
                guard count >= shape.lengthMin, count <= shape.lengthMax ?? .max,
                    languages?.accepts(spelled) ?? true
                else { continue }
                parts.append(Self.literal(value))
            case .integer, .real:
                let number = value.number ?? 0
                if let lower = shape.lower, number < lower.value || (lower.isExclusive && number == lower.value) {
                    continue
                }
                if let upper = shape.upper, number > upper.value || (upper.isExclusive && number == upper.value) {
                    continue
                }
                parts.append(Self.literal(value))
            case .null, .bool: parts.append(Self.literal(value))
            case .array:
                guard shape.itemsMin == 0, shape.itemsMax == nil, shape.elements.isEmpty else {
                    throw unsupported(shape, "a list beside keywords about lists")
                }
                alternatives += try literal(value)
            case .object:
                guard shape.members.isEmpty, shape.required.isEmpty else {
                    throw unsupported(shape, "an object beside keywords about objects")
                }
                alternatives += try literal(value)
            }
        }
        if !parts.isEmpty { alternatives.append(.machine(try machine(.any(parts)))) }
        return alternatives
    }

    /// Exactly this value, whose parts are rules of their own.
    private mutating func literal(_ value: JSONValue) throws(SchemaError) -> [RulePlan.Alternative] {
        switch value {
        case .array(let elements):
            var rules: [Int] = []
            for element in elements { rules.append(try rule(exactly: element)) }
            return [.array(RulePlan.Array(prefix: rules, rest: 0, min: elements.count, max: elements.count))]
        case .object(let object):
            var properties: [RulePlan.Object.Property] = []
            for member in object.members {
                properties.append(
                    RulePlan.Object.Property(
                        key: ScalarText.plain(member.key.bytes), rule: try rule(exactly: member.value),
                        isRequired: true))
            }
            return [.object(RulePlan.Object(properties: properties, additional: nil))]
        default: return [.machine(try machine(Self.literal(value)))]
        }
    }

    private mutating func rule(exactly value: JSONValue) throws(SchemaError) -> Int {
        let number = try rule(["=\(places.count)"])
        exactValues[number] = value
        return number
    }

    private func unsupported(_ shape: SchemaShape, _ what: String) -> SchemaError {
        .unsupportedKeyword(path: shape.valuesPath, keyword: "enum", reason: "\(what) is not compared with them")
    }

    private static func literal(_ value: JSONValue) -> ByteExpression {
        switch value {
        case .null: return .literal("null")
        case .bool(let truth): return .literal(truth ? "true" : "false")
        case .integer(let number): return .literal(String(number))
        case .real(let number):
            guard let whole = Int64(exactly: number) else { return .literal(number.description) }
            return .any([.literal(String(whole)), .literal(number.description)])
        case .string(let text): return .literal([0x22] + ScalarText.plain(text.bytes) + [0x22])
        case .array, .object: preconditionFailure("lists and objects have rules for what they hold")
        }
    }

    // MARK: Machines

    private mutating func machine(_ expression: ByteExpression) throws(SchemaError) -> ByteMachine {
        try count(try Self.machine(expression, bytes, limits))
    }

    /// So many states in all bound what a schema may cost, also where they come to little in the end.
    private mutating func count(_ machine: ByteMachine) throws(SchemaError) -> ByteMachine {
        stateCount += machine.states.count
        guard stateCount <= limits.nodeCountMax else { throw .tooLarge(what: "states", countMax: limits.nodeCountMax) }
        return machine
    }

    static func machine(
        _ expression: ByteExpression, _ bytes: ByteSet, _ limits: GrammarLimits
    ) throws(SchemaError) -> ByteMachine {
        do {
            return try ByteMachine(expression, stateCountMax: limits.machineStateCountMax).trimmed(by: bytes)
        } catch { throw .tooLarge(what: "states for one string or number", countMax: error.stateCountMax) }
    }

    private mutating func intersection(_ one: ByteMachine, _ other: ByteMachine) throws(SchemaError) -> ByteMachine {
        let both: ByteMachine
        do throws(ByteMachine.TooLarge) {
            both = try one.intersection(other, stateCountMax: limits.machineStateCountMax).trimmed(by: bytes)
        } catch { throw .tooLarge(what: "states for one string", countMax: error.stateCountMax) }
        return try count(both)
    }

    // MARK: What can be satisfied

    /// The least that each rule needs, from what needs least upwards, until nothing changes.
    private mutating func findNeeds() {
        var changes = true
        while changes {
            changes = false
            for index in rules.indices {
                let need = rules[index].alternatives.compactMap { $0.need(rules) }.min()
                guard let need, need < rules[index].need ?? .max else { continue }
                rules[index].need = need
                changes = true
            }
        }
    }

    /// Takes away what no value can satisfy, so that everything that is begun can be finished.
    private mutating func leaveOutTheImpossible() {
        for index in rules.indices {
            let possible = rules[index].alternatives.filter { $0.need(rules) != nil }
            rules[index].alternatives = possible.map { alternative in
                switch alternative {
                case .array(var array):
                    let end = (0...array.prefix.count).first { rules[array.rule(at: $0)].need == nil }
                    if let end { array.max = min(array.max ?? .max, end) }
                    return .array(array)
                case .object(var object):
                    if let rule = object.additional, rules[rule].need == nil { object.additional = nil }
                    return .object(object)
                case .machine, .string: return alternative
                }
            }
        }
    }

}
