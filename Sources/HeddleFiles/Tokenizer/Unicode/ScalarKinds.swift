/// Decides what a scalar is to Oniguruma, whose properties split patterns name: every scalar is of one of a few kinds, and
/// a set of scalars is a set of kinds.
struct ScalarKinds: Sendable {
    /// Kinds as bits; there are never more than 128.
    struct Mask: Hashable, Sendable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        @inline(__always)
        func contains(_ kind: UInt8) -> Bool {
            ((kind < 64 ? low : high) >> UInt64(kind & 63)) & 1 == 1
        }

        mutating func insert(_ kind: UInt8) {
            if kind < 64 { low |= 1 << UInt64(kind) } else { high |= 1 << UInt64(kind & 63) }
        }

        mutating func formUnion(_ other: Mask) {
            low |= other.low
            high |= other.high
        }

        var complement: Mask { Mask(low: ~low, high: ~high) }
    }

    /// The properties, in the order of the bits in `ScalarKindRuns.kinds`.
    private static let names: [Substring] =
        """
        Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs space word \
        wordOfClass Han Hiragana Katakana Hangul Latin Greek Cyrillic Arabic Hebrew Devanagari Thai
        """
        .split(separator: " ")

    static let shared = ScalarKinds()

    private let table: [UInt8]
    private let wordKinds: Mask

    private init() {
        var table = [UInt8](repeating: 0, count: 0x110000)
        let runs = ScalarKindRuns.runs
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? Int(runs[index + 1] >> 8) : table.count
            for scalar in Int(run >> 8)..<end { table[scalar] = UInt8(run & 0xFF) }
        }
        self.table = table
        wordKinds = Self.kinds { $0 == "word" } ?? Mask()
    }

    /// The kind of a scalar.
    @inline(__always)
    subscript(scalar: UInt32) -> UInt8 { table[Int(scalar)] }

    /// Whether `\w` matches it.
    func isWord(_ scalar: UInt32) -> Bool { wordKinds.contains(self[scalar]) }

    /// The kinds of a property: `L`, `Lu`, `Han`, `space` (`\s`), `word` (`\w`), `wordOfClass` (`[\w]`,
    /// which lacks a few of Latin-1) or `Nd` (`\d`); nil for another name.
    static func kinds(named name: String) -> Mask? {
        if name.count == 1 { return kinds { $0.utf8.count == 2 && $0.hasPrefix(name) } }
        return kinds { $0 == name }
    }

    private static func kinds(where belongs: (Substring) -> Bool) -> Mask? {
        var bits: UInt64 = 0
        for (bit, name) in names.enumerated() where belongs(name) { bits |= 1 << UInt64(bit) }
        guard bits != 0 else { return nil }
        var mask = Mask()
        for (kind, properties) in ScalarKindRuns.kinds.enumerated() where properties & bits != 0 {
            mask.insert(UInt8(kind))
        }
        return mask
    }
}
