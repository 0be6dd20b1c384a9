/// Decides which token a single scalar is before anything is merged.
struct ScalarAlphabet: Sendable {
    /// By scalar, up to the last that has a token; -1 for none.
    private let tokens: [Int32]
    /// The tokens of single bytes; empty where the model has no byte fallback.
    private let byteTokens: [Int32]
    /// The unknown token; -1 where scalars without a token are left out.
    let unknown: Int32
    /// Whether unknown scalars in a row are one token.
    let fusesUnknown: Bool
    let seams: MergeSeams

    init(_ vocabulary: Vocabulary, byteTokens: [Int32], unknown: Int32, fusesUnknown: Bool, seams: MergeSeams) {
        var tokens: [Int32] = []
        for text in vocabulary.texts where !text.isEmpty {
            guard let id = vocabulary[text] else { continue }
            text.withUnsafeBufferPointer { text in
                let (scalar, end) = ScalarReader(bytes: text).scalar(at: 0)
                guard end == text.count else { return }
                while tokens.count <= Int(scalar) { tokens.append(-1) }
                tokens[Int(scalar)] = id
            }
        }
        self.tokens = tokens
        self.byteTokens = byteTokens
        self.unknown = unknown
        self.fusesUnknown = fusesUnknown
        self.seams = seams
    }

    @inline(__always)
    subscript(scalar: UInt32) -> Int32 { Int(scalar) < tokens.count ? tokens[Int(scalar)] : -1 }

    /// Appends the tokens of a scalar's bytes; false, and none, where one of them has no token.
    func appendBytes(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, to result: inout [Int32]) -> Bool {
        guard !byteTokens.isEmpty, bytes.allSatisfy({ byteTokens[Int($0)] >= 0 }) else { return false }
        for byte in bytes { result.append(byteTokens[Int(byte)]) }
        return true
    }
}

/// Decides between which scalars no merge can ever reach, so that a text is merged in pieces: a model that cuts no words
/// would otherwise sort all merges of a prompt in one heap. Where no token is made with these two scalars side by side,
/// what is left and right of them is merged as if the other were not there.
struct MergeSeams: Sendable {
    /// Pairs that stand side by side where two tokens merge, by hash: a pair that is taken for another is only kept together.
    private var joined: [UInt64]
    private let shift: UInt64
    /// Whether there are seams at all.
    private(set) var isEmpty = false

    init(capacity: Int) {
        var bitCount: UInt64 = 1 << 12
        var bits: UInt64 = 12
        while bitCount < 16 * UInt64(capacity) {
            bitCount *= 2
            bits += 1
        }
        joined = [UInt64](repeating: 0, count: Int(bitCount / 64))
        shift = 64 - bits
    }

    /// Takes note of a merge of tokens with these texts.
    mutating func join(_ left: [UInt8], _ right: [UInt8]) {
        guard !left.isEmpty, !right.isEmpty else { return }
        let last = left.withUnsafeBufferPointer { ScalarReader(bytes: $0).scalar(before: $0.count).value }
        let first = right.withUnsafeBufferPointer { ScalarReader(bytes: $0).scalar(at: 0).value }
        let bit = bit(last, first)
        joined[bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// Where a merge reaches tokens that do not stand for their text, nothing is known.
    mutating func removeAll() { isEmpty = true }

    /// Whether the text may be cut between two scalars; `left` is nil where that one has no token, and merges with nothing.
    @inline(__always)
    func isSeam(_ left: UInt32?, _ right: UInt32) -> Bool {
        if isEmpty { return false }
        guard let left else { return true }
        let bit = bit(left, right)
        return (joined[bit >> 6] >> UInt64(bit & 63)) & 1 == 0
    }

    @inline(__always)
    private func bit(_ left: UInt32, _ right: UInt32) -> Int {
        Int(truncatingIfNeeded: ((UInt64(left) << 32 | UInt64(right)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }
}
