/// Reads the patterns of split pre-tokenizers and Replace normalizers: the part of Oniguruma's syntax that can be matched
/// in linear time. What it does not know it refuses, with the place.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private(set) var sets: [ScalarSet] = []
    private(set) var ranges: [ClosedRange<UInt32>] = []

    private static let scalarCountMax = 4096
    private static let depthMax = 32
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

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func error(_ reason: String) -> PatternError { PatternError(reason: "at scalar \(position) \(reason)") }

    private func starts(with text: String) -> Bool {
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
            default: return try add(try escape(ignoresCase: ignoresCase).builder)
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
            throw error("the group “\(String(String.UnicodeScalarView(scalars[position...].prefix(4))))…” is not understood")
        } else {
            position += 1
        }
        let node = try alternatives(ignoresCase: innerIgnoresCase)
        guard next == ")" else { throw error("a group is not closed") }
        position += 1
        switch kind {
        case .plain: return node
        case .look(let isNegated):
            guard !node.isNullable else { throw error("a look ahead at nothing is not understood") }
            return .look(node, isNegated: isNegated)
        case .behind(let isNegated):
            guard case .set(let set) = node else {
                throw error("a look behind at more than one scalar is not understood")
            }
            return .behind(set, isNegated: isNegated)
        }
    }
}

extension PatternParser {
    /// A class from behind its bracket on.
    private mutating func characterClass(ignoresCase: Bool) throws(PatternError) -> ScalarSetBuilder {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw error("classes are nested deeper than \(Self.depthMax)") }
        var builder = ScalarSetBuilder()
        let isNegated = next == "^"
        if isNegated { position += 1 }
        guard next != "]" else { throw error("a class that starts with “]” is not understood") }
        while let scalar = next, scalar != "]" {
            if scalar == "[" {
                guard !starts(with: "[:") else { throw error("“[:” is not understood") }
                position += 1
                let inner = try characterClass(ignoresCase: ignoresCase)
                guard builder.insert(inner) else { throw error("this class in a class is not understood") }
                continue
            }
            guard !starts(with: "&&") else { throw error("“&&” is not understood") }
            position += 1
            var first = scalar
            if scalar == "\\" {
                let (inner, single) = try escape(ignoresCase: ignoresCase)
                guard let single else {
                    guard builder.insert(inner) else { throw error("this class in a class is not understood") }
                    guard next != "-" || starts(with: "-]") else { throw error("a run starts with a class") }
                    continue
                }
                first = single
            }
            guard next == "-", !starts(with: "-]") else {
                try insert(first, into: &builder, ignoresCase: ignoresCase)
                continue
            }
            position += 1
            guard var last = next, last != "[" else { throw error("a run of scalars is malformed") }
            position += 1
            if last == "\\" {
                guard let single = try escape(ignoresCase: ignoresCase).single else {
                    throw error("a run ends with a class")
                }
                last = single
            }
            guard first.value <= last.value else { throw error("a run of scalars is empty") }
            if ignoresCase {
                guard last.isASCII else { throw error("a run beyond ASCII in any case is not understood") }
                for byte in first.value...last.value { builder.insertFolded(UInt8(byte)) }
            } else {
                builder.insert(first.value...last.value)
            }
        }
        guard next == "]" else { throw error("a class is not closed") }
        position += 1
        if isNegated { builder.negate() }
        return builder
    }

    private func insert(
        _ scalar: Unicode.Scalar, into builder: inout ScalarSetBuilder, ignoresCase: Bool
    ) throws(PatternError) {
        guard ignoresCase else {
            builder.insert(scalar.value)
            return
        }
        guard scalar.isASCII else { throw error("a scalar beyond ASCII in any case is not understood") }
        builder.insertFolded(UInt8(scalar.value))
    }

    /// What stands behind a backslash, and the scalar where it is a single one.
    private mutating func escape(
        ignoresCase: Bool
    ) throws(PatternError) -> (builder: ScalarSetBuilder, single: Unicode.Scalar?) {
        guard let scalar = next else { throw error("the pattern ends in a backslash") }
        position += 1
        var builder = ScalarSetBuilder()
        let singles: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "r": "\r", "t": "\t", "f": "\u{C}", "v": "\u{B}", "a": "\u{7}", "e": "\u{1B}",
        ]
        let classes: [Unicode.Scalar: String] = [
            "s": "space", "S": "space", "d": "Nd", "D": "Nd", "w": "word", "W": "word",
        ]
        if let single = singles[scalar] {
            builder.insert(single.value)
            return (builder, single)
        }
        if let name = classes[scalar] {
            guard !ignoresCase else { throw error("a class of scalars in any case is not understood") }
            builder.insert(kinds: ScalarKinds.kinds(named: name) ?? ScalarKinds.Mask())
            if scalar.properties.isUppercase { builder.negate() }
            return (builder, nil)
        }
        switch scalar {
        case "p", "P":
            guard !ignoresCase else { throw error("a property in any case is not understood") }
            builder.insert(kinds: try property())
            if scalar == "P" { builder.negate() }
            return (builder, nil)
        case "x", "u":
            let single = try hexadecimal(isShort: scalar == "x")
            try insert(single, into: &builder, ignoresCase: ignoresCase)
            return (builder, single)
        default:
            let isSign = scalar.isASCII && !scalar.properties.isAlphabetic && !("0"..."9").contains(scalar)
            guard isSign else { throw error("“\\\(scalar)” is not understood") }
            builder.insert(scalar.value)
            return (builder, scalar)
        }
    }

    private mutating func property() throws(PatternError) -> ScalarKinds.Mask {
        guard next == "{", let end = scalars[position...].firstIndex(of: "}") else {
            throw error("a property is malformed")
        }
        let name = String(String.UnicodeScalarView(scalars[(position + 1)..<end]))
        let long = ["Letter": "L", "Number": "N", "Punctuation": "P", "Symbol": "S", "Mark": "M", "Separator": "Z"]
        // “space” and “word” are names of ours.
        guard name.first?.isUppercase == true, let kinds = ScalarKinds.kinds(named: long[name] ?? name) else {
            throw error("the property “\(name)” is not understood")
        }
        position = end + 1
        return kinds
    }

    /// `\xHH`, `\x{H…}` or `\uHHHH`, from behind the letter on.
    private mutating func hexadecimal(isShort: Bool) throws(PatternError) -> Unicode.Scalar {
        var digits: [Unicode.Scalar]
        if isShort, next == "{" {
            guard let end = scalars[position...].firstIndex(of: "}"), end - position <= 9 else {
                throw error("a scalar's number is malformed")
            }
            digits = Array(scalars[(position + 1)..<end])
            position = end + 1
        } else {
            let count = isShort ? 2 : 4
            digits = Array(scalars[position...].prefix(count))
            guard digits.count == count else { throw error("a scalar's number is malformed") }
            position += count
        }
        let text = String(String.UnicodeScalarView(digits))
        // From 0x80 on, two digits are a byte of a character and no scalar.
        guard text.allSatisfy(\.isHexDigit), let number = UInt32(text, radix: 16), let scalar = Unicode.Scalar(number),
            digits.count != 2 || number < 0x80
        else { throw error("a scalar's number is malformed") }
        return scalar
    }
}
