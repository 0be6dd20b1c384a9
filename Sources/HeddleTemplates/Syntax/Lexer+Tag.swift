extension Lexer {
    /// The tokens inside a tag, up to and with its end. A tag that the template ends in is left to the parser.
    mutating func tagBody(isBlock: Bool) throws(TemplateError) {
        var open: [UInt8] = []
        while let byte = byte(position) {
            if open.isEmpty, let end = tagEnd(isBlock: isBlock) {
                append(isBlock ? .blockEnd : .variableEnd)
                advance(to: end)
                return
            }
            let pastSpace = Scan.spaceEnd(source, position)
            if pastSpace > position {
                advance(to: pastSpace)
                continue
            }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                try name()
            case UInt8(ascii: "'"), UInt8(ascii: "\""): try string(quote: byte)
            default: try symbol(&open)
            }
        }
    }

    private func tagEnd(isBlock: Bool) -> Int? {
        guard isBlock else {
            if matches("-}}", position) { return Scan.spaceEnd(source, position + 3) }
            return matches("}}", position) ? position + 2 : nil
        }
        if matches("+%}", position) { return position + 3 }
        if matches("-%}", position) { return Scan.spaceEnd(source, position + 3) }
        guard matches("%}", position) else { return nil }
        return byte(position + 2) == UInt8(ascii: "\n") ? position + 3 : position + 2
    }

    private mutating func name() throws(TemplateError) {
        var end = position
        while let byte = byte(end), Scan.isWord(byte) { end += 1 }
        if let next = byte(end), next >= 0x80, Scan.spaceEnd(source, end) == end {
            throw failure(.unsupported, "names may only have ASCII letters, digits and _")
        }
        append(.name(String(decoding: source[position..<end], as: UTF8.self)))
        advance(to: end)
    }

    private mutating func string(quote: UInt8) throws(TemplateError) {
        var end = position + 1
        while let byte = byte(end), byte != quote { end += byte == UInt8(ascii: "\\") ? 2 : 1 }
        guard byte(end) == quote else {
            throw failure(.syntax, "unexpected char '\(Character(Unicode.Scalar(quote)))'")
        }
        do throws(StringEscapes.Failure) {
            append(.string(try StringEscapes.resolve(source[(position + 1)..<end])))
        } catch {
            throw failure(error.isUnsupported ? .unsupported : .syntax, error.message)
        }
        advance(to: end + 1)
    }

    private mutating func symbol(_ open: inout [UInt8]) throws(TemplateError) {
        let longest = min(2, source.count - position)
        for length in stride(from: longest, to: 0, by: -1) {
            let text = String(decoding: source[position..<(position + length)], as: UTF8.self)
            guard let symbol = Token.Symbol(rawValue: text) else { continue }
            try balance(symbol, &open)
            append(.symbol(symbol))
            advance(to: position + length)
            return
        }
        throw failure(.syntax, "unexpected char at byte \(position)")
    }

    private mutating func balance(_ symbol: Token.Symbol, _ open: inout [UInt8]) throws(TemplateError) {
        switch symbol {
        case .leftBrace: open.append(UInt8(ascii: "}"))
        case .leftParenthesis: open.append(UInt8(ascii: ")"))
        case .leftBracket: open.append(UInt8(ascii: "]"))
        case .rightBrace, .rightParenthesis, .rightBracket:
            guard let expected = open.popLast() else {
                throw failure(.syntax, "unexpected '\(symbol.rawValue)'")
            }
            guard byte(position) == expected else {
                throw failure(
                    .syntax, "unexpected '\(symbol.rawValue)', expected '\(Character(Unicode.Scalar(expected)))'")
            }
        default: break
        }
    }

    // MARK: numbers

    private mutating func number() throws(TemplateError) {
        if position == 0 || source[position - 1] != UInt8(ascii: "."), let end = floatEnd() {
            guard let number = Double(digits(position..<end)), number.isFinite else {
                throw failure(.unsupported, "the number is too large for a double")
            }
            append(.float(number))
            advance(to: end)
            return
        }
        let (end, radix) = integerEnd()
        let text = digits((position + (radix == 10 ? 0 : 2))..<end)
        guard let number = Int(text, radix: radix) else {
            throw failure(.unsupported, "whole numbers beyond 64 bits are not supported")
        }
        append(.integer(number))
        advance(to: end)
    }

    private func digits(_ range: Range<Int>) -> String {
        String(decoding: source[range].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// Where a number with a fraction or an exponent ends; nil where there is none at the position.
    private func floatEnd() -> Int? {
        guard let whole = decimalEnd(position) else { return nil }
        var end = whole
        if byte(whole) == UInt8(ascii: "."), let fraction = decimalEnd(whole + 1) { end = fraction }
        if let mark = byte(end), mark | 0x20 == UInt8(ascii: "e") {
            var start = end + 1
            if byte(start) == UInt8(ascii: "+") || byte(start) == UInt8(ascii: "-") { start += 1 }
            if let exponent = decimalEnd(start) { return exponent }
        }
        return end > whole ? end : nil
    }

    /// Digits in groups with single underscores between them.
    private func decimalEnd(_ start: Int) -> Int? {
        var end = start
        while let digit = byte(end), Scan.isDigit(digit) {
            end += 1
            if byte(end) == UInt8(ascii: "_"), let next = byte(end + 1), Scan.isDigit(next) { end += 1 }
        }
        return end > start ? end : nil
    }

    private func integerEnd() -> (end: Int, radix: Int) {
        if byte(position) == UInt8(ascii: "0") {
            let radix: Int
            switch byte(position + 1).map({ $0 | 0x20 }) {
            case UInt8(ascii: "b"): radix = 2
            case UInt8(ascii: "o"): radix = 8
            case UInt8(ascii: "x"): radix = 16
            default: radix = 0
            }
            if radix > 0 {
                let end = end(from: position + 2) {
                    Character(Unicode.Scalar($0)).hexDigitValue.map { $0 < radix } ?? false
                }
                if end > position + 2 { return (end, radix) }
            }
            return (end(from: position) { $0 == UInt8(ascii: "0") }, 10)
        }
        return (end(from: position, where: Scan.isDigit), 10)
    }

    private func end(from start: Int, where isDigit: (UInt8) -> Bool) -> Int {
        var end = start
        while let digit = byte(end) {
            if isDigit(digit) {
                end += 1
            } else if digit == UInt8(ascii: "_"), let next = byte(end + 1), isDigit(next) {
                end += 2
            } else {
                break
            }
        }
        return end
    }
}
