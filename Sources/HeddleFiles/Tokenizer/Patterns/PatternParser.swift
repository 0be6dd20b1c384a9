/// Reads the patterns of split pre-tokenizers and Replace normalizers: the part of Oniguruma's syntax that can be matched
/// in linear time. What it does not know it refuses, with the place.
struct PatternParser {
    let scalars: [Unicode.Scalar]
    var position = 0
    var depth = 0
    private(set) var sets: [ScalarSet] = []
    private(set) var ranges: [ClosedRange<UInt32>] = []

    private static let scalarCountMax = 4096
    static let depthMax = 32
    private static let repeatCountMax = 256

    init(_ pattern: String) throws(PatternError) {
        scalars = Array(pattern.unicodeScalars)
        guard scalars.count <= Self.scalarCountMax else {
            throw PatternError(
                reason: "the pattern has \(scalars.count) scalars; at most \(Self.scalarCountMax) are read")
        }
    }

    /// The whole pattern.
    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try alternatives(ignoresCase: false)
        guard position == scalars.count else { throw error("the “)” closes no group") }
        guard !node.isNullable else { throw PatternError(reason: "a pattern that never matches the empty text is") }
        return node
    }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    func error(_ reason: String) -> PatternError { PatternError(reason: "at scalar \(position) \(reason)") }

    func starts(with text: String) -> Bool {
        scalars[position...].starts(with: text.unicodeScalars)
    }

    private mutating func alternatives(ignoresCase: Bool) throws(PatternError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw error("groups are nested deeper than \(Self.depthMax)") }
        var nodes = [try sequence(ignoresCase: ignoresCase)]
        while next == "|" {
            position += 1
            nodes.append(try sequence(ignoresCase: ignoresCase))
        }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence(ignoresCase: Bool) throws(PatternError) -> PatternNode {
        var nodes: [PatternNode] = []
        var lastLetter: Unicode.Scalar?
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = position
            let node = try atom(ignoresCase: ignoresCase)
            if ignoresCase {
                // Oniguruma lets one ligature match two letters.
                let letter = position == start + 1 ? Unicode.Scalar(scalar.value | 0x20) : nil
                if let lastLetter, let letter, ["ss", "ff", "fi", "fl", "st"].contains("\(lastLetter)\(letter)") {
                    throw error("“\(lastLetter)\(letter)” in any case also means a ligature, which is not understood")
                }
                lastLetter = letter
            }
            let repeated = try quantified(node)
            if case .repeated = repeated { lastLetter = nil }
            nodes.append(repeated)
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func quantified(_ node: PatternNode) throws(PatternError) -> PatternNode {
        guard let (min, max, isInterval) = try quantity() else { return node }
        if case .look = node { throw error("a condition is repeated") }
        if case .behind = node { throw error("a condition is repeated") }
        if case .boundary = node { throw error("a condition is repeated") }
        var preference = PatternNode.Preference.greedy
        if next == "?" {
            guard !isInterval || max != min else { throw error("“{n}?” is not understood") }
            position += 1
            preference = .lazy
        } else if next == "+", isInterval {
            // Oniguruma repeats the interval; it does not make it possessive.
            guard min > 0 else { throw error("an interval that may be empty is repeated") }
            position += 1
            return .repeated(.repeated(node, min: min, max: max, .greedy), min: 1, max: nil, .greedy)
        } else if next == "+" {
            guard case .set = node else { throw error("“+” behind the quantity of a group is not understood") }
            position += 1
            preference = .possessive
        }
        if let scalar = next, scalar == "*" || scalar == "+" || scalar == "?" {
            throw error("a quantity of a quantity is not understood")
        }
        if max == nil, node.isNullable { throw error("what may be empty is repeated without end") }
        return .repeated(node, min: min, max: max, preference)
    }

    private mutating func quantity() throws(PatternError) -> (min: Int, max: Int?, isInterval: Bool)? {
        switch next {
        case "*":
            position += 1
            return (0, nil, false)
        case "+":
            position += 1
            return (1, nil, false)
        case "?":
            position += 1
            return (0, 1, false)
        case "{":
            position += 1
            let least = try number()
            var most = least
            var isOpen = false
            if next == "," {
                position += 1
                most = try number()
                isOpen = most == nil
            }
            guard next == "}", least != nil || most != nil else { throw error("the interval is malformed") }
            position += 1
            guard !isOpen || least != nil, (least ?? 0) <= (most ?? Self.repeatCountMax), most != 0 else {
                throw error("the interval is empty")
            }
            return (least ?? 0, isOpen ? nil : most, true)
        default: return nil
        }
    }

    private mutating func number() throws(PatternError) -> Int? {
        var value: Int?
        while let scalar = next, scalar.isASCII, let digit = Int(String(scalar)) {
            value = (value ?? 0) * 10 + digit
            guard value ?? 0 <= Self.repeatCountMax else {
                throw error("a count is above \(Self.repeatCountMax)")
            }
            position += 1
        }
        return value
    }

    private mutating func atom(ignoresCase: Bool) throws(PatternError) -> PatternNode {
        guard let scalar = next else { throw error("the pattern ends early") }
        switch scalar {
        case "(": return try group(ignoresCase: ignoresCase)
        case "[":
            position += 1
            return try add(try characterClass(ignoresCase: ignoresCase))
        case ".":
            position += 1
            var builder = ScalarSetBuilder()
            builder.insert(0x0A)
            builder.negate()
            return try add(builder)
        case "^":
            position += 1
            return .boundary(.lineStart)
        case "$":
            position += 1
            return .boundary(.lineEnd)
        case "\\":
            position += 1
            switch next {
            case "A": return boundary(.textStart)
            case "z": return boundary(.textEnd)
            case "b": return boundary(.word)
            case "B": return boundary(.noWord)
            default: return try add(try escape(ignoresCase: ignoresCase, isInClass: false).builder)
            }
        case "*", "+", "?": throw error("“\(scalar)” repeats nothing")
        case "{": throw error("“{” repeats nothing")
        default:
            position += 1
            var builder = ScalarSetBuilder()
            try insert(scalar, into: &builder, ignoresCase: ignoresCase)
            return try add(builder)
        }
    }

    private mutating func boundary(_ boundary: PatternNode.Boundary) -> PatternNode {
        position += 1
        return .boundary(boundary)
    }

    private mutating func add(_ builder: ScalarSetBuilder) throws(PatternError) -> PatternNode {
        let set = builder.set(appendingTo: &ranges)
        sets.append(set)
        return .set(sets.count - 1)
    }

    private mutating func group(ignoresCase: Bool) throws(PatternError) -> PatternNode {
        enum Kind {
            case plain
            case look(isNegated: Bool)
            case behind(isNegated: Bool)
        }
        let openings: [(text: String, kind: Kind, ignoresCase: Bool)] = [
            ("(?:", .plain, ignoresCase), ("(?i:", .plain, true), ("(?-i:", .plain, false),
            ("(?=", .look(isNegated: false), ignoresCase), ("(?!", .look(isNegated: true), ignoresCase),
            ("(?<=", .behind(isNegated: false), ignoresCase), ("(?<!", .behind(isNegated: true), ignoresCase),
        ]
        var kind = Kind.plain
        var innerIgnoresCase = ignoresCase
        if let opening = openings.first(where: { starts(with: $0.text) }) {
            position += opening.text.unicodeScalars.count
            kind = opening.kind
            innerIgnoresCase = opening.ignoresCase
        } else if starts(with: "(?") {
            let start = String(String.UnicodeScalarView(scalars[position...].prefix(4)))
            throw error("the group “\(start)…” is not understood")
        } else {
            position += 1
        }
        let node = try alternatives(ignoresCase: innerIgnoresCase)
        guard next == ")" else { throw error("a group is not closed") }
        position += 1
        switch kind {
        case .plain: return node
        case .look(let isNegated):
            return .look(node, isNegated: isNegated)
        case .behind(let isNegated):
            guard case .set(let set) = node else {
                throw error("a look behind at more than one scalar is not understood")
            }
            return .behind(set, isNegated: isNegated)
        }
    }
}
