/// Reads the regular part of ECMA-262's expressions, of which JSON Schema's `pattern` is one, as a set of plainly written texts.
///
/// A pattern is looked for anywhere in the text; `^` and `$` stand at the ends of the whole pattern or of one of its outermost
/// alternatives. `\d` and `\w` mean ASCII; `\D` and `\W` mean the ASCII characters that those do not, so that every reader of the
/// pattern agrees on what they match.
struct SchemaPattern {
    static let scalarCountMax = 1024
    private static let depthMax = 32
    private static let repeatCountMax = 1000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    /// What is not read, and where.
    struct Refusal: Error {
        let reason: String
    }

    /// All texts in which the pattern is found.
    static func expression(_ pattern: String) throws(Refusal) -> ByteExpression {
        var reader = SchemaPattern(scalars: Array(pattern.unicodeScalars))
        guard reader.scalars.count <= scalarCountMax else {
            throw Refusal(reason: "it has \(reader.scalars.count) characters; at most \(scalarCountMax) are read")
        }
        var alternatives: [ByteExpression] = []
        repeat { alternatives.append(try reader.outermost()) } while reader.take("|")
        guard reader.next == nil else { throw reader.refusal("“)” closes no group") }
        return .any(alternatives)
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func refusal(_ reason: String) -> Refusal { Refusal(reason: "at character \(position) \(reason)") }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func outermost() throws(Refusal) -> ByteExpression {
        let isAnchored = take("^")
        let body = try sequence()
        let isClosed = take("$")
        if isClosed, next != nil, next != "|" { throw refusal("something follows “$”, which is not supported") }
        return (isAnchored ? .empty : ScalarText.plain.star) + body + (isClosed ? .empty : ScalarText.plain.star)
    }

    private mutating func alternatives() throws(Refusal) -> ByteExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw refusal("groups are nested deeper than \(Self.depthMax)") }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return .any(parts)
    }

    private mutating func sequence() throws(Refusal) -> ByteExpression {
        var parts: [ByteExpression] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if scalar == "$", depth == 0 { break }
            parts.append(try quantified(try atom()))
        }
        return .sequence(parts)
    }

    private mutating func quantified(_ atom: ByteExpression) throws(Refusal) -> ByteExpression {
        let result: ByteExpression
        switch next {
        case "*": result = atom.star
        case "+": result = atom.plus
        case "?": result = atom.optional()
        case "{":
            position += 1
            guard let min = try number() else { throw refusal("a number is missing behind “{”") }
            var max: Int? = min
            if take(",") { max = try number() }
            guard next == "}" else { throw refusal("the interval is not closed") }
            if let max, max < min { throw refusal("the interval \(min) to \(max) is empty") }
            result = .repeated(atom, min: min, max: max)
        default: return atom
        }
        position += 1
        // Lazy or not, the same texts match.
        if take("?") { return result }
        if let next, "*+{".unicodeScalars.contains(next) { throw refusal("a quantity of a quantity is not supported") }
        return result
    }

    private mutating func number() throws(Refusal) -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            position += 1
            guard value ?? 0 <= Self.repeatCountMax else {
                throw refusal("a repetition above \(Self.repeatCountMax) is not supported")
            }
        }
        return value
    }

    private mutating func atom() throws(Refusal) -> ByteExpression {
        guard let scalar = next else { throw refusal("the pattern ends too soon") }
        switch scalar {
        case "(": return try group()
        case "[": return ScalarText.plain(in: try characterClass())
        case ".":
            position += 1
            return ScalarText.plain(in: ScalarRanges.complement([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]))
        case "\\":
            position += 1
            return ScalarText.plain(in: try escape(isInClass: false))
        case "^", "$": throw refusal("“\(scalar)” inside a pattern is not supported")
        case "*", "+", "?", "{": throw refusal("“\(scalar)” repeats nothing")
        case "]", "}": throw refusal("“\(scalar)” closes nothing; write “\\\(scalar)”")
        default:
            position += 1
            return ScalarText.plain(in: [scalar.value...scalar.value])
        }
    }

    private mutating func group() throws(Refusal) -> ByteExpression {
        position += 1
        if take("?") {
            guard take(":") else { throw refusal("look-around and named groups are not supported") }
        }
        let inner = try alternatives()
        guard take(")") else { throw refusal("a group is not closed") }
        return inner
    }

    private mutating func characterClass() throws(Refusal) -> [ClosedRange<UInt32>] {
        position += 1
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while let scalar = next, scalar != "]" {
            let first = try classMember(scalar)
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                ranges += first
                continue
            }
            position += 1
            let last = try classMember(scalars[position])
            guard let lower = Self.single(first), let upper = Self.single(last), lower <= upper else {
                throw refusal("the range is empty or has a class for an end")
            }
            ranges.append(lower...upper)
        }
        guard take("]") else { throw refusal("a class is not closed") }
        return isNegated ? ScalarRanges.complement(ranges) : ranges
    }

    private static func single(_ ranges: [ClosedRange<UInt32>]) -> UInt32? {
        ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil
    }

    private mutating func classMember(_ scalar: Unicode.Scalar) throws(Refusal) -> [ClosedRange<UInt32>] {
        position += 1
        guard scalar == "\\" else { return [scalar.value...scalar.value] }
        return try escape(isInClass: true)
    }

    /// What stands behind a backslash.
    private mutating func escape(isInClass: Bool) throws(Refusal) -> [ClosedRange<UInt32>] {
        guard let scalar = next else { throw refusal("the pattern ends with a backslash") }
        position += 1
        switch scalar {
        case "d": return ScalarRanges.digits
        case "D": return ScalarRanges.asciiComplement(ScalarRanges.digits)
        case "w": return ScalarRanges.word
        case "W": return ScalarRanges.asciiComplement(ScalarRanges.word)
        case "s": return ScalarRanges.space
        case "S": return ScalarRanges.complement(ScalarRanges.anySpace)
        case "n": return [0x0A...0x0A]
        case "r": return [0x0D...0x0D]
        case "t": return [0x09...0x09]
        case "f": return [0x0C...0x0C]
        case "v": return [0x0B...0x0B]
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        default:
            // Letters and digits mean something else, which is not read; a sign means itself.
            guard scalar.value < 0x80, !ScalarRanges.word.contains(where: { $0.contains(scalar.value) }) else {
                position -= 1
                throw refusal("“\\\(scalar)” is not supported")
            }
            return [scalar.value...scalar.value]
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(Refusal) -> [ClosedRange<UInt32>] {
        let digits = String(String.UnicodeScalarView(scalars[position...].prefix(count)))
        guard digits.unicodeScalars.count == count, let value = UInt32(digits, radix: 16), digits.first != "+",
            Unicode.Scalar(value) != nil
        else { throw refusal("the escape is no character") }
        position += count
        return [value...value]
    }
}

/// Sets of characters as ranges of their numbers.
enum ScalarRanges {
    static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    static let space: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]
    /// What any reader of patterns takes for a space.
    static let anySpace: [ClosedRange<UInt32>] = [
        0x09...0x0D, 0x1C...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ]

    static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var start: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > start { result.append(start...(range.lowerBound - 1)) }
            start = max(start, range.upperBound + 1)
        }
        if start <= 0x10FFFF { result.append(start...0x10FFFF) }
        return result
    }

    static func asciiComplement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        complement(ranges + [0x80...0x10FFFF])
    }
}
