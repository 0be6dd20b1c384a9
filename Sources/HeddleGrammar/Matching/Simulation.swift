/// Owns what has been found out about an automaton: its stacks and states numbered, and which state follows which on which byte.
///
/// All of it may be forgotten at any time; it only saves finding it out again. Numbers never leave it: what is kept of a sequence
/// is a `ConstraintState`.
struct Simulation {
    /// A stack number and the white space just before; a negative stack says that the frame at that height has ended.
    struct Reading: Hashable {
        var stack: Int32
        var spaceCount: Int32
    }

    private struct Stack: Hashable {
        var node: Int32
        var counter: Int32
        /// The stack below; -1 - h where h frames are below that are of no interest.
        var parent: Int32
    }

    let automaton: Automaton
    private let frameCountMax: Int32
    private var stacks: [Stack] = []
    private var heights: [Int32] = []
    private var stackNumbers: [Stack: Int32] = [:]
    private(set) var states: [[Reading]] = []
    private var stateNumbers: [[Reading]: Int32] = [:]
    /// By state: whether something may follow, and whether a frame that is of interest has ended.
    private(set) var isOpen: [Bool] = []
    private(set) var isEnded: [Bool] = []
    /// By state and class of bytes; -1 where it is not known.
    private var transitions: [Int32] = []
    /// Bytes that no edge tells apart.
    private let classes: [UInt8]
    private let classCount: Int

    /// The state from which nothing follows.
    static let dead: Int32 = 0
    private static let stateCountMax = 8192
    private static let stackCountMax = 64 << 10

    init(_ automaton: Automaton) {
        self.automaton = automaton
        frameCountMax = automaton.frameCountMax
        var isBoundary = [Bool](repeating: false, count: 257)
        for edge in automaton.edges {
            isBoundary[Int(edge.lower)] = true
            isBoundary[Int(edge.upper) + 1] = true
        }
        for byte in [0x09, 0x0A, 0x0D, 0x20] {
            isBoundary[byte] = true
            isBoundary[byte + 1] = true
        }
        var classes: [UInt8] = []
        for byte in 0..<256 {
            classes.append(byte == 0 ? 0 : isBoundary[byte] ? classes[byte - 1] + 1 : classes[byte - 1])
        }
        self.classes = classes
        classCount = Int(classes[255]) + 1
        forget()
    }

    /// Forgets everything where it has become much.
    mutating func forgetWhereMuch() -> Bool {
        guard states.count > Self.stateCountMax || stacks.count > Self.stackCountMax else { return false }
        forget()
        return true
    }

    private mutating func forget() {
        stacks.removeAll()
        heights.removeAll()
        stackNumbers.removeAll()
        states.removeAll()
        stateNumbers.removeAll()
        isOpen.removeAll()
        isEnded.removeAll()
        transitions.removeAll()
        _ = number([])
    }

    // MARK: Values and numbers

    mutating func number(_ state: ConstraintState) -> Int32 {
        number(
            state.readings.map { reading in
                var stack: Int32 = -1
                for frame in reading.frames { stack = push(frame.node, frame.counter, on: stack) }
                return Reading(stack: stack, spaceCount: reading.spaceCount)
            })
    }

    func value(_ state: Int32) -> ConstraintState {
        ConstraintState(
            readings: states[Int(state)].map { reading in
                var frames: [ConstraintState.Frame] = []
                var stack = reading.stack
                while stack >= 0 {
                    let top = stacks[Int(stack)]
                    frames.append(ConstraintState.Frame(node: top.node, counter: top.counter))
                    stack = top.parent
                }
                return ConstraintState.Reading(frames: frames.reversed(), spaceCount: reading.spaceCount)
            })
    }

    mutating func start() -> Int32 {
        var readings: [Reading] = []
        enter(automaton.start, 0, on: -1, spaceCount: 0, &readings)
        return number(readings)
    }

    mutating func number(_ readings: [Reading]) -> Int32 {
        if let known = stateNumbers[readings] { return known }
        let number = Int32(states.count)
        states.append(readings)
        stateNumbers[readings] = number
        isOpen.append(readings.contains { $0.stack >= 0 })
        isEnded.append(readings.contains { $0.stack < 0 })
        transitions.append(contentsOf: repeatElement(-1, count: classCount))
        return number
    }

    /// The top frame of a stack, alone on as many frames of no interest as leave it `headroom` above.
    mutating func alone(_ reading: Reading, headroom: Int32) -> Int32 {
        let top = stacks[Int(reading.stack)]
        let stack = push(top.node, top.counter, on: min(-1, headroom - frameCountMax))
        return number([Reading(stack: stack, spaceCount: reading.spaceCount)])
    }

    /// A frame alone on as many frames of no interest as leave it `headroom` above.
    mutating func stack(_ node: Int32, headroom: Int32) -> Int32 {
        push(node, 0, on: min(-1, headroom - frameCountMax))
    }

    /// Frames that there may be above a stack.
    func headroom(_ stack: Int32) -> Int32 { frameCountMax - heights[Int(stack)] }

    func top(_ stack: Int32) -> (node: Int32, counter: Int32) {
        (stacks[Int(stack)].node, stacks[Int(stack)].counter)
    }

    /// The state behind the end of a stack's top frame.
    mutating func afterEnd(of stack: Int32) -> Int32 {
        var readings: [Reading] = []
        leave(to: stacks[Int(stack)].parent, &readings)
        return number(readings)
    }

    // MARK: Steps

    @inline(__always)
    mutating func step(_ state: Int32, _ byte: UInt8) -> Int32 {
        let slot = Int(state) * classCount + Int(classes[Int(byte)])
        let known = transitions[slot]
        return known >= 0 ? known : find(state, byte, slot)
    }

    private mutating func find(_ state: Int32, _ byte: UInt8, _ slot: Int) -> Int32 {
        var readings: [Reading] = []
        let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
        for reading in states[Int(state)] where reading.stack >= 0 {
            let top = stacks[Int(reading.stack)]
            let node = automaton.nodes[Int(top.node)]
            if isSpace, node.allowsSpace, Int(reading.spaceCount) < automaton.limits.spaceByteCountMax {
                enter(top.node, top.counter, on: top.parent, spaceCount: reading.spaceCount + 1, &readings)
            }
            for index in node.edges {
                let edge = automaton.edges[Int(index)]
                if edge.lower > byte { break }
                guard byte <= edge.upper, isPassable(edge.guardIndex, top.counter, heights[Int(reading.stack)]) else {
                    continue
                }
                let counter =
                    switch edge.counting {
                    case .keep: top.counter
                    case .set(let value): value
                    case .count(let most): min(top.counter + 1, most)
                    }
                enter(edge.target, counter, on: top.parent, spaceCount: 0, &readings)
            }
        }
        let next = number(readings)
        transitions[slot] = next
        return next
    }

    private func isPassable(_ index: Int32, _ counter: Int32, _ height: Int32) -> Bool {
        guard index >= 0 else { return true }
        return automaton.guards[Int(index)].contains {
            $0.lower <= counter && counter <= $0.upper && height + $0.need <= frameCountMax
        }
    }

    private mutating func push(_ node: Int32, _ counter: Int32, on parent: Int32) -> Int32 {
        let stack = Stack(node: node, counter: counter, parent: parent)
        if let known = stackNumbers[stack] { return known }
        let number = Int32(stacks.count)
        stacks.append(stack)
        heights.append(height(on: parent))
        stackNumbers[stack] = number
        return number
    }

    private func height(on parent: Int32) -> Int32 { parent < 0 ? -parent : heights[Int(parent)] + 1 }

    /// Adds what a frame at a node can read next, in the order of the automaton: where there are too many ways to read on, which
    /// are left out is the same wherever the answer runs.
    private mutating func enter(
        _ node: Int32, _ counter: Int32, on parent: Int32, spaceCount: Int32, _ readings: inout [Reading]
    ) {
        let content = automaton.nodes[Int(node)]
        guard height(on: parent) + content.need <= frameCountMax else { return }
        if !content.edges.isEmpty || content.allowsSpace {
            add(Reading(stack: push(node, counter, on: parent), spaceCount: spaceCount), to: &readings)
        }
        for next in content.steps { enter(next, counter, on: parent, spaceCount: 0, &readings) }
        if content.call >= 0 {
            enter(content.call, 0, on: push(content.next, counter, on: parent), spaceCount: 0, &readings)
        }
        if content.isEnd { leave(to: parent, &readings) }
    }

    private mutating func leave(to parent: Int32, _ readings: inout [Reading]) {
        guard parent >= 0 else { return add(Reading(stack: parent, spaceCount: 0), to: &readings) }
        let below = stacks[Int(parent)]
        enter(below.node, below.counter, on: below.parent, spaceCount: 0, &readings)
    }

    private func add(_ reading: Reading, to readings: inout [Reading]) {
        guard readings.count < automaton.limits.readingCountMax, !readings.contains(reading) else { return }
        readings.append(reading)
    }
}
