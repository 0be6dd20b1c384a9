/// Owns what is known about a text after long backtracking: which instruction failed where, and what each look ahead finds.
struct PatternMemory {
    /// For each look, at which places it finds something.
    let looks: [PlaceSet]
    /// A bit for every branching instruction at every place.
    private var visited: PlaceSet
    private let stride: Int
    private let branchCount: Int

    /// Places of a text.
    struct PlaceSet {
        private var words: [UInt64]

        init(count: Int) { words = [UInt64](repeating: 0, count: count / 64 + 1) }

        @inline(__always)
        func contains(_ place: Int) -> Bool { (words[place >> 6] >> UInt64(place & 63)) & 1 == 1 }

        @inline(__always)
        mutating func insert(_ place: Int) { words[place >> 6] |= 1 << UInt64(place & 63) }

        mutating func remove(_ place: Int) { words[place >> 6] &= ~(1 << UInt64(place & 63)) }
    }

    init(_ program: PatternProgram, _ matcher: PatternMatcher) {
        stride = matcher.count + 1
        branchCount = program.branchCount
        visited = PlaceSet(count: stride * max(branchCount, 1))
        var looks: [PlaceSet] = []
        for look in program.looks { looks.append(Self.places(of: look, program, matcher, looks)) }
        self.looks = looks
    }

    /// Whether the instruction was not yet tried here. One that was has failed: an attempt goes on from a place only where
    /// the ones before did not match.
    @inline(__always)
    mutating func visit(_ branch: Int32, _ place: Int) -> Bool {
        let bit = Int(branch) * stride + place
        if visited.contains(bit) { return false }
        visited.insert(bit)
        return true
    }

    /// Forgets the place where a match ended: some of what was tried there succeeded.
    mutating func forget(at place: Int) {
        for branch in 0..<branchCount { visited.remove(branch * stride + place) }
    }

    /// Goes through the text from its end and keeps, for each instruction of the look, whether a way from it matches.
    private static func places(
        of look: PatternProgram.Look, _ program: PatternProgram, _ matcher: PatternMatcher, _ inner: [PlaceSet]
    ) -> PlaceSet {
        var found = PlaceSet(count: matcher.count)
        let first = look.instructions.lowerBound
        var behind: UInt64 = 0
        var place = matcher.count
        var scalar: UInt32?
        while true {
            var here: UInt64 = 0
            // Ways without a scalar between form no circle, so that this ends after as many rounds as the longest has steps.
            while true {
                var now = here
                for index in look.instructions {
                    let instruction = program.instructions[index]
                    func succeeds(_ next: Int32, in states: UInt64) -> Bool {
                        let bit = Int(next) - first
                        return bit >= 0 && bit < 64 && (states >> UInt64(bit)) & 1 == 1
                    }
                    let accepts = scalar.map { matcher.accepts(instruction.set, $0) } ?? false
                    let matches: Bool
                    switch instruction.operation {
                    case .match: matches = true
                    case .set: matches = accepts && succeeds(instruction.next, in: behind)
                    case .split: matches = succeeds(instruction.next, in: now) || succeeds(instruction.other, in: now)
                    case .run, .lazyRun:
                        matches = succeeds(instruction.next, in: now) || (accepts && succeeds(Int32(index), in: behind))
                    case .possessiveRun:
                        matches = accepts ? succeeds(Int32(index), in: behind) : succeeds(instruction.next, in: now)
                    case .possessiveOption:
                        matches = succeeds(instruction.next, in: accepts ? behind : now)
                    case .peek: matches = accepts != instruction.isNegated && succeeds(instruction.next, in: now)
                    case .behind:
                        let isThere =
                            place > 0
                            && matcher.accepts(instruction.set, matcher.reader.scalar(before: place).value)
                        matches = isThere != instruction.isNegated && succeeds(instruction.next, in: now)
                    case .look:
                        matches =
                            inner[Int(instruction.other)].contains(place) != instruction.isNegated
                            && succeeds(instruction.next, in: now)
                    case .boundary:
                        matches =
                            matcher.isBoundary(instruction.other, at: place) && succeeds(instruction.next, in: now)
                    }
                    if matches { now |= 1 << UInt64(index - first) }
                }
                if now == here { break }
                here = now
            }
            if (here >> UInt64(look.entry - first)) & 1 == 1 { found.insert(place) }
            guard place > 0 else { return found }
            (scalar, place) = {
                let (value, start) = matcher.reader.scalar(before: place)
                return (value, start)
            }()
            behind = here
        }
    }
}
