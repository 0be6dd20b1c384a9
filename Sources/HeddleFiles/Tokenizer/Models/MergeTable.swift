/// Owns the merges of a byte-pair model: what two neighbouring tokens become, and how early.
struct MergeTable: Sendable {
    /// A merge as one number: its rank in the upper half, the new token in the lower, so that the least is the earliest.
    typealias Merge = UInt64
    static let none = Merge.max

    private var keys: [UInt64]
    private var merges: [Merge]
    private(set) var count = 0

    init(capacity: Int) {
        var slotCount = 16
        while slotCount < capacity &* 2 { slotCount &*= 2 }
        keys = [UInt64](repeating: .max, count: slotCount)
        merges = [Merge](repeating: Self.none, count: slotCount)
    }

    /// Adds a pair; a pair that stands twice has its last rank, as in the `tokenizers` crate.
    mutating func insert(left: Int32, right: Int32, rank: UInt32, token: Int32) {
        precondition(count &* 2 < keys.count, "a merge table keeps half of its slots free")
        let key = Self.key(left, right)
        let slot = slot(of: key)
        if keys[slot] == .max { count += 1 }
        keys[slot] = key
        merges[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// What the pair becomes, or `none`.
    func merge(_ left: Int32, _ right: Int32) -> Merge { merges[slot(of: Self.key(left, right))] }

    static func token(of merge: Merge) -> Int32 { Int32(bitPattern: UInt32(truncatingIfNeeded: merge)) }

    /// Tokens are not negative, so that no key is `.max`.
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        let product = key &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: (product ^ (product >> 29)) >> 16) & mask
        while keys[slot] != key, keys[slot] != .max { slot = (slot + 1) & mask }
        return slot
    }
}
