import Foundation

/// Writes doubles as Python does.
enum FloatText {
    /// `repr`: the fewest digits that read back as the same number.
    static func representation(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        let (sign, digits, exponent) = parts(number)
        if exponent < -4 || exponent >= 16 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let size = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
            return "\(sign)\(digits.first ?? "0")\(fraction)e\(exponent < 0 ? "-" : "+")\(size)"
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
        }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// The shortest decimal: `d.ddd` times ten to the exponent.
    private static func parts(_ number: Double) -> (sign: String, digits: String, exponent: Int) {
        var text = Substring(number.description)
        var sign = ""
        if text.first == "-" {
            sign = "-"
            text.removeFirst()
        }
        var exponent = 0
        if let mark = text.firstIndex(where: { $0 == "e" }) {
            exponent = Int(text[text.index(after: mark)...]) ?? 0
            text = text[..<mark]
        }
        let point = text.firstIndex(of: ".")
        let whole = text[..<(point ?? text.endIndex)]
        let fraction = point.map { text[text.index(after: $0)...] } ?? ""
        var digits = String(whole + fraction)
        exponent += whole.count - 1
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        if digits == "0" { exponent = 0 }
        return (sign, digits, exponent)
    }

    /// With the C library's `%f`, `%e` or `%g`; the precision is at most 400.
    static func formatted(_ number: Double, kind: Character, precision: Int, alternate: Bool = false) -> String {
        if number.isNaN { return kind.isUppercase ? "NAN" : "nan" }
        if number.isInfinite { return (number < 0 ? "-" : "") + (kind.isUppercase ? "INF" : "inf") }
        return String(format: "%\(alternate ? "#" : "").\(precision)\(kind)", number)
    }
}
