/// Decides which bytes of UTF-8 are whitespace, digits and word characters to Python.
enum Scan {
    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    /// What `str.isspace` and `\s` mean.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// The scalar that starts at `index` and its length in bytes; the bytes are valid UTF-8.
    static func scalar(_ bytes: [UInt8], _ index: Int) -> (scalar: Unicode.Scalar, byteCount: Int) {
        let lead = bytes[index]
        guard lead >= 0x80 else { return (Unicode.Scalar(lead), 1) }
        let count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard index + count <= bytes.count else { return ("\u{FFFD}", bytes.count - index) }
        var value = UInt32(lead) & (count == 2 ? 0x1F : count == 3 ? 0x0F : 0x07)
        for offset in 1..<count { value = value << 6 | UInt32(bytes[index + offset] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", count)
    }

    /// The scalar that ends before `end`; `end` is above zero.
    static func scalar(_ bytes: [UInt8], before end: Int) -> (scalar: Unicode.Scalar, byteCount: Int) {
        var start = end - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(bytes, start).scalar, end - start)
    }

    /// Past the whitespace at `start`.
    static func spaceEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let next = scalar(bytes, end)
            guard isSpace(next.scalar) else { break }
            end += next.byteCount
        }
        return end
    }

    /// The end of `range` without the whitespace before it.
    static func endWithoutSpace(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
        var end = range.upperBound
        while end > range.lowerBound {
            let last = scalar(bytes, before: end)
            guard isSpace(last.scalar) else { break }
            end -= last.byteCount
        }
        return end
    }
}
