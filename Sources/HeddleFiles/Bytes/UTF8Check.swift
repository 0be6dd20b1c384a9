/// Decides where bytes are well-formed UTF-8, by the table of the Unicode standard (3-7): no overlong form, no surrogate,
/// nothing above U+10FFFF.
public enum UTF8Check {
    /// What stands at one position.
    enum Step: Hashable {
        /// A whole character of so many bytes.
        case complete(Int)
        /// So many bytes that can never become a character: the longest start of one, or a single byte.
        case broken(Int)
        /// So many bytes to the end, which more bytes may complete.
        case truncated(Int)
    }

    /// The offset of the first byte that is not part of a well-formed character; nil where all bytes are well formed.
    public static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var position = 0
        while position < bytes.count {
            if bytes[position] < 0x80 {
                position += 1
                continue
            }
            guard case .complete(let count) = step(bytes, at: position) else { return position }
            position += count
        }
        return nil
    }

    /// The offset of the first byte that is not part of a well-formed character; nil where all bytes are well formed.
    public static func firstInvalid(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBufferPointer { firstInvalid($0) } }

    /// Classifies what stands at `position`, which must be inside `bytes`.
    static func step(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Step {
        // Safety: `position + index` is compared with the count before each read.
        let lead = bytes[position]
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0x00...0x7F: return .complete(1)
        case 0xC2...0xDF: count = 2
        case 0xE0:
            count = 3
            second = 0xA0...0xBF
        case 0xED:
            count = 3
            second = 0x80...0x9F
        case 0xE1...0xEF: count = 3
        case 0xF0:
            count = 4
            second = 0x90...0xBF
        case 0xF1...0xF3: count = 4
        case 0xF4:
            count = 4
            second = 0x80...0x8F
        default: return .broken(1)
        }
        for index in 1..<count {
            guard position + index < bytes.count else { return .truncated(index) }
            let allowed = index == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[position + index]) else { return .broken(index) }
        }
        return .complete(count)
    }

    /// Appends a scalar's UTF-8.
    static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
        let value = scalar.value
        switch value {
        case 0..<0x80: bytes.append(UInt8(value))
        case 0x80..<0x800:
            bytes.append(UInt8(0xC0 | value >> 6))
            bytes.append(UInt8(0x80 | value & 0x3F))
        case 0x800..<0x10000:
            bytes.append(UInt8(0xE0 | value >> 12))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | value >> 18))
            bytes.append(UInt8(0x80 | value >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        }
    }
}
