/// Owns a pattern in the form that is matched: instructions over sets, the first way that matches preferred, as in every
/// backtracking engine.
package struct PatternProgram: Sendable {
    struct Instruction: Sendable {
        enum Operation: UInt8, Sendable {
            /// One scalar of `set`, then `next`.
            case set
            /// `next`, and where that fails `other`.
            case split
            /// As many scalars of `set` as there are, or fewer, then `next`.
            case run
            /// As few scalars of `set` as will do, then `next`.
            case lazyRun
            /// As many scalars of `set` as there are, then `next`.
            case possessiveRun
            /// One scalar of `set` where there is one, then `next`.
            case possessiveOption
            /// `next`, where the scalar here belongs to `set` (or not).
            case peek
            /// `next`, where the scalar before belongs to `set` (or not).
            case behind
            /// `next`, where the look `other` finds something (or not).
            case look
            /// `next`, where the boundary `other` is.
            case boundary
            case match
        }

        var operation: Operation
        var isNegated = false
        var set: Int32 = 0
        var next: Int32 = 0
        var other: Int32 = 0
        /// Among the instructions that may be reached several times at one place.
        var branch: Int32 = -1
        /// ASCII scalars without which `next` and `other` fail.
        var nextStarts = ScalarSet.ASCIIMask.all
        var otherStarts = ScalarSet.ASCIIMask.all
    }

    /// A part of the program that is run on its own; its instructions lie together.
    struct Look: Sendable {
        var entry: Int
        var instructions: Range<Int>
    }

    private(set) var instructions: [Instruction] = [Instruction(operation: .match)]
    private(set) var sets: [ScalarSet]
    private(set) var ranges: [ClosedRange<UInt32>]
    /// Inner ones before those that hold them.
    private(set) var looks: [Look] = []
    private(set) var entry = 0
    private(set) var entryStarts = ScalarSet.ASCIIMask.all
    private(set) var branchCount = 0

    private static let instructionCountMax = 2048

    /// Reads a pattern.
    package init(_ pattern: String) throws(PatternError) {
        var parser = try PatternParser(pattern)
        let node = try parser.parse()
        sets = parser.sets
        ranges = parser.ranges
        entry = try compile(node, next: 0)
        for index in instructions.indices { finish(index) }
        entryStarts = starts(of: entry)
    }

    private mutating func append(_ instruction: Instruction) throws(PatternError) -> Int {
        guard instructions.count < Self.instructionCountMax else {
            throw PatternError(reason: "a pattern of at most \(Self.instructionCountMax) instructions is")
        }
        instructions.append(instruction)
        return instructions.count - 1
    }

    /// Appends a node that goes on at `next`, and says where it starts.
    private mutating func compile(_ node: PatternNode, next: Int) throws(PatternError) -> Int {
        switch node {
        case .set(let set):
            return try append(Instruction(operation: .set, set: Int32(set), next: Int32(next)))
        case .sequence(let nodes):
            var entry = next
            for node in nodes.reversed() { entry = try compile(node, next: entry) }
            return entry
        case .alternatives(let nodes):
            var entry: Int?
            for node in nodes.reversed() {
                let this = try compile(node, next: next)
                entry = try entry.map { (rest) throws(PatternError) in try split(this, rest) } ?? this
            }
            return entry ?? next
        case .repeated(let node, let min, let max, let preference):
            return try compile(node, min: min, max: max, preference, next: next)
        case .look(let node, let isNegated):
            if case .set(let set) = node {
                return try append(
                    Instruction(operation: .peek, isNegated: isNegated, set: Int32(set), next: Int32(next)))
            }
            let first = instructions.count
            let match = try append(Instruction(operation: .match))
            let entry = try compile(node, next: match)
            guard instructions.count - first <= 64 else { throw PatternError(reason: "a shorter look ahead is") }
            looks.append(Look(entry: entry, instructions: first..<instructions.count))
            return try append(
                Instruction(
                    operation: .look, isNegated: isNegated, next: Int32(next), other: Int32(looks.count - 1)))
        case .behind(let set, let isNegated):
            return try append(
                Instruction(operation: .behind, isNegated: isNegated, set: Int32(set), next: Int32(next)))
        case .boundary(let boundary):
            return try append(Instruction(operation: .boundary, next: Int32(next), other: boundary.rawValue))
        }
    }

    private mutating func split(_ first: Int, _ second: Int) throws(PatternError) -> Int {
        try append(Instruction(operation: .split, next: Int32(first), other: Int32(second)))
    }

    private mutating func compile(
        _ node: PatternNode, min: Int, max: Int?, _ preference: PatternNode.Preference, next: Int
    ) throws(PatternError) -> Int {
        var entry = next
        if let max {
            for _ in min..<max {
                if preference == .possessive, case .set(let set) = node {
                    entry = try append(
                        Instruction(operation: .possessiveOption, set: Int32(set), next: Int32(entry)))
                    continue
                }
                let inner = try compile(node, next: entry)
                entry = try preference == .lazy ? split(next, inner) : split(inner, next)
            }
        } else if case .set(let set) = node {
            let operation: Instruction.Operation =
                switch preference {
                case .greedy: .run
                case .lazy: .lazyRun
                case .possessive: .possessiveRun
                }
            entry = try append(Instruction(operation: operation, set: Int32(set), next: Int32(next)))
        } else {
            let loop = try split(next, next)
            let inner = try compile(node, next: loop)
            if preference == .lazy {
                instructions[loop].other = Int32(inner)
            } else {
                instructions[loop].next = Int32(inner)
            }
            entry = loop
        }
        for _ in 0..<min { entry = try compile(node, next: entry) }
        return entry
    }

    private mutating func finish(_ index: Int) {
        switch instructions[index].operation {
        case .split:
            instructions[index].nextStarts = starts(of: Int(instructions[index].next))
            instructions[index].otherStarts = starts(of: Int(instructions[index].other))
            fallthrough
        case .run, .lazyRun, .possessiveRun:
            instructions[index].branch = Int32(branchCount)
            branchCount += 1
        default: break
        }
    }

    /// ASCII scalars that a way from here on may start with. Loops pass a set, and end there.
    private func starts(of index: Int) -> ScalarSet.ASCIIMask {
        let instruction = instructions[index]
        switch instruction.operation {
        case .match: return .all
        case .set: return sets[Int(instruction.set)].ascii
        case .split:
            var mask = starts(of: Int(instruction.next))
            mask.formUnion(starts(of: Int(instruction.other)))
            return mask
        case .run, .lazyRun, .possessiveRun, .possessiveOption:
            var mask = starts(of: Int(instruction.next))
            mask.formUnion(sets[Int(instruction.set)].ascii)
            return mask
        case .peek, .behind, .look, .boundary: return starts(of: Int(instruction.next))
        }
    }
}
