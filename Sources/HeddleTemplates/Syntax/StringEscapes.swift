/// Resolves the escapes of a string literal as Python's `unicode-escape` does.
enum StringEscapes {
    struct Failure: Error {
        var message: String
        var isUnsupported = false
    }

    static func resolve(_ literal: ArraySlice<UInt8>) throws(Failure) -> Text {
        guard literal.contains(UInt8(ascii: "\\")) else { return Text(Array(literal)) }
        // Jinja2 first writes every character beyond ASCII as an escape: behind a backslash it then means something else.
        let escaped = ascii(Array(literal))
        var result: [UInt8] = []
        var index = 0
        while index < escaped.count {
            let byte = escaped[index]
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                index += 1
                continue
            }
            guard index + 1 < escaped.count else { throw Failure(message: "\\ at end of string") }
            let kind = escaped[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "\n"): break
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): result.append(kind)
            case UInt8(ascii: "a"): result.append(7)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "v"): result.append(11)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = UInt32(kind - UInt8(ascii: "0"))
                for _ in 0..<2 where index < escaped.count && (0x30...0x37).contains(escaped[index]) {
                    value = value * 8 + UInt32(escaped[index] - 0x30)
                    index += 1
                }
                try append(value, to: &result)
            case UInt8(ascii: "x"): try append(try hexadecimal(escaped, &index, 2), to: &result)
            case UInt8(ascii: "u"): try append(try hexadecimal(escaped, &index, 4), to: &result)
            case UInt8(ascii: "U"): try append(try hexadecimal(escaped, &index, 8), to: &result)
            case UInt8(ascii: "N"): throw Failure(message: "\\N{…} is not supported", isUnsupported: true)
            default: result += [UInt8(ascii: "\\"), kind]
            }
        }
        return Text(result)
    }

    private static func ascii(_ literal: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < literal.count {
            let (scalar, count) = Scan.scalar(literal, index)
            index += count
            if scalar.value < 0x80 { result.append(UInt8(scalar.value)) } else { result += Escapes.python(scalar).utf8 }
        }
        return result
    }

    private static func hexadecimal(_ bytes: [UInt8], _ index: inout Int, _ count: Int) throws(Failure) -> UInt32 {
        guard index + count <= bytes.count,
            bytes[index..<(index + count)].allSatisfy({ Character(Unicode.Scalar($0)).hexDigitValue != nil }),
            let value = UInt32(String(decoding: bytes[index..<(index + count)], as: UTF8.self), radix: 16)
        else { throw Failure(message: "truncated escape of \(count) hexadecimal digits") }
        index += count
        return value
    }

    private static func append(_ value: UInt32, to result: inout [UInt8]) throws(Failure) {
        guard let scalar = Unicode.Scalar(value) else {
            if value > 0x10FFFF { throw Failure(message: "illegal Unicode character") }
            throw Failure(message: "halves of surrogate pairs are not supported", isUnsupported: true)
        }
        result += Array(String(scalar).utf8)
    }
}

/// Writes characters as Python writes them in `repr` and in ASCII-only texts.
enum Escapes {
    /// `\xe9`, `\u20ac` or `\U0001f600`.
    static func python(_ scalar: Unicode.Scalar) -> String {
        if scalar.value < 0x100 { return "\\x" + hexadecimal(scalar.value, 2) }
        if scalar.value < 0x10000 { return "\\u" + hexadecimal(scalar.value, 4) }
        return "\\U" + hexadecimal(scalar.value, 8)
    }

    static func hexadecimal(_ value: UInt32, _ count: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
