/// Owns a fixed map from byte strings to ids: open addressing over strings that lie one behind another.
struct ByteTable: Sendable {
    private var pool: [UInt8] = []
    private var entries: [(start: Int, count: Int, value: Int32)] = []
    private var slots: [Int32] = []

    init(capacity: Int) {
        var slotCount = 16
        while slotCount < capacity &* 2 { slotCount &*= 2 }
        slots = [Int32](repeating: -1, count: slotCount)
        entries.reserveCapacity(capacity)
    }

    /// Adds a key; false where it was there already, and nothing changes.
    mutating func insert(_ key: [UInt8], _ value: Int32) -> Bool {
        precondition(entries.count &* 2 < slots.count, "a byte table keeps half of its slots free")
        let slot = key.withUnsafeBufferPointer { self.slot(of: $0) }
        guard slots[slot] < 0 else { return false }
        slots[slot] = Int32(entries.count)
        entries.append((pool.count, key.count, value))
        pool += key
        return true
    }

    /// Adds a key, or changes its value.
    mutating func set(_ key: [UInt8], _ value: Int32) {
        guard !insert(key, value) else { return }
        let slot = key.withUnsafeBufferPointer { self.slot(of: $0) }
        entries[Int(slots[slot])].value = value
    }

    subscript(key: [UInt8]) -> Int32? { key.withUnsafeBufferPointer { self[$0] } }

    subscript(key: UnsafeBufferPointer<UInt8>) -> Int32? {
        let index = slots[slot(of: key)]
        return index < 0 ? nil : entries[Int(index)].value
    }

    /// The slot that holds the key, or the free one where it belongs.
    private func slot(of key: UnsafeBufferPointer<UInt8>) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: Self.hash(key) >> 20) & mask
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.count == key.count, pool[entry.start..<(entry.start + entry.count)].elementsEqual(key) {
                return slot
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Multiply and mix, eight bytes at a time. The table is filled once from a file, so a text that collides on purpose
    /// costs at most the longest cluster of that file.
    private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash = UInt64(key.count) &* 0x9E37_79B9_7F4A_7C15
        var word: UInt64 = 0
        var filled = 0
        for byte in key {
            word = word << 8 | UInt64(byte)
            filled += 1
            if filled == 8 {
                hash = mix(hash ^ word)
                word = 0
                filled = 0
            }
        }
        return mix(hash ^ word)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value &* 0xD6E8_FEB8_6659_FD93
        return (product ^ (product >> 32)) &* 0xD6E8_FEB8_6659_FD93
    }
}
