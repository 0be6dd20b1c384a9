/// Cuts a template into tokens as Jinja2's lexer does with `trim_blocks` and `lstrip_blocks`: it decides which
/// whitespace around tags belongs to the output.
struct Lexer {
    private(set) var source: [UInt8]
    private(set) var position = 0
    private(set) var tokens: [Token] = []
    /// The line of the byte at `countedTo`.
    private var line = 1
    private var countedTo = 0

    init(_ source: [UInt8]) { self.source = Self.normalized(source) }

    /// All tokens; the last is `.end`.
    static func tokens(of source: [UInt8]) throws(TemplateError) -> [Token] {
        var lexer = Lexer(source)
        while lexer.position < lexer.source.count { try lexer.root() }
        lexer.append(.end)
        return lexer.tokens
    }

    /// Line ends become `\n`, and the last of them is dropped.
    private static func normalized(_ source: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            let byte = source[index]
            index += 1
            if byte == UInt8(ascii: "\r") {
                if index < source.count, source[index] == UInt8(ascii: "\n") { index += 1 }
                result.append(UInt8(ascii: "\n"))
            } else {
                result.append(byte)
            }
        }
        if result.last == UInt8(ascii: "\n") { result.removeLast() }
        return result
    }

    /// Text up to the next tag, and that tag.
    private mutating func root() throws(TemplateError) {
        guard let tag = nextTag() else {
            append(.data(Text(Array(source[position...]))))
            position = source.count
            return
        }
        let kind = source[tag + 1]
        let sign = byte(tag + 2)
        let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        let rawEnd = kind == UInt8(ascii: "%") ? endOfRawTag(tag) : nil
        appendData(
            position..<tag, sign: isSigned ? sign : nil, isVariable: kind == UInt8(ascii: "{"))
        position = tag
        if let rawEnd {
            try raw(from: rawEnd)
            return
        }
        position = tag + (isSigned ? 3 : 2)
        switch kind {
        case UInt8(ascii: "#"): try comment()
        case UInt8(ascii: "%"):
            append(.blockBegin)
            try tagBody(isBlock: true)
        default:
            append(.variableBegin)
            try tagBody(isBlock: false)
        }
    }

    private func nextTag() -> Int? {
        var index = position
        while index + 1 < source.count {
            if source[index] == UInt8(ascii: "{") {
                switch source[index + 1] {
                case UInt8(ascii: "%"), UInt8(ascii: "{"), UInt8(ascii: "#"): return index
                default: break
                }
            }
            index += 1
        }
        return nil
    }

    /// Emits the text before a tag without what the tag's sign, or the start of its line, takes from it.
    private mutating func appendData(_ range: Range<Int>, sign: UInt8?, isVariable: Bool) {
        var end = range.upperBound
        if sign == UInt8(ascii: "-") {
            end = Scan.endWithoutSpace(source, range)
        } else if sign == nil, !isVariable {
            let lineBreak = source[range].lastIndex(of: UInt8(ascii: "\n"))
            let lineStart = lineBreak.map { $0 + 1 } ?? range.lowerBound
            let startsLine =
                lineBreak != nil || range.lowerBound == 0 || source[range.lowerBound - 1] == UInt8(ascii: "\n")
            if startsLine, Scan.endWithoutSpace(source, lineStart..<end) == lineStart { end = lineStart }
        }
        if end > range.lowerBound { append(.data(Text(Array(source[range.lowerBound..<end])))) }
    }

    private mutating func comment() throws(TemplateError) {
        // Jinja2 does not mind what the template's end leaves open with nothing in it.
        if position == source.count { return }
        var index = position
        while index < source.count {
            if matches("+#}", index) {
                position = index + 3
                return
            }
            if matches("-#}", index) {
                position = Scan.spaceEnd(source, index + 3)
                return
            }
            if matches("#}", index) {
                position = index + 2
                if byte(position) == UInt8(ascii: "\n") { position += 1 }
                return
            }
            index += 1
        }
        throw failure(.syntax, "Missing end of comment tag")
    }

    /// Where `{% raw %}` at `tag` ends; nil where another tag stands there.
    private func endOfRawTag(_ tag: Int) -> Int? {
        guard let end = wordEnd("raw", afterTag: tag) else { return nil }
        if matches("-%}", end) { return Scan.spaceEnd(source, end + 3) }
        return matches("%}", end) ? end + 2 : nil
    }

    /// Where the word and the space behind it end, when it is the first of the tag.
    private func wordEnd(_ word: StaticString, afterTag tag: Int) -> Int? {
        // A sign belongs to the tag where there is one; a regular expression would also try without it, in vain.
        var index = tag + 2
        if byte(index) == UInt8(ascii: "-") || byte(index) == UInt8(ascii: "+") { index += 1 }
        index = Scan.spaceEnd(source, index)
        guard matches(word, index) else { return nil }
        return Scan.spaceEnd(source, index + word.utf8CodeUnitCount)
    }

    private mutating func raw(from start: Int) throws(TemplateError) {
        position = start
        if position == source.count { return }
        var index = start
        while index < source.count {
            if matches("{%", index), let end = wordEnd("endraw", afterTag: index) {
                let close: Int?
                if matches("+%}", end) {
                    close = end + 3
                } else if matches("-%}", end) {
                    close = Scan.spaceEnd(source, end + 3)
                } else if matches("%}", end) {
                    close = byte(end + 2) == UInt8(ascii: "\n") ? end + 3 : end + 2
                } else {
                    close = nil
                }
                if let close {
                    let sign = byte(index + 2)
                    let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
                    appendData(start..<index, sign: isSigned ? sign : nil, isVariable: false)
                    position = close
                    return
                }
            }
            index += 1
        }
        throw failure(.syntax, "Missing end of raw directive")
    }

    // MARK: what the parts share

    func byte(_ index: Int) -> UInt8? { index < source.count ? source[index] : nil }

    func matches(_ word: StaticString, _ index: Int) -> Bool {
        guard index + word.utf8CodeUnitCount <= source.count else { return false }
        // Safety: the offset stays below the literal's own count.
        for offset in 0..<word.utf8CodeUnitCount where source[index + offset] != word.utf8Start[offset] { return false }
        return true
    }

    mutating func advance(to index: Int) { position = index }

    mutating func append(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: currentLine())) }

    mutating func failure(_ kind: TemplateError.Kind, _ message: String) -> TemplateError {
        TemplateError(kind: kind, message: message, line: currentLine())
    }

    private mutating func currentLine() -> Int {
        // Positions only grow, so each line break is counted once.
        while countedTo < position {
            if source[countedTo] == UInt8(ascii: "\n") { line += 1 }
            countedTo += 1
        }
        return line
    }
}
