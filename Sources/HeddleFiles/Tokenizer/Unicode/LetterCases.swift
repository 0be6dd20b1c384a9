/// Decides what the normalizers Lowercase and StripAccents make of single scalars, by the crate's tables.
struct LetterCases: Sendable {
    static let shared = LetterCases()

    private let lowercase: [UInt32: [UInt32]]

    private init() { lowercase = NormalForm.mappings(LowercaseTables.mappings) }

    /// The text with every scalar in lower case; no scalar's neighbours matter.
    func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        bytes.forEachScalar { scalar, range in
            if scalar < 0x80 {
                let isCapital = scalar >= 0x41 && scalar <= 0x5A
                result.append(UInt8(scalar) | (isCapital ? 0x20 : 0))
            } else if let lower = lowercase[scalar] {
                for value in lower { result.append(scalar: value) }
            } else {
                result += bytes[range]
            }
        }
        return result
    }

    /// Whether StripAccents takes the scalar away.
    func isAccent(_ scalar: UInt32) -> Bool {
        guard scalar >= 0x300 else { return false }
        // The last run that starts at or before the scalar.
        let runs = LowercaseTables.accents
        var low = 0
        var high = runs.count / 2
        while low < high {
            let middle = (low + high) / 2
            if runs[2 * middle] <= scalar { low = middle + 1 } else { high = middle }
        }
        return low > 0 && scalar <= runs[2 * low - 1]
    }
}

extension [UInt8] {
    /// Calls `body` with every scalar of well-formed UTF-8 and where it lies.
    func forEachScalar(_ body: (UInt32, Range<Int>) -> Void) {
        withUnsafeBufferPointer { bytes in
            let reader = ScalarReader(bytes: bytes)
            var position = 0
            while position < bytes.count {
                let (scalar, end) = reader.scalar(at: position)
                body(scalar, position..<end)
                position = end
            }
        }
    }
}
