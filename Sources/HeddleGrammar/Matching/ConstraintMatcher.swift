import HeddleCore
import Synchronization

/// Decides which tokens may come next in answers that are under one constraint, for one vocabulary.
///
/// A mask is the union over all ways to read the answer so far, and for each the union of two parts: tokens that stay within the
/// innermost value or what they open in it, which depend on that value's frame alone and are found once, and tokens that go on
/// behind its end, of which only the rest is looked at for each stack. Strings, in which nearly every token may stand, therefore
/// cost the same wherever they stand. (The split is that of Y. Dong et al., "XGrammar", 2024.)
public final class ConstraintMatcher: Sendable {
    public let automaton: Automaton
    let vocabulary: TokenVocabulary
    private let memory: Mutex<Memory>
    /// Above so much headroom no token reaches the depth's limit.
    private let headroomMax: Int32

    /// The automaton is made for the vocabulary's `spelled` bytes.
    public init(_ automaton: Automaton, vocabulary: TokenVocabulary) {
        self.automaton = automaton
        self.vocabulary = vocabulary
        headroomMax = automaton.needMax + vocabulary.openingCountMax + 2
        memory = Mutex(Memory(automaton, vocabulary))
    }

    /// What is found out once; its bounds keep a worker's memory bounded however many schemas and answers there are.
    private struct Memory {
        /// Of masks of states, and again of their parts.
        static let maskByteCountMax = 6 << 20
        let maskCountMax: Int
        var simulation: Simulation
        var masks: [Int32: TokenMask] = [:]
        var parts: [PartKey: Part] = [:]
        var partByteCount = 0
        /// States along the path of a walk.
        var path: [Int32]

        init(_ automaton: Automaton, _ vocabulary: TokenVocabulary) {
            simulation = Simulation(automaton)
            path = [Int32](repeating: 0, count: vocabulary.tree.depthMax + 1)
            maskCountMax = max(64, Self.maskByteCountMax / (vocabulary.tokenCount / 8 + 64))
        }
    }

    private struct PartKey: Hashable {
        let node: Int32
        let counter: Int32
        let spaceCount: Int32
        let headroom: Int32
    }

    /// Tokens that stay, and the nodes of the tree behind which a token has left the frame.
    private struct Part {
        /// Nil where they are so few that a list is smaller.
        var mask: TokenMask?
        var tokens: [TokenID] = []
        var exits: [Int32] = []

        init(_ mask: TokenMask, exits: [Int32]) {
            self.exits = exits
            if mask.count * 4 >= mask.words.count {
                self.mask = mask
            } else {
                tokens = mask.tokens
            }
        }

        var byteCount: Int { 128 + (mask?.words.count ?? 0) * 8 + (tokens.count + exits.count) * 4 }
    }

    /// Before the first token.
    public var start: ConstraintState {
        memory.withLock { memory in
            forgetWhereMuch(&memory)
            let number = memory.simulation.start()
            return memory.simulation.value(number)
        }
    }

    /// Which tokens may follow. Never none but the end, and never nothing at all.
    public func mask(of state: ConstraintState) -> TokenMask {
        memory.withLock { memory in
            forgetWhereMuch(&memory)
            let number = memory.simulation.number(state)
            if let known = memory.masks[number] { return known }
            let mask = mask(number, &memory)
            if memory.masks.count >= memory.maskCountMax { memory.masks.removeAll() }
            memory.masks[number] = mask
            return mask
        }
    }

    /// The state behind a token; nil where the token may not follow.
    public func state(after token: TokenID, from state: ConstraintState) -> ConstraintState? {
        let bytes = vocabulary.bytes(of: token)
        guard !bytes.isEmpty else { return nil }
        return self.state(afterBytes: bytes, from: state)
    }

    /// The state behind bytes; nil where they may not follow.
    func state(afterBytes bytes: some Sequence<UInt8>, from state: ConstraintState) -> ConstraintState? {
        memory.withLock { memory in
            forgetWhereMuch(&memory)
            var number = memory.simulation.number(state)
            for byte in bytes {
                number = memory.simulation.step(number, byte)
                if number == Simulation.dead { return nil }
            }
            return memory.simulation.value(number)
        }
    }

    /// Finds out what every answer needs first, so that no step waits for it.
    public func prepare() {
        let start = start
        _ = mask(of: start)
        memory.withLock { memory in
            for node in automaton.contentNodes {
                let stack = memory.simulation.stack(node, headroom: headroomMax)
                _ = part(Simulation.Reading(stack: stack, spaceCount: 0), &memory)
            }
        }
    }

    private func forgetWhereMuch(_ memory: inout Memory) {
        if memory.simulation.forgetWhereMuch() { memory.masks.removeAll() }
    }

    private func mask(_ state: Int32, _ memory: inout Memory) -> TokenMask {
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        mask.allowsEnd = memory.simulation.isEnded[Int(state)]
        for reading in memory.simulation.states[Int(state)] where reading.stack >= 0 {
            let part = part(reading, &memory)
            if let words = part.mask?.words {
                for index in mask.words.indices { mask.words[index] |= words[index] }
            }
            for token in part.tokens { mask.insert(token) }
            guard !part.exits.isEmpty else { continue }
            let outside = memory.simulation.afterEnd(of: reading.stack)
            guard memory.simulation.isOpen[Int(outside)] else { continue }
            var exits: [Int32] = []
            for exit in part.exits { walk(below: exit, from: outside, &memory, into: &mask, exits: &exits) }
        }
        return mask
    }

    private func part(_ reading: Simulation.Reading, _ memory: inout Memory) -> Part {
        let (node, counter) = memory.simulation.top(reading.stack)
        let headroom = min(memory.simulation.headroom(reading.stack), headroomMax)
        let key = PartKey(node: node, counter: counter, spaceCount: reading.spaceCount, headroom: headroom)
        if let known = memory.parts[key] { return known }
        var mask = TokenMask(tokenCount: vocabulary.tokenCount)
        var exits: [Int32] = []
        let alone = memory.simulation.alone(reading, headroom: headroom)
        walk(below: 0, from: alone, &memory, into: &mask, exits: &exits)
        let part = Part(mask, exits: exits)
        memory.partByteCount += part.byteCount
        if memory.partByteCount > Memory.maskByteCountMax {
            memory.parts.removeAll()
            memory.partByteCount = part.byteCount
        }
        memory.parts[key] = part
        return part
    }

    /// Adds the tokens below a node of the tree that may follow a state, and the nodes with tokens below at which a frame that is
    /// of interest ends.
    private func walk(
        below top: Int32, from state: Int32, _ memory: inout Memory, into mask: inout TokenMask, exits: inout [Int32]
    ) {
        let tree = vocabulary.tree
        var node = Int(top) + 1
        let end = Int(tree.ends[Int(top)])
        memory.path[Int(tree.depths[Int(top)])] = state
        while node < end {
            let depth = Int(tree.depths[node])
            let next = memory.simulation.step(memory.path[depth - 1], tree.bytes[node])
            guard next != Simulation.dead else {
                node = Int(tree.ends[node])
                continue
            }
            for index in tree.firstTokens[node]..<tree.firstTokens[node + 1] { mask.insert(tree.tokens[Int(index)]) }
            if memory.simulation.isEnded[Int(next)], Int(tree.ends[node]) > node + 1 { exits.append(Int32(node)) }
            guard memory.simulation.isOpen[Int(next)] else {
                node = Int(tree.ends[node])
                continue
            }
            memory.path[depth] = next
            node += 1
        }
    }
}
