/// Reads a pattern as Python's `re` does, and names what it does not read: backreferences, lookbehind, flags, comments,
/// conditions, atomic groups, possessive repeats and escapes of code points.
struct ModulePatternParser {
    private let characters: [Unicode.Scalar]
    private let limits: ModulePatternLimits
    private var next = 0
    private var depth = 0

    init(_ text: String, limits: ModulePatternLimits) {
        characters = Array(text.unicodeScalars)
        self.limits = limits
    }

    mutating func parse() throws(ModulePatternError) -> ModulePattern.Node {
        guard characters.count <= limits.characterCountMax else {
            throw .tooLong(count: characters.count, countMax: limits.characterCountMax)
        }
        let node = try alternatives()
        guard next == characters.count else {
            throw .malformed(position: next, reason: "a parenthesis closes no group")
        }
        return node
    }

    private var present: Unicode.Scalar? { next < characters.count ? characters[next] : nil }

    /// Moves past the character where it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard present == character else { return false }
        next += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard characters[next...].starts(with: wanted) else { return false }
        next += wanted.count
        return true
    }

    private mutating func alternatives() throws(ModulePatternError) -> ModulePattern.Node {
        var choices = [try sequence()]
        while take("|" as Unicode.Scalar) { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .anyOf(choices)
    }

    private mutating func sequence() throws(ModulePatternError) -> ModulePattern.Node {
        var parts: [ModulePattern.Node] = []
        while let character = present, character != "|", character != ")" {
            let begin = next
            let part = try atom()
            guard let (countMin, countMax) = try counts() else {
                parts.append(part)
                continue
            }
            if isAnchor(at: begin) { throw .malformed(position: begin, reason: "an anchor is repeated") }
            if present == "+" { throw .notRead(position: next, what: "a possessive repeat") }
            _ = take("?" as Unicode.Scalar)
            let behind = next
            guard try counts() == nil else { throw .malformed(position: behind, reason: "a repeat is repeated") }
            parts.append(.repeated(part, countMin: countMin, countMax: countMax))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// Whether an anchor itself stands there, rather than a group around one, which may be repeated.
    private func isAnchor(at position: Int) -> Bool {
        switch characters[position] {
        case "^", "$": true
        case "\\": position + 1 < characters.count && "AZbB".unicodeScalars.contains(characters[position + 1])
        default: false
        }
    }

    /// A repeat's counts, where one comes next. A brace that begins none is a literal.
    private mutating func counts() throws(ModulePatternError) -> (countMin: Int, countMax: Int?)? {
        switch present {
        case "*":
            next += 1
            return (0, nil)
        case "+":
            next += 1
            return (1, nil)
        case "?":
            next += 1
            return (0, 1)
        case "{":
            let begin = next
            next += 1
            if present == "}" {
                next = begin
                return nil
            }
            let low = try number()
            let high = take("," as Unicode.Scalar) ? try number() : low
            guard take("}" as Unicode.Scalar) else {
                next = begin
                return nil
            }
            if let low, let high, high < low {
                throw .malformed(position: begin, reason: "a repeat's least count is above its most")
            }
            return (low ?? 0, high)
        default: return nil
        }
    }

    private mutating func number() throws(ModulePatternError) -> Int? {
        let begin = next
        var value: Int?
        while let digit = present, ("0"..."9").contains(digit) {
            let (tens, overflow) = (value ?? 0).multipliedReportingOverflow(by: 10)
            guard !overflow, tens < 1 << 32 else { throw .malformed(position: begin, reason: "a count is too large") }
            value = tens + Int(digit.value - 48)
            next += 1
        }
        return value
    }

    private mutating func atom() throws(ModulePatternError) -> ModulePattern.Node {
        let begin = next
        if present == "{", try counts() == nil {
            next = begin + 1
            return .literal(UInt8(ascii: "{"))
        }
        next = begin
        guard let character = present else { throw .malformed(position: begin, reason: "something is missing") }
        next += 1
        switch character {
        case "*", "+", "?", "{": throw .malformed(position: begin, reason: "nothing stands before a repeat")
        case "(": return try group(begin)
        case "[": return .characters(try bracketed(begin))
        case ".": return .characters(~(1 << 10))
        case "^": return .start
        case "$": return .end
        case "\\": return try escaped(begin)
        default: return Self.literal(character)
        }
    }

    private mutating func group(_ begin: Int) throws(ModulePatternError) -> ModulePattern.Node {
        depth += 1
        defer { depth -= 1 }
        if depth > limits.depthMax { throw .tooDeep(position: begin, depthMax: limits.depthMax) }
        var isAhead: Bool?
        if take("?" as Unicode.Scalar) {
            if take("=" as Unicode.Scalar) {
                isAhead = true
            } else if take("!" as Unicode.Scalar) {
                isAhead = false
            } else if take("P<") {
                try groupName(begin)
            } else if !take(":" as Unicode.Scalar) {
                throw .notRead(position: begin, what: extensionName)
            }
        }
        let body = try alternatives()
        guard take(")" as Unicode.Scalar) else { throw .malformed(position: begin, reason: "a group is not closed") }
        return isAhead.map { .ahead(body, isWanted: $0) } ?? body
    }

    private mutating func groupName(_ begin: Int) throws(ModulePatternError) {
        let first = next
        while let character = present, character.isASCII, ModuleName.isOfWord(UInt8(character.value)) { next += 1 }
        guard next > first, !("0"..."9").contains(characters[first]), take(">" as Unicode.Scalar) else {
            throw .malformed(position: begin, reason: "a group's name is none")
        }
    }

    /// What stands behind `(?` where it is none of the groups that are read.
    private var extensionName: String {
        if characters[next...].starts(with: "<=".unicodeScalars)
            || characters[next...].starts(with: "<!".unicodeScalars)
        {
            return "a lookbehind"
        }
        return switch present {
        case ">": "an atomic group"
        case "(": "a condition"
        case "#": "a comment"
        case "P": "a backreference"
        default: "a flag"
        }
    }

    private mutating func escaped(_ begin: Int) throws(ModulePatternError) -> ModulePattern.Node {
        guard let character = present else { throw .malformed(position: begin, reason: "a backslash ends the pattern") }
        next += 1
        switch character {
        case "A": return .start
        case "Z": return .end
        case "b": return .boundary(isWanted: true)
        case "B": return .boundary(isWanted: false)
        case "1"..."9": throw .notRead(position: begin, what: "a backreference")
        default:
            if let category = Self.category(character) { return .characters(category) }
            return Self.literal(try Self.plain(character, begin))
        }
    }

    /// A class, whose opening bracket is taken.
    private mutating func bracketed(_ begin: Int) throws(ModulePatternError) -> UInt128 {
        let isNegated = take("^" as Unicode.Scalar)
        var set: UInt128 = 0
        var isFirst = true
        while true {
            guard let character = present else { throw .malformed(position: begin, reason: "a class is not closed") }
            if character == "]", !isFirst { break }
            isFirst = false
            let at = next
            let low = try classItem(begin)
            guard present == "-", next + 1 < characters.count, characters[next + 1] != "]" else {
                set |= low.set
                continue
            }
            next += 1
            let high = try classItem(begin)
            guard let first = low.character?.value, let last = high.character?.value, first <= last else {
                throw .malformed(position: at, reason: "a range of a class is none")
            }
            // Names are ASCII: what lies beyond matches none of their characters.
            if first < 128 { for value in first...min(last, 127) { set |= 1 << UInt128(value) } }
        }
        next += 1
        return isNegated ? ~set : set
    }

    /// One character of a class, or a category such as `\d`, which begins and ends no range.
    private mutating func classItem(
        _ begin: Int
    ) throws(ModulePatternError) -> (set: UInt128, character: Unicode.Scalar?) {
        guard let character = present else { throw .malformed(position: begin, reason: "a class is not closed") }
        next += 1
        guard character == "\\" else { return (Self.bit(character), character) }
        guard let escaped = present else { throw .malformed(position: begin, reason: "a class is not closed") }
        next += 1
        if let category = Self.category(escaped) { return (category, nil) }
        let plain = try Self.plain(escaped, next - 2)
        return (Self.bit(plain), plain)
    }

    /// The character that a backslash before it leaves as it is.
    private static func plain(
        _ character: Unicode.Scalar, _ begin: Int
    ) throws(ModulePatternError) -> Unicode.Scalar {
        guard character.isASCII, character != "_", ModuleName.isOfWord(UInt8(character.value)) else { return character }
        throw .notRead(position: begin, what: "the escape “\\\(character)”")
    }

    private static func category(_ character: Unicode.Scalar) -> UInt128? {
        switch character {
        case "d": members { ("0"..."9").contains(Unicode.Scalar($0)) }
        case "D": ~members { ("0"..."9").contains(Unicode.Scalar($0)) }
        case "w": members(ModuleName.isOfWord)
        case "W": ~members(ModuleName.isOfWord)
        case "s": members(isSpace)
        case "S": ~members(isSpace)
        default: nil
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { (9...13).contains(byte) || (28...32).contains(byte) }

    private static func members(_ isMember: (UInt8) -> Bool) -> UInt128 {
        (UInt8(0)..<128).reduce(0) { isMember($1) ? $0 | 1 << UInt128($1) : $0 }
    }

    private static func bit(_ character: Unicode.Scalar) -> UInt128 {
        character.isASCII ? 1 << UInt128(character.value) : 0
    }

    private static func literal(_ character: Unicode.Scalar) -> ModulePattern.Node {
        character.isASCII ? .literal(UInt8(character.value)) : .characters(0)
    }
}
