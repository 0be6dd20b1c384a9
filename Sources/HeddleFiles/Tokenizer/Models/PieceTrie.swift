/// Owns the pieces of a unigram vocabulary as a tree over their bytes, held in one table of edges.
struct PieceTrie: Sendable {
    /// Parent << 8 | byte of each edge, by open addressing; `.max` is free.
    private var keys: [UInt64]
    private var children: [Int32]
    private var edgeCount = 0
    /// By node, -1 where no piece ends.
    private var tokens: [Int32] = [-1]
    /// The children of the root.
    private var roots = [Int32](repeating: -1, count: 256)

    init(byteCount: Int) {
        var slotCount = 1024
        while slotCount < byteCount { slotCount *= 2 }
        keys = [UInt64](repeating: .max, count: slotCount)
        children = [Int32](repeating: -1, count: slotCount)
    }

    /// Adds a piece; of several with one text the last counts. The empty piece is none.
    mutating func insert(_ piece: [UInt8], _ token: Int32) {
        guard let first = piece.first else { return }
        if roots[Int(first)] < 0 { roots[Int(first)] = addNode() }
        var node = roots[Int(first)]
        for byte in piece.dropFirst() {
            let key = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
            let slot = slot(of: key)
            if keys[slot] == .max {
                keys[slot] = key
                children[slot] = addNode()
                edgeCount += 1
                node = children[slot]
                if edgeCount * 2 > keys.count { grow() }
            } else {
                node = children[slot]
            }
        }
        tokens[Int(node)] = token
    }

    /// Calls `body` with the token and the end of every piece that starts at `start`, the shortest first.
    @inline(__always)
    func forEachPiece(_ text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Int32, Int) -> Void) {
        var node = roots[Int(text[start])]
        var place = start + 1
        while node >= 0 {
            let token = tokens[Int(node)]
            if token >= 0 { body(token, place) }
            guard place < text.count else { return }
            let slot = slot(of: UInt64(UInt32(bitPattern: node)) << 8 | UInt64(text[place]))
            node = children[slot]
            place += 1
        }
    }

    private mutating func addNode() -> Int32 {
        tokens.append(-1)
        return Int32(tokens.count - 1)
    }

    /// The slot that holds the key, or the free one where it belongs.
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != key, keys[slot] != .max { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldKeys, oldChildren) = (keys, children)
        keys = [UInt64](repeating: .max, count: 2 * oldKeys.count)
        children = [Int32](repeating: -1, count: 2 * oldKeys.count)
        for (key, child) in zip(oldKeys, oldChildren) where key != .max {
            let slot = slot(of: key)
            keys[slot] = key
            children[slot] = child
        }
    }
}
