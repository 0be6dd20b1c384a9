/// How characters are written in a JSON string.
///
/// *Plain* is the one way in which `json.dumps(ensure_ascii=False)` writes a character: itself, or the shortest escape where it
/// must be escaped. *Free* is every way that RFC 8259 allows, whose surrogates come in pairs.
enum ScalarText {
    /// Any character, plain.
    static let plain = plain(in: [0...0x10FFFF])

    /// Any character, free.
    static let free: ByteExpression = {
        let hexadecimal = ByteExpression.oneOf("0123456789abcdefABCDEF")
        let unit: ByteExpression = .any([
            .oneOf("0123456789abcefABCEF") + hexadecimal.times(3),
            .oneOf("dD") + .oneOf("01234567") + hexadecimal.times(2),
        ])
        let pair: ByteExpression =
            .oneOf("dD") + .oneOf("89abAB") + hexadecimal.times(2) + .literal("\\u") + .oneOf("dD")
            + .oneOf("cdefCDEF") + hexadecimal.times(2)
        return .any([
            plain(in: [0x20...0x21, 0x23...0x5B, 0x5D...0x10FFFF]),
            .literal("\\") + .any([.oneOf("\"\\/bfnrt"), .literal("u") + .any([unit, pair])]),
        ])
    }()

    /// The characters of these ranges, plain.
    static func plain(in ranges: [ClosedRange<UInt32>]) -> ByteExpression {
        var parts: [ByteExpression] = []
        for range in ranges {
            var start = range.lowerBound
            while start <= range.upperBound {
                if let escape = escape(start) {
                    parts.append(.literal(escape))
                    start += 1
                    continue
                }
                // As far as neither an escape nor another length of UTF-8 begins, without surrogates.
                let stops: [UInt32] = [0x21, 0x5B, 0x7F, 0x7FF, 0xD7FF, 0xDFFF, 0xFFFF, 0x10FFFF]
                let end = min(range.upperBound, stops.first { $0 >= start } ?? start)
                if !(0xD800...0xDFFF).contains(start) { parts += utf8(start, end) }
                start = end + 1
            }
        }
        return .any(parts)
    }

    /// The plain spelling of a text.
    static func plain(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte in escape(UInt32(byte)).map { Array($0.utf8) } ?? [byte] }
    }

    /// How a character is written that cannot stand for itself.
    private static func escape(_ scalar: UInt32) -> String? {
        switch scalar {
        case 0x22: return "\\\""
        case 0x5C: return "\\\\"
        case 0x08: return "\\b"
        case 0x0C: return "\\f"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        case 0..<0x20:
            let digits = String(scalar, radix: 16)
            return "\\u00" + (digits.utf8.count == 1 ? "0" : "") + digits
        default: return nil
        }
    }

    /// The UTF-8 of a range whose characters have the same length.
    private static func utf8(_ first: UInt32, _ last: UInt32) -> [ByteExpression] {
        sequences(bytes(first), bytes(last)).map { ranges in .sequence(ranges.map { .byte(ByteSet($0)) }) }
    }

    private static func bytes(_ scalar: UInt32) -> [UInt8] {
        Unicode.Scalar(scalar).map { Array(String(Character($0)).utf8) } ?? []
    }

    /// Splits what lies between two strings of equal length into rows of byte ranges.
    private static func sequences(_ lower: [UInt8], _ upper: [UInt8]) -> [[ClosedRange<UInt8>]] {
        guard let first = lower.first, let last = upper.first else { return [[]] }
        let (lowerRest, upperRest) = (Array(lower.dropFirst()), Array(upper.dropFirst()))
        let low = [UInt8](repeating: 0x80, count: lowerRest.count)
        let high = [UInt8](repeating: 0xBF, count: lowerRest.count)
        if first == last { return sequences(lowerRest, upperRest).map { [first...first] + $0 } }
        var rows: [[ClosedRange<UInt8>]] = []
        var (from, to) = (Int(first), Int(last))
        if lowerRest != low {
            rows += sequences(lowerRest, high).map { [first...first] + $0 }
            from += 1
        }
        if upperRest != high {
            rows += sequences(low, upperRest).map { [last...last] + $0 }
            to -= 1
        }
        if from <= to { rows.append([UInt8(from)...UInt8(to)] + low.map { _ in 0x80...0xBF }) }
        return rows
    }
}
