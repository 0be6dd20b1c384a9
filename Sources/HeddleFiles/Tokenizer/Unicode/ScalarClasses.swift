/// Decides what a scalar is to a split pattern. The classes are those of the `tokenizers` crate, not of Swift's standard
/// library: the Unicode version would otherwise change with the compiler, and tokens with it.
struct ScalarClasses: Sendable {
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        /// `\p{L}` of a pattern.
        static let letter = Flags(rawValue: 1)
        /// `\p{N}` of a pattern.
        static let number = Flags(rawValue: 2)
        /// `\s` of a pattern.
        static let space = Flags(rawValue: 4)
        /// A digit to the `Digits` pre-tokenizer.
        static let digit = Flags(rawValue: 8)
        /// `\w` where an added token stands as a single word.
        static let word = Flags(rawValue: 16)
        /// Space that an added token strips.
        static let stripped = Flags(rawValue: 32)
        /// A text without such scalars is in normal form C.
        static let unstable = Flags(rawValue: 64)
        /// A sign to the `Punctuation` pre-tokenizer.
        static let punctuation = Flags(rawValue: 128)

        /// What patterns call `[^\s\p{L}\p{N}]` has none of these.
        static let classified: Flags = [.letter, .number, .space]
    }

    static let shared = ScalarClasses()

    /// One byte a scalar, up to the last that has a flag.
    private let table: [UInt8]

    private init() {
        let runs = ScalarClassRuns.runs
        var table = [UInt8](repeating: 0, count: Int((runs.last ?? 0) >> 8))
        for (index, run) in runs.enumerated() where index + 1 < runs.count {
            for scalar in Int(run >> 8)..<Int(runs[index + 1] >> 8) { table[scalar] = UInt8(run & 0xFF) }
        }
        self.table = table
    }

    @inline(__always)
    subscript(scalar: UInt32) -> Flags {
        Flags(rawValue: Int(scalar) < table.count ? table[Int(scalar)] : 0)
    }
}

/// Reads well-formed UTF-8 one scalar at a time.
// Safety: the bytes were checked (`UTF8Check`), so that every lead byte is followed by its whole character.
struct ScalarReader {
    let bytes: UnsafeBufferPointer<UInt8>

    /// The scalar at `position` and the position after it.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, end: Int) {
        let lead = UInt32(bytes[position])
        if lead < 0x80 { return (lead, position + 1) }
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | continuation(position + 1), position + 2) }
        if lead < 0xF0 {
            return ((lead & 0x0F) << 12 | continuation(position + 1) << 6 | continuation(position + 2), position + 3)
        }
        let high = (lead & 0x07) << 18 | continuation(position + 1) << 12
        return (high | continuation(position + 2) << 6 | continuation(position + 3), position + 4)
    }

    /// The scalar that ends before `position`, and where it starts.
    func scalar(before position: Int) -> (value: UInt32, start: Int) {
        var start = position - 1
        while bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(at: start).value, start)
    }

    @inline(__always)
    private func continuation(_ position: Int) -> UInt32 { UInt32(bytes[position] & 0x3F) }
}

extension [UInt8] {
    /// Appends the UTF-8 of a scalar that a table or well-formed text gave.
    mutating func append(scalar value: UInt32) {
        guard let scalar = Unicode.Scalar(value) else {
            preconditionFailure("\(value) is no scalar: tables and well-formed text hold none but scalars")
        }
        UTF8Check.append(scalar, to: &self)
    }
}
