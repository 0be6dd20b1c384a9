/// Decides a text's normal forms (UAX #15) with the tables of the `tokenizers` crate's normalizer, which knows Unicode 9:
/// a later mark is a character like any other to it, and so it was when the model was trained.
struct NormalForm: Sendable {
    enum Form: Sendable {
        case c
        case d
        case kc
        case kd
    }

    static let shared = NormalForm()

    private let decompositions: [UInt32: [UInt32]]
    /// Where the compatibility forms decompose otherwise.
    private let compatibilityDecompositions: [UInt32: [UInt32]]
    private let combiningClasses: [UInt32: UInt8]
    private let compositions: [UInt64: UInt32]

    private init() {
        var classes: [UInt32: UInt8] = [:]
        let runs = NormalFormTables.combiningClasses
        for index in stride(from: 0, to: runs.count, by: 2) {
            for offset in 0..<(runs[index + 1] >> 8) { classes[runs[index] + offset] = UInt8(runs[index + 1] & 0xFF) }
        }
        var compositions: [UInt64: UInt32] = [:]
        let triples = NormalFormTables.compositions
        for index in stride(from: 0, to: triples.count, by: 3) {
            compositions[UInt64(triples[index]) << 32 | UInt64(triples[index + 1])] = triples[index + 2]
        }
        decompositions = Self.mappings(NormalFormTables.decompositions)
        compatibilityDecompositions = Self.mappings(CompatibilityTables.decompositions)
        combiningClasses = classes
        self.compositions = compositions
    }

    /// Reads count << 24 | scalar, then as many scalars, over and over.
    static func mappings(_ flat: [UInt32]) -> [UInt32: [UInt32]] {
        var mappings: [UInt32: [UInt32]] = [:]
        var index = 0
        while index < flat.count {
            let count = Int(flat[index] >> 24)
            mappings[flat[index] & 0xFF_FFFF] = Array(flat[(index + 1)..<(index + 1 + count)])
            index += count + 1
        }
        return mappings
    }

    /// The normal form of well-formed UTF-8; nil where the text is in it already by a quick check.
    func normalized(_ bytes: UnsafeBufferPointer<UInt8>, _ form: Form) -> [UInt8]? {
        if isQuicklyNormal(bytes, form) { return nil }
        let reader = ScalarReader(bytes: bytes)
        var scalars: [UInt32] = []
        scalars.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let (scalar, end) = reader.scalar(at: position)
            decompose(scalar, isCompatible: form == .kc || form == .kd, into: &scalars)
            position = end
        }
        order(&scalars)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for value in form == .c || form == .kc ? compose(scalars) : scalars { result.append(scalar: value) }
        return result
    }

    func isQuicklyNormal(_ bytes: UnsafeBufferPointer<UInt8>, _ form: Form) -> Bool {
        guard form == .c else { return bytes.allSatisfy { $0 < 0x80 } }
        let reader = ScalarReader(bytes: bytes)
        let classes = ScalarClasses.shared
        var position = 0
        while position < bytes.count {
            let (scalar, end) = reader.scalar(at: position)
            guard scalar < 0x300 || !classes[scalar].contains(.unstable) else { return false }
            position = end
        }
        return true
    }

    private func decompose(_ scalar: UInt32, isCompatible: Bool, into scalars: inout [UInt32]) {
        if scalar < 0xA0 {
            scalars.append(scalar)
        } else if Hangul.syllables.contains(scalar) {
            let index = scalar - Hangul.syllables.lowerBound
            scalars.append(Hangul.leads.lowerBound + index / Hangul.syllablesPerLead)
            scalars.append(Hangul.vowels.lowerBound + index % Hangul.syllablesPerLead / Hangul.trailCount)
            let trail = index % Hangul.trailCount
            if trail > 0 { scalars.append(Hangul.trailBase + trail) }
        } else if isCompatible, let whole = compatibilityDecompositions[scalar] {
            scalars += whole
        } else if let whole = decompositions[scalar] {
            scalars += whole
        } else {
            scalars.append(scalar)
        }
    }

    /// Sorts each run of marks by class and keeps the order of equals; not by insertion, which a long run would make slow.
    private func order(_ scalars: inout [UInt32]) {
        var index = 0
        while index < scalars.count {
            guard combiningClasses[scalars[index]] != nil else {
                index += 1
                continue
            }
            let start = index
            var marks: [(class: UInt8, place: Int, scalar: UInt32)] = []
            while index < scalars.count, let mark = combiningClasses[scalars[index]] {
                marks.append((mark, index, scalars[index]))
                index += 1
            }
            marks.sort { ($0.class, $0.place) < ($1.class, $1.place) }
            for (offset, mark) in marks.enumerated() { scalars[start + offset] = mark.scalar }
        }
    }

    private func compose(_ scalars: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var starter: Int?
        // The class of the last scalar kept after the starter: a mark behind one of its class or above is blocked.
        var lastClass: UInt8?
        for scalar in scalars {
            let mark = combiningClasses[scalar] ?? 0
            if let place = starter, lastClass.map({ $0 < mark }) ?? true,
                let whole = composite(result[place], scalar)
            {
                result[place] = whole
                continue
            }
            if mark == 0 {
                starter = result.count
                lastClass = nil
            } else {
                lastClass = mark
            }
            result.append(scalar)
        }
        return result
    }

    private func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if Hangul.leads.contains(first), Hangul.vowels.contains(second) {
            let lead = first - Hangul.leads.lowerBound
            let vowel = second - Hangul.vowels.lowerBound
            return Hangul.syllables.lowerBound + lead * Hangul.syllablesPerLead + vowel * Hangul.trailCount
        }
        if Hangul.syllables.contains(first), Hangul.trails.contains(second),
            (first - Hangul.syllables.lowerBound).isMultiple(of: Hangul.trailCount)
        {
            return first + second - Hangul.trailBase
        }
        return compositions[UInt64(first) << 32 | UInt64(second)]
    }

    /// The arithmetic of Hangul syllables (The Unicode Standard, 3.12).
    private enum Hangul {
        static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
        static let leads: ClosedRange<UInt32> = 0x1100...0x1112
        static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
        static let trails: ClosedRange<UInt32> = 0x11A8...0x11C2
        static let trailBase: UInt32 = 0x11A7
        static let trailCount: UInt32 = 28
        static let syllablesPerLead: UInt32 = 588
    }
}
