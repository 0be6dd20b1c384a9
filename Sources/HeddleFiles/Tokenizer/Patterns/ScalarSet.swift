/// Decides which scalars one place of a pattern accepts. It is of fixed size, so that matching reads no other memory but
/// the table of kinds.
struct ScalarSet: Hashable, Sendable {
    /// The answer for each ASCII scalar.
    var ascii = ASCIIMask()
    /// Kinds whose scalars belong to it, from U+0080 on.
    var kinds = ScalarKinds.Mask()
    /// Where in the program's list the single runs of scalars from U+0080 on lie.
    var rangeStart = 0
    var rangeCount = 0
    /// Whether from U+0080 on the other scalars are meant.
    var isNegated = false

    /// 128 truth values.
    struct ASCIIMask: Hashable, Sendable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        static let all = ASCIIMask(low: .max, high: .max)

        @inline(__always)
        func contains(_ byte: UInt8) -> Bool { ((byte < 64 ? low : high) >> UInt64(byte & 63)) & 1 == 1 }

        mutating func insert(_ byte: UInt8) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }

        mutating func formUnion(_ other: ASCIIMask) {
            low |= other.low
            high |= other.high
        }

        var complement: ASCIIMask { ASCIIMask(low: ~low, high: ~high) }
    }
}

/// Collects what a class of a pattern lists.
struct ScalarSetBuilder {
    private(set) var ascii = ScalarSet.ASCIIMask()
    private(set) var kinds = ScalarKinds.Mask()
    /// Single runs from U+0080 on.
    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var isNegated = false

    mutating func insert(_ range: ClosedRange<UInt32>) {
        for scalar in range.lowerBound...max(range.lowerBound, min(range.upperBound, 0x7F)) where scalar < 0x80 {
            ascii.insert(UInt8(scalar))
        }
        if range.upperBound >= 0x80 { ranges.append(max(range.lowerBound, 0x80)...range.upperBound) }
    }

    mutating func insert(_ scalar: UInt32) { insert(scalar...scalar) }

    /// Adds both cases of an ASCII letter, and what folds to it from elsewhere: the long s and the Kelvin sign.
    mutating func insertFolded(_ byte: UInt8) {
        insert(UInt32(byte))
        let letter = byte | 0x20
        guard letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "z") else { return }
        insert(UInt32(letter))
        insert(UInt32(letter & ~0x20))
        if letter == UInt8(ascii: "s") { insert(0x17F) }
        if letter == UInt8(ascii: "k") { insert(0x212A) }
    }

    mutating func insert(kinds other: ScalarKinds.Mask) {
        let all = ScalarKinds.shared
        kinds.formUnion(other)
        for byte in UInt8.min..<0x80 where other.contains(all[UInt32(byte)]) { ascii.insert(byte) }
    }

    /// Adds another class; false where this cannot be written as one set.
    mutating func insert(_ other: ScalarSetBuilder) -> Bool {
        guard !other.isNegated else {
            guard other.ranges.isEmpty else { return false }
            ascii.formUnion(other.ascii)
            kinds.formUnion(other.kinds.complement)
            return true
        }
        ascii.formUnion(other.ascii)
        kinds.formUnion(other.kinds)
        ranges += other.ranges
        return true
    }

    /// Makes it the class of all other scalars.
    mutating func negate() {
        ascii = ascii.complement
        isNegated.toggle()
    }

    /// The set, whose runs are appended to `list` in rising order.
    func set(appendingTo list: inout [ClosedRange<UInt32>]) -> ScalarSet {
        let start = list.count
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if list.count > start, let last = list.last, last.upperBound >= range.lowerBound {
                list[list.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                list.append(range)
            }
        }
        return ScalarSet(
            ascii: ascii, kinds: kinds, rangeStart: start, rangeCount: list.count - start, isNegated: isNegated)
    }
}
