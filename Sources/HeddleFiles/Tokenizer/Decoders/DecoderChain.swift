/// Decides which text a row of tokens becomes: a chain of stages, each of which changes the row's texts. Behind Fuse and
/// ByteLevel the row is one text, which comes in chunks of whole characters.
struct DecoderChain: Sendable {
    enum Stage: Sendable {
        /// Characters of the byte alphabet are bytes, and all tokens one text.
        case byteLevel
        /// Tokens `<0x00>` to `<0xFF>` in a row are one text, or as many U+FFFD where that is no UTF-8.
        case byteFallback
        case fuse
        /// The sign is a space, or nothing in the first token.
        case metaspace(sign: [UInt8], dropsFirst: Bool)
        case replace(TextPattern, with: [UInt8])
        /// At most `countMax` of this character are taken away from the start of each text.
        case strip([UInt8], countMax: Int)
        /// A space between tokens, which is what the crate does where no decoder is named.
        case spaceBetween
    }

    let stages: [Stage]
    /// For each stage, whether one text comes to it in chunks.
    let comesInChunks: [Bool]

    init(_ stages: [Stage]) {
        self.stages = stages
        var isFused = false
        var comesInChunks: [Bool] = []
        for stage in stages {
            comesInChunks.append(isFused)
            switch stage {
            case .byteLevel, .fuse: isFused = true
            default: break
            }
        }
        self.comesInChunks = comesInChunks
    }

    private var startsWithBytes: Bool {
        if case .byteLevel = stages.first { true } else { false }
    }

    /// What is put into the chain for a token of this text: its bytes, where the chain would start with taking those.
    func prepared(_ text: [UInt8]) -> [UInt8] {
        startsWithBytes ? Self.bytesOfAlphabet(text) : text
    }

    fileprivate static func bytesOfAlphabet(_ text: [UInt8]) -> [UInt8] {
        ByteAlphabet.bytes(of: JSONString(text)) ?? text
    }

    /// The byte that a token's text stands for to ByteFallback. Rust reads two hexadecimal digits, or a sign and one.
    static func fallbackByte(_ text: [UInt8]) -> UInt8? {
        guard text.count == 6, text.starts(with: [0x3C, 0x30, 0x78]), text[5] == 0x3E else { return nil }
        var value: UInt8 = 0
        for (index, digit) in text[3..<5].enumerated() {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | (digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | (digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | (digit - UInt8(ascii: "A") + 10)
            case UInt8(ascii: "+") where index == 0: continue
            default: return nil
            }
        }
        return value
    }

    /// The bytes that a token adds behind another, which need not be whole characters.
    func bytesBehindAnother(_ prepared: [UInt8]) -> [UInt8] {
        for stage in stages {
            if case .byteFallback = stage, let byte = Self.fallbackByte(prepared) { return [byte] }
        }
        if startsWithBytes, stages.count == 1 { return prepared }
        var state = State(self)
        state.start()
        var bytes: [UInt8] = []
        state.push(prepared, through: self, into: &bytes)
        state.finish(through: self, into: &bytes)
        return bytes
    }

    /// What the stages remember of the tokens so far.
    struct State: Sendable {
        private struct Memory: Sendable {
            /// The start of a character, bytes in a row, or what may be the start of a match.
            var pending: [UInt8] = []
            var strippableCount = 0
        }

        private var memories: [Memory]
        /// Whether a token was there already.
        private var isStarted = false

        init(_ chain: DecoderChain) {
            memories = chain.stages.map { stage in
                if case .strip(_, let countMax) = stage { Memory(strippableCount: countMax) } else { Memory() }
            }
        }

        /// As if a token had been there, and nothing were left to strip from the start of the text.
        fileprivate mutating func start() {
            isStarted = true
            for index in memories.indices { memories[index].strippableCount = 0 }
        }

        /// Takes what is put into the chain for a token, and appends whole characters.
        mutating func push(_ prepared: [UInt8], through chain: DecoderChain, into text: inout [UInt8]) {
            run(0, chain, prepared, &text)
            isStarted = true
        }

        /// Ends the row. Only an empty state may be used again.
        mutating func finish(through chain: DecoderChain, into text: inout [UInt8]) {
            for (index, stage) in chain.stages.enumerated() {
                switch stage {
                case .byteLevel:
                    if !memories[index].pending.isEmpty { run(index + 1, chain, Self.replacement, &text) }
                case .byteFallback: endBytes(index, chain, &text)
                case .replace: run(index + 1, chain, memories[index].pending, &text)
                case .fuse, .metaspace, .strip, .spaceBetween: break
                }
            }
            self = State(chain)
        }

        private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

        private mutating func run(_ index: Int, _ chain: DecoderChain, _ bytes: [UInt8], _ text: inout [UInt8]) {
            guard index < chain.stages.count else {
                text += bytes
                return
            }
            let comesInChunks = chain.comesInChunks[index]
            switch chain.stages[index] {
            case .fuse: run(index + 1, chain, bytes, &text)
            case .byteLevel:
                let chunk = wholeCharacters(index, index == 0 ? bytes : DecoderChain.bytesOfAlphabet(bytes))
                run(index + 1, chain, chunk, &text)
            case .byteFallback:
                if let byte = DecoderChain.fallbackByte(bytes) {
                    memories[index].pending.append(byte)
                } else {
                    endBytes(index, chain, &text)
                    run(index + 1, chain, bytes, &text)
                }
            case .metaspace(let sign, let dropsFirst):
                let isFirst = comesInChunks || !isStarted
                let content: [UInt8] = isFirst && dropsFirst ? [] : [0x20]
                run(index + 1, chain, TextPattern.literal(sign).replacing(bytes, with: content)?.text ?? bytes, &text)
            case .replace(let pattern, let content):
                let chunk =
                    comesInChunks
                    ? replaced(index, bytes, pattern, content)
                    : pattern.replacing(bytes, with: content)?.text ?? bytes
                run(index + 1, chain, chunk, &text)
            case .strip(let character, let countMax):
                var count = comesInChunks ? memories[index].strippableCount : countMax
                var rest = bytes[...]
                while count > 0, rest.starts(with: character) {
                    rest.removeFirst(character.count)
                    count -= 1
                }
                // Anything else ends the start of the text.
                memories[index].strippableCount = rest.isEmpty ? count : 0
                run(index + 1, chain, Array(rest), &text)
            case .spaceBetween: run(index + 1, chain, isStarted ? [0x20] + bytes : bytes, &text)
            }
        }

        private mutating func endBytes(_ index: Int, _ chain: DecoderChain, _ text: inout [UInt8]) {
            let bytes = memories[index].pending
            guard !bytes.isEmpty else { return }
            memories[index].pending.removeAll()
            if UTF8Check.firstInvalid(bytes) == nil {
                run(index + 1, chain, bytes, &text)
            } else {
                for _ in bytes { run(index + 1, chain, Self.replacement, &text) }
            }
        }

        /// The characters that are complete with these bytes; what is no UTF-8 is U+FFFD.
        private mutating func wholeCharacters(_ index: Int, _ bytes: [UInt8]) -> [UInt8] {
            let pending = memories[index].pending + bytes
            var chunk: [UInt8] = []
            let rest = pending.withUnsafeBufferPointer { pending in
                var position = 0
                while position < pending.count {
                    switch UTF8Check.step(pending, at: position) {
                    case .complete(let count):
                        chunk += pending[position..<(position + count)]
                        position += count
                    case .broken(let count):
                        chunk += Self.replacement
                        position += count
                    case .truncated(let count): return count
                    }
                }
                return 0
            }
            memories[index].pending = Array(pending.suffix(rest))
            return chunk
        }

        /// Replaces in one text that comes in chunks: what may be the start of a match waits.
        private mutating func replaced(
            _ index: Int, _ bytes: [UInt8], _ pattern: TextPattern, _ content: [UInt8]
        ) -> [UInt8] {
            guard case .literal(let literal) = pattern else {
                preconditionFailure("the reader lets no pattern behind a stage that fuses")
            }
            let all = memories[index].pending + bytes
            var reached = 0
            var chunk: [UInt8] = []
            all.withUnsafeBufferPointer { all in
                pattern.forEachMatch(in: all) { match in
                    chunk += all[reached..<match.lowerBound]
                    chunk += content
                    reached = match.upperBound
                }
            }
            var waiting = min(literal.count - 1, all.count - reached)
            while waiting > 0, !literal.starts(with: all.suffix(waiting)) { waiting -= 1 }
            chunk += all[reached..<(all.count - waiting)]
            memories[index].pending = Array(all.suffix(waiting))
            return chunk
        }
    }
}
