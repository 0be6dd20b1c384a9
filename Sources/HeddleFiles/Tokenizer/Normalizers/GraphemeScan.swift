/// Decides where grapheme clusters end (UAX #29) as far as the character map can see it: it asks for clusters of fewer than
/// six bytes only, so that pairs of flags, which have eight, need no rule.
struct GraphemeScan {
    enum Class: UInt8 {
        case other = 0
        case control = 1
        case extend = 2
        case spacing = 3
        case prepend = 4
        case joiner = 5
        case pictograph = 6
    }

    private let table: [UInt8]

    static let shared = GraphemeScan()

    private init() {
        let runs = GraphemeRuns.runs
        var table = [UInt8](repeating: 0, count: Int((runs.last ?? 0) >> 8))
        for (index, run) in runs.enumerated() where index + 1 < runs.count {
            for scalar in Int(run >> 8)..<Int(runs[index + 1] >> 8) { table[scalar] = UInt8(run & 0xFF) }
        }
        self.table = table
    }

    private func clusterClass(_ scalar: UInt32) -> Class {
        Int(scalar) < table.count ? Class(rawValue: table[Int(scalar)]) ?? .other : .other
    }

    /// Where the cluster that starts at `start` ends.
    func end(_ reader: ScalarReader, from start: Int) -> Int {
        let count = reader.bytes.count
        var (scalar, position) = reader.scalar(at: start)
        var last = clusterClass(scalar)
        // A pictograph, and marks behind it; then a joiner.
        var isAfterPictograph = last == .pictograph
        var joins = false
        while position < count {
            if reader.bytes[position] < 0x80, reader.bytes[position] >= 0x20, last != .prepend { return position }
            let (next, end) = reader.scalar(at: position)
            let nextClass = clusterClass(next)
            let stays: Bool
            switch (last, nextClass) {
            case (.control, _): stays = scalar == 0x0D && next == 0x0A
            case (_, .control): stays = false
            case (_, .extend), (_, .spacing), (_, .joiner), (.prepend, _): stays = true
            case (.joiner, .pictograph): stays = joins
            default: stays = Self.isOneSyllable(scalar, next)
            }
            guard stays else { return position }
            switch nextClass {
            case .pictograph: (isAfterPictograph, joins) = (true, false)
            case .extend: joins = false
            case .joiner:
                joins = isAfterPictograph
            default: (isAfterPictograph, joins) = (false, false)
            }
            (scalar, last, position) = (next, nextClass, end)
        }
        return position
    }

    /// Parts of a Hangul syllable stay together.
    private static func isOneSyllable(_ first: UInt32, _ second: UInt32) -> Bool {
        switch (syllablePart(first), syllablePart(second)) {
        case (.lead, .lead), (.lead, .vowel), (.lead, .open), (.lead, .closed): true
        case (.open, .vowel), (.open, .trail), (.vowel, .vowel), (.vowel, .trail): true
        case (.closed, .trail), (.trail, .trail): true
        default: false
        }
    }

    private enum SyllablePart {
        case none
        case lead
        case vowel
        case trail
        case open
        case closed
    }

    private static func syllablePart(_ scalar: UInt32) -> SyllablePart {
        switch scalar {
        case 0x1100...0x115F, 0xA960...0xA97C: .lead
        case 0x1160...0x11A7, 0xD7B0...0xD7C6: .vowel
        case 0x11A8...0x11FF, 0xD7CB...0xD7FB: .trail
        case 0xAC00...0xD7A3: (scalar - 0xAC00).isMultiple(of: 28) ? .open : .closed
        default: .none
        }
    }
}
