import HeddleFiles

/// What the values of one rule may be: alternatives over the values of other rules.
struct RulePlan: Sendable {
    enum Alternative: Sendable {
        /// A text of a regular set.
        case machine(ByteMachine)
        /// A string of so many characters.
        case string(min: Int, max: Int?)
        case array(Array)
        case object(Object)
    }

    struct Array: Sendable {
        /// Rules of the first elements.
        var prefix: [Int]
        /// The rule of all others.
        var rest: Int
        var min: Int
        var max: Int?

        func rule(at index: Int) -> Int { index < prefix.count ? prefix[index] : rest }
    }

    struct Object: Sendable {
        struct Property: Sendable {
            /// Plainly written, without quotes.
            var key: [UInt8]
            var rule: Int
            var isRequired: Bool
        }

        var properties: [Property]
        /// The rule of members with other names; nil where there may be none.
        var additional: Int?
    }

    var alternatives: [Alternative] = []
    /// Frames that the shortest value needs below its own; nil where there is no value.
    var need: Int?
}

extension RulePlan.Alternative {
    /// What it needs, given what the rules need so far; nil where no value is known.
    func need(_ rules: [RulePlan]) -> Int? {
        switch self {
        case .machine(let machine): return machine.isNothing ? nil : 0
        case .string(let min, let max): return min <= max ?? .max ? 1 : nil
        case .array(let array):
            guard array.min <= array.max ?? .max else { return nil }
            var need = 0
            // All elements behind the prefix have one rule.
            for index in 0..<Swift.min(array.min, array.prefix.count + 1) {
                guard let inner = rules[array.rule(at: index)].need else { return nil }
                need = Swift.max(need, inner + 1)
            }
            return need
        case .object(let object):
            var need = 0
            for property in object.properties where property.isRequired {
                guard let inner = rules[property.rule].need else { return nil }
                need = Swift.max(need, inner + 1)
            }
            return need
        }
    }
}
