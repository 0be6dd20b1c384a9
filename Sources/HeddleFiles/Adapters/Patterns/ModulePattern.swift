/// Decides which names of modules a regular expression of an adapter_config.json means, as Python's `re` does.
///
/// A part of Python's language is read, in which nothing depends on the order of tries: literals, classes, groups,
/// alternatives, repeats (a lazy one matches the same names), anchors, word boundaries and lookahead. Everything else is
/// refused by name: see `ModulePatternParser`. Instead of backtracking, a match moves the set of all positions that may have
/// been reached, so that no pattern takes exponential time, and its steps are counted against a budget.
package struct ModulePattern: Sendable {
    /// One construct.
    indirect enum Node: Sendable {
        case literal(UInt8)
        /// Bit c says whether the ASCII character c is one of them.
        case characters(UInt128)
        case sequence([Node])
        case anyOf([Node])
        case repeated(Node, countMin: Int, countMax: Int?)
        case start
        case end
        case boundary(isWanted: Bool)
        case ahead(Node, isWanted: Bool)
    }

    /// As it stands in the file.
    let text: String
    private let root: Node

    package init(_ text: String, limits: ModulePatternLimits = ModulePatternLimits()) throws(ModulePatternError) {
        self.text = text
        var parser = ModulePatternParser(text, limits: limits)
        root = try parser.parse()
    }

    /// Whether it matches the whole name, as `re.fullmatch` does.
    package func matchesWhole(_ name: ModuleName, _ budget: inout ModulePatternBudget) throws(ModulePatternError)
        -> Bool
    {
        try ends(root, from: 1, name, &budget) & name.endBit != 0
    }

    /// Whether it matches the name from its begin or from behind any of its dots to its end: what PEFT asks of the keys of
    /// rank_pattern and alpha_pattern by `(.*\.)?(key)$`.
    package func matchesTail(_ name: ModuleName, _ budget: inout ModulePatternBudget) throws(ModulePatternError) -> Bool
    {
        try ends(root, from: 1 | (name.positions(of: UInt8(ascii: ".")) << 1), name, &budget) & name.endBit != 0
    }

    /// All positions that a node reaches from any of some positions.
    private func ends(
        _ node: Node, from set: UInt128, _ name: ModuleName, _ budget: inout ModulePatternBudget
    ) throws(ModulePatternError) -> UInt128 {
        if set == 0 { return 0 }
        try budget.spend()
        switch node {
        case .literal(let character): return (set & name.positions(of: character)) << 1
        case .characters(let wanted): return (set & name.positions(ofAny: wanted)) << 1
        case .sequence(let parts):
            var reached = set
            for part in parts where reached != 0 { reached = try ends(part, from: reached, name, &budget) }
            return reached
        case .anyOf(let choices):
            var reached: UInt128 = 0
            for choice in choices { reached |= try ends(choice, from: set, name, &budget) }
            return reached
        case .repeated(let body, let countMin, let countMax):
            return try repeated(body, countMin, countMax, from: set, name, &budget)
        case .start: return set & 1
        case .end: return set & name.endBit
        case .boundary(let isWanted): return set & (isWanted ? name.boundaries : ~name.boundaries)
        case .ahead(let body, let isWanted):
            var kept: UInt128 = 0
            for position in 0...name.count {
                let bit = UInt128(1) << UInt128(position)
                if set & bit == 0 { continue }
                if try ends(body, from: bit, name, &budget) != 0 { kept |= bit }
            }
            return isWanted ? kept : set & ~kept
        }
    }

    private func repeated(
        _ body: Node, _ countMin: Int, _ countMax: Int?, from set: UInt128, _ name: ModuleName,
        _ budget: inout ModulePatternBudget
    ) throws(ModulePatternError) -> UInt128 {
        // A body that moves on is at the name's end after as many repeats as the name has characters; one that may match
        // nothing has by then reached all that it ever will.
        let countSettled = name.count + 1
        var reached = set
        for _ in 0..<min(countMin, countSettled) {
            reached = try ends(body, from: reached, name, &budget)
            if reached == 0 { return 0 }
        }
        var fresh = reached
        for _ in 0..<min((countMax ?? .max) - countMin, countSettled) {
            fresh = try ends(body, from: fresh, name, &budget) & ~reached
            if fresh == 0 { break }
            reached |= fresh
        }
        return reached
    }
}

/// What patterns may have at most.
package struct ModulePatternLimits: Hashable, Sendable {
    /// Characters of one pattern.
    package var characterCountMax = 1 << 16
    /// Groups within groups.
    package var depthMax = 64
    /// Steps of all matches of one adapter, a few nanoseconds each.
    package var stepCountMax = 200_000_000

    package init() {}
}

/// The steps that matches of one adapter have left.
package struct ModulePatternBudget {
    private let stepCountMax: Int
    private var stepCount = 0

    package init(limits: ModulePatternLimits = ModulePatternLimits()) { stepCountMax = limits.stepCountMax }

    mutating func spend() throws(ModulePatternError) {
        stepCount += 1
        if stepCount > stepCountMax { throw .tooManySteps(countMax: stepCountMax) }
    }
}

/// Why a pattern is not read, or not matched.
package enum ModulePatternError: Error, Hashable, Sendable {
    case tooLong(count: Int, countMax: Int)
    case tooDeep(position: Int, depthMax: Int)
    /// Python reads it too, but Heddle does not.
    case notRead(position: Int, what: String)
    /// Python refuses it too.
    case malformed(position: Int, reason: String)
    case tooManySteps(countMax: Int)
}

extension ModulePatternError: CustomStringConvertible {
    /// A clause that names what is wrong; positions count characters from 0.
    package var description: String {
        switch self {
        case .tooLong(let count, let max): "it has \(count) characters; at most \(max) are read"
        case .tooDeep(let position, let max): "its groups are nested deeper than \(max) at character \(position)"
        case .notRead(let position, let what):
            "at character \(position) stands \(what); literals, classes, groups, alternatives, repeats, anchors, word"
                + " boundaries and lookahead are read"
        case .malformed(let position, let reason): "it is no pattern: \(reason) at character \(position)"
        case .tooManySteps(let max): "it takes more than \(max) steps to compare it with the base model's modules"
        }
    }
}
