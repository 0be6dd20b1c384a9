/// Owns the character map of a SentencePiece model, which the Precompiled normalizer applies: a double array over the bytes
/// of what is replaced, and the replacements one behind another, each ended by a zero.
///
/// It does what the `tokenizers` crate does with it, which is not quite what SentencePiece does: a cluster of fewer than
/// six bytes is replaced as a whole by what its shortest prefix in the map stands for, and other clusters scalar by scalar.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]
    /// For each ASCII scalar where its replacement starts, or -1.
    private var asciiValues: [Int32]

    /// Unicode's longest has 33 bytes.
    private static let replacementByteCountMax = 1024

    /// The map out of its bytes; nil where they are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let unitBytes = bytes[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard unitBytes.isMultiple(of: 4), unitBytes >= 4, unitBytes <= bytes.count - 4 else { return nil }
        units = stride(from: 4, to: 4 + unitBytes, by: 4).map { start in
            bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        replacements = Array(bytes[(4 + unitBytes)...])
        guard UTF8Check.firstInvalid(replacements) == nil,
            replacements.split(separator: 0).allSatisfy({ $0.count <= Self.replacementByteCountMax })
        else { return nil }
        asciiValues = []
        asciiValues = (UInt8.min..<0x80).map { byte in
            [byte].withUnsafeBufferPointer { value(of: $0).map { Int32($0) } ?? -1 }
        }
    }

    /// The map out of base64, as a tokenizer.json holds it; nil where it is none.
    init?(base64 text: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        let end = text.lastIndex { $0 != UInt8(ascii: "=") }.map { $0 + 1 } ?? 0
        guard text.count.isMultiple(of: 4), text.count - end <= 2 else { return nil }
        for character in text[..<end] {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        self.init(bytes)
    }

    /// The text after the map.
    func normalized(_ bytes: [UInt8]) -> [UInt8] {
        let graphemes = GraphemeScan.shared
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        bytes.withUnsafeBufferPointer { buffer in
            let reader = ScalarReader(bytes: buffer)
            var start = 0
            while start < buffer.count {
                // Printable ASCII before ASCII is a cluster of its own.
                if buffer[start] >= 0x20, buffer[start] < 0x80, start + 1 == buffer.count || buffer[start + 1] < 0x80 {
                    let value = asciiValues[Int(buffer[start])]
                    if value < 0 { result.append(buffer[start]) } else { appendReplacement(Int(value), to: &result) }
                    start += 1
                    continue
                }
                let end = graphemes.end(reader, from: start)
                let cluster = UnsafeBufferPointer(rebasing: buffer[start..<end])
                if cluster.count < 6, let value = value(of: cluster) {
                    appendReplacement(value, to: &result)
                    start = end
                    continue
                }
                while start < end {
                    let scalarEnd = reader.scalar(at: start).end
                    let scalar = UnsafeBufferPointer(rebasing: buffer[start..<scalarEnd])
                    if let value = value(of: scalar) {
                        appendReplacement(value, to: &result)
                    } else {
                        result.append(contentsOf: scalar)
                    }
                    start = scalarEnd
                }
            }
        }
        return result
    }

    private func appendReplacement(_ start: Int, to result: inout [UInt8]) {
        for byte in replacements[start...] {
            if byte == 0 { return }
            result.append(byte)
        }
    }

    /// Where the replacement for the shortest prefix of a text starts; nil where the map has none.
    private func value(of text: UnsafeBufferPointer<UInt8>) -> Int? {
        var place = offset(of: units[0])
        for byte in text {
            if byte == 0 { return nil }
            place ^= Int(byte)
            guard place < units.count, units[place] & 0x8000_00FF == UInt32(byte) else { return nil }
            let hasValue = units[place] >> 8 & 1 == 1
            place ^= offset(of: units[place])
            guard place < units.count else { return nil }
            if hasValue {
                // A replacement starts at a character; a map that says otherwise replaces nothing.
                let start = Int(units[place] & 0x7FFF_FFFF)
                guard start < replacements.count, replacements[start] & 0xC0 != 0x80 else { return nil }
                return start
            }
        }
        return nil
    }

    private func offset(of unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}
