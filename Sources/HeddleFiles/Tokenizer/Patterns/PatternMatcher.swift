/// Decides where a pattern matches in one text.
///
/// It backtracks, which is quick on texts as they are. Where that took more steps than a few for each byte, it starts to
/// remember which instruction failed where, for this text and all that follows in it: what an instruction does depends on
/// the place alone, so that nothing is tried twice, and the work is the text's length times the pattern's.
// Safety: the pointers belong to arrays that `forEachMatch` keeps alive; places come from `ScalarReader`, and instructions,
// sets and ranges from the program, which made them for each other.
struct PatternMatcher {
    let program: PatternProgram
    let instructions: UnsafePointer<PatternProgram.Instruction>
    let sets: UnsafePointer<ScalarSet>
    let kinds: ScalarKinds
    let reader: ScalarReader
    let count: Int
    private var frames: [Frame] = []
    fileprivate var stepCount = 0
    private let stepCountMax: Int
    private var memory: PatternMemory?

    /// What is tried next where the present way fails.
    private struct Frame {
        var instruction: Int32
        var kind: Kind
        /// Where to go on.
        var place: Int
        /// The earliest place, for `shorterRun`.
        var least: Int

        enum Kind: UInt8 {
            /// The instruction at `place`.
            case other
            /// The instruction one scalar before `place`.
            case shorterRun
            /// A lazy run takes one scalar more.
            case longerRun
        }
    }

    /// How a way ended, below any place in a text.
    private static let none = -1
    private static let exhausted = -2

    fileprivate init(
        _ program: PatternProgram, _ instructions: UnsafePointer<PatternProgram.Instruction>,
        _ sets: UnsafePointer<ScalarSet>, _ bytes: UnsafeBufferPointer<UInt8>, stepsPerByteMax: Int
    ) {
        self.program = program
        self.instructions = instructions
        self.sets = sets
        kinds = ScalarKinds.shared
        reader = ScalarReader(bytes: bytes)
        count = bytes.count
        stepCountMax = stepsPerByteMax * (bytes.count + 64)
    }

    /// Where the match that starts here ends; nil where none does.
    mutating func matchEnd(from start: Int) -> Int? {
        if start < count {
            let byte = reader.bytes[start]
            if byte < 0x80, !program.entryStarts.contains(byte) { return nil }
        }
        var end = run(program.entry, from: start)
        if end == Self.exhausted {
            frames.removeAll(keepingCapacity: true)
            memory = PatternMemory(program, self)
            end = run(program.entry, from: start)
        }
        guard end >= 0 else { return nil }
        memory?.forget(at: end)
        return end
    }

    @inline(__always)
    func accepts(_ set: Int32, _ scalar: UInt32) -> Bool {
        let set = sets[Int(set)]
        if scalar < 0x80 { return set.ascii.contains(UInt8(truncatingIfNeeded: scalar)) }
        return acceptsBeyondASCII(set, scalar)
    }

    private func acceptsBeyondASCII(_ set: ScalarSet, _ scalar: UInt32) -> Bool {
        if set.kinds.contains(kinds[scalar]) { return !set.isNegated }
        // The first run that ends at or behind the scalar.
        var low = set.rangeStart
        var high = low + set.rangeCount
        let end = high
        while low < high {
            let middle = (low + high) / 2
            if program.ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return (low < end && program.ranges[low].lowerBound <= scalar) != set.isNegated
    }

    func isBoundary(_ kind: Int32, at place: Int) -> Bool {
        switch PatternNode.Boundary(rawValue: kind) {
        case .textStart: return place == 0
        case .textEnd: return place == count
        case .lineStart: return place == 0 || (place < count && reader.bytes[place - 1] == 0x0A)
        case .lineEnd: return place == count || reader.bytes[place] == 0x0A
        case .word, .noWord:
            let before = place > 0 && kinds.isWord(reader.scalar(before: place).value)
            let behind = place < count && kinds.isWord(reader.scalar(at: place).value)
            return (before != behind) == (kind == PatternNode.Boundary.word.rawValue)
        case nil: return false
        }
    }

    /// Runs from one instruction to a match, and says where that is.
    private mutating func run(_ entry: Int, from start: Int) -> Int {
        let floor = frames.count
        var index = Int32(entry)
        var place = start
        while true {
            stepCount += 1
            if step(&index, &place) { continue }
            if index < 0 {
                frames.removeLast(frames.count - floor)
                return place
            }
            if memory == nil, stepCount > stepCountMax { return Self.exhausted }
            guard resume(&index, &place, above: floor) else { return Self.none }
        }
    }

    /// One instruction; false where it fails, or where it matches and `index` is below 0.
    @inline(__always)
    private mutating func step(_ index: inout Int32, _ place: inout Int) -> Bool {
        let instruction = instructions[Int(index)]
        if memory != nil, instruction.branch >= 0, memory?.visit(instruction.branch, place) == false { return false }
        switch instruction.operation {
        case .set:
            guard place < count else { return false }
            let (scalar, end) = reader.scalar(at: place)
            guard accepts(instruction.set, scalar) else { return false }
            place = end
        case .split:
            if place < count, reader.bytes[place] < 0x80 {
                let byte = reader.bytes[place]
                guard instruction.otherStarts.contains(byte) else { break }
                guard instruction.nextStarts.contains(byte) else {
                    index = instruction.other
                    return true
                }
            }
            frames.append(Frame(instruction: instruction.other, kind: .other, place: place, least: place))
        case .run:
            guard memory == nil else {
                if let end = end(instruction.set, place) {
                    frames.append(Frame(instruction: instruction.next, kind: .other, place: place, least: place))
                    place = end
                    return true
                }
                break
            }
            let start = place
            while let end = end(instruction.set, place) {
                place = end
                stepCount += 1
            }
            if place > start, instructions[Int(instruction.next)].operation != .match {
                frames.append(Frame(instruction: instruction.next, kind: .shorterRun, place: place, least: start))
            }
        case .lazyRun:
            frames.append(Frame(instruction: index, kind: .longerRun, place: place, least: place))
        case .possessiveRun:
            while let end = end(instruction.set, place) {
                place = end
                stepCount += 1
                if memory?.visit(instruction.branch, place) == false { return false }
            }
        case .possessiveOption:
            if let end = end(instruction.set, place) { place = end }
        case .peek:
            guard (end(instruction.set, place) != nil) != instruction.isNegated else { return false }
        case .behind:
            let isThere = place > 0 && accepts(instruction.set, reader.scalar(before: place).value)
            guard isThere != instruction.isNegated else { return false }
        case .look:
            let isThere: Bool
            if let memory {
                isThere = memory.looks[Int(instruction.other)].contains(place)
            } else {
                let end = run(program.looks[Int(instruction.other)].entry, from: place)
                // The steps are counted, and the caller sees that there were too many.
                isThere = end >= 0
                if end == Self.exhausted { return false }
            }
            guard isThere != instruction.isNegated else { return false }
        case .boundary:
            guard isBoundary(instruction.other, at: place) else { return false }
        case .match:
            index = -1
            return false
        }
        index = instruction.next
        return true
    }

    /// The end of the scalar here where it belongs to the set.
    @inline(__always)
    private func end(_ set: Int32, _ place: Int) -> Int? {
        guard place < count else { return nil }
        let (scalar, end) = reader.scalar(at: place)
        return accepts(set, scalar) ? end : nil
    }

    /// Takes up the latest way that is left; false where there is none.
    @inline(__always)
    private mutating func resume(_ index: inout Int32, _ place: inout Int, above floor: Int) -> Bool {
        while frames.count > floor {
            let frame = frames[frames.count - 1]
            index = frame.instruction
            switch frame.kind {
            case .other:
                frames.removeLast()
                place = frame.place
                return true
            case .shorterRun:
                place = reader.scalar(before: frame.place).start
                if place == frame.least { frames.removeLast() } else { frames[frames.count - 1].place = place }
                return true
            case .longerRun:
                frames.removeLast()
                guard let end = end(instructions[Int(index)].set, frame.place) else { continue }
                place = end
                return true
            }
        }
        return false
    }
}

extension PatternProgram {
    /// Steps for each byte before failures are remembered.
    package static let stepsPerByteMax = 32

    /// Calls `body` with every match in well-formed UTF-8, from left to right, and gives the number of steps that took.
    @discardableResult
    package func forEachMatch(
        in bytes: UnsafeBufferPointer<UInt8>, stepsPerByteMax: Int = Self.stepsPerByteMax, _ body: (Range<Int>) -> Void
    ) -> Int {
        instructions.withUnsafeBufferPointer { instructions in
            sets.withUnsafeBufferPointer { sets in
                // A program has a match at least, and a set: it never matches the empty text.
                guard let first = instructions.baseAddress, let firstSet = sets.baseAddress else { return 0 }
                var matcher = PatternMatcher(self, first, firstSet, bytes, stepsPerByteMax: stepsPerByteMax)
                var place = 0
                while place < bytes.count {
                    if let end = matcher.matchEnd(from: place), end > place {
                        body(place..<end)
                        place = end
                    } else {
                        place = matcher.reader.scalar(at: place).end
                    }
                }
                return matcher.stepCount
            }
        }
    }
}
