/// Decides which tokens a word becomes: byte-pair encoding over bytes or scalars, the earliest merge first, the leftmost of
/// equals.
struct BytePairModel: Sendable {
    /// What a word is made of before anything is merged.
    enum Alphabet: Sendable {
        /// The token of each single byte; -1 where the vocabulary has none and the byte is dropped, as in the `tokenizers`
        /// crate.
        case bytes([Int32])
        case scalars(ScalarAlphabet)
    }

    /// Every token by what it stands for: bytes, where the alphabet is one of bytes.
    let words: ByteTable
    let merges: MergeTable
    let alphabet: Alphabet
    /// Whether a word that is a token is that token, whatever the merges say.
    let ignoresMerges: Bool

    /// Words up to this many tokens are merged by scanning them, longer ones with a heap.
    private static let scannedCountMax = 48

    /// Memory that one call of `encode` after another uses again.
    struct Scratch {
        var tokens: [Int32] = []
        var merges: [MergeTable.Merge] = []
        var next: [Int32] = []
        var previous: [Int32] = []
        var heap = MinimumHeap()
    }

    /// Appends the tokens of one word, which is not split again.
    func encode(_ word: UnsafeBufferPointer<UInt8>, scratch: inout Scratch, into tokens: inout [Int32]) {
        if ignoresMerges, let token = words[word] {
            tokens.append(token)
            return
        }
        scratch.tokens.removeAll(keepingCapacity: true)
        switch alphabet {
        case .bytes(let byteTokens):
            for byte in word {
                let token = byteTokens[Int(byte)]
                if token >= 0 { scratch.tokens.append(token) }
            }
        case .scalars(let alphabet): encodeScalars(word, alphabet, &scratch, &tokens)
        }
        merge(&scratch, into: &tokens)
    }

    private func merge(_ scratch: inout Scratch, into tokens: inout [Int32]) {
        if scratch.tokens.count <= Self.scannedCountMax {
            scanMerges(&scratch)
        } else {
            heapMerges(&scratch)
        }
        tokens.append(contentsOf: scratch.tokens)
        scratch.tokens.removeAll(keepingCapacity: true)
    }

    /// A scalar without a token becomes its bytes' tokens where all are there, and else the unknown token.
    private func encodeScalars(
        _ word: UnsafeBufferPointer<UInt8>, _ alphabet: ScalarAlphabet, _ scratch: inout Scratch,
        _ tokens: inout [Int32]
    ) {
        let reader = ScalarReader(bytes: word)
        var place = 0
        // The scalar before, where it has a token.
        var last: UInt32?
        // An unknown token is set only where the next known one comes, behind the bytes between, as the crate does it.
        var isUnknownPending = false
        while place < word.count {
            let (scalar, end) = reader.scalar(at: place)
            let token = alphabet[scalar]
            if token >= 0 {
                if isUnknownPending {
                    scratch.tokens.append(alphabet.unknown)
                    isUnknownPending = false
                }
                if !scratch.tokens.isEmpty, alphabet.seams.isSeam(last, scalar) { merge(&scratch, into: &tokens) }
                scratch.tokens.append(token)
                last = scalar
            } else {
                last = nil
                if !alphabet.appendBytes(word[place..<end], to: &scratch.tokens), alphabet.unknown >= 0 {
                    if isUnknownPending, !alphabet.fusesUnknown { scratch.tokens.append(alphabet.unknown) }
                    isUnknownPending = true
                }
            }
            place = end
        }
        if isUnknownPending { scratch.tokens.append(alphabet.unknown) }
    }

    /// Quadratic, and quickest for words as they are.
    private func scanMerges(_ scratch: inout Scratch) {
        guard scratch.tokens.count > 1 else { return }
        scratch.merges.removeAll(keepingCapacity: true)
        for index in 1..<scratch.tokens.count {
            scratch.merges.append(merges.merge(scratch.tokens[index - 1], scratch.tokens[index]))
        }
        while true {
            var earliest = MergeTable.none
            var place = 0
            for (index, merge) in scratch.merges.enumerated() where merge < earliest {
                earliest = merge
                place = index
            }
            guard earliest != MergeTable.none else { return }
            scratch.tokens[place] = MergeTable.token(of: earliest)
            scratch.tokens.remove(at: place + 1)
            scratch.merges.remove(at: place)
            if place > 0 {
                scratch.merges[place - 1] = merges.merge(scratch.tokens[place - 1], scratch.tokens[place])
            }
            if place < scratch.merges.count {
                scratch.merges[place] = merges.merge(scratch.tokens[place], scratch.tokens[place + 1])
            }
        }
    }

    /// A word may be the whole prompt: n log n, whatever it holds.
    private func heapMerges(_ scratch: inout Scratch) {
        let count = scratch.tokens.count
        precondition(count < Int32.max, "a word of \(count) bytes is longer than any prompt may be")
        scratch.next = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        scratch.previous = (0..<count).map { Int32($0 - 1) }
        scratch.heap.removeAll()
        func push(_ left: Int, _ right: Int) {
            let merge = merges.merge(scratch.tokens[left], scratch.tokens[right])
            // The rank above the place: the earliest merge first, the leftmost of equals.
            if merge != MergeTable.none { scratch.heap.push(merge & ~0xFFFF_FFFF | UInt64(left)) }
        }
        for index in 1..<count { push(index - 1, index) }
        while let top = scratch.heap.pop() {
            let left = Int(top & 0xFFFF_FFFF)
            let right = Int(scratch.next[left])
            // A merged-away token is -1; an entry of another pair that stood here has another rank.
            guard scratch.tokens[left] >= 0, right >= 0 else { continue }
            let merge = merges.merge(scratch.tokens[left], scratch.tokens[right])
            guard merge != MergeTable.none, merge >> 32 == top >> 32 else { continue }
            scratch.tokens[left] = MergeTable.token(of: merge)
            scratch.tokens[right] = -1
            let after = scratch.next[right]
            scratch.next[left] = after
            if after >= 0 {
                scratch.previous[Int(after)] = Int32(left)
                push(left, Int(after))
            }
            let before = Int(scratch.previous[left])
            if before >= 0 { push(before, left) }
        }
        scratch.tokens.removeAll { $0 < 0 }
    }
}

/// A binary heap of numbers, the least on top.
struct MinimumHeap: Sendable {
    private var values: [UInt64] = []

    mutating func removeAll() { values.removeAll(keepingCapacity: true) }

    mutating func push(_ value: UInt64) {
        values.append(value)
        var index = values.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard values[parent] > value else { break }
            values[index] = values[parent]
            index = parent
        }
        values[index] = value
    }

    mutating func pop() -> UInt64? {
        guard let top = values.first, let last = values.popLast() else { return nil }
        guard !values.isEmpty else { return top }
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < values.count else { break }
            if child + 1 < values.count, values[child + 1] < values[child] { child += 1 }
            guard values[child] < last else { break }
            values[index] = values[child]
            index = child
        }
        values[index] = last
        return top
    }
}
