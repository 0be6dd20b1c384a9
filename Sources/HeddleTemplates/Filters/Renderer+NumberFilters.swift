import Foundation

extension Renderer {
    func applyNumber(_ name: String, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch name {
        case "abs":
            _ = try bind(arguments, name, [])
            if case .float(let number) = value { return .float(number.magnitude) }
            guard let number = value.index else {
                throw failure(.type, "bad operand type for abs(): '\(value.typeName)'")
            }
            guard number != .min else { throw tooLarge() }
            return .integer(abs(number))
        case "int":
            let values = try bind(arguments, name, ["default", "base"])
            return try whole(value, default: values[0] ?? .integer(0), base: try integer(values[1], or: 10))
        case "float":
            let fallback = try bind(arguments, name, ["default"])[0] ?? .float(0)
            if case .undefined(let undefined) = value { throw use(of: undefined) }
            if let number = Self.double(value) { return .float(number) }
            return value.string.flatMap { NumberText.double($0) }.map { .float($0) } ?? fallback
        case "round": return try round(value, arguments)
        default: return try sum(value, arguments)
        }
    }

    private func whole(_ value: Value, default fallback: Value, base: Int) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw use(of: undefined)
        case .text(let text), .markup(let text):
            switch NumberText.whole(text, base: base) {
            case .number(let number): return .integer(number)
            case .tooLarge: throw tooLarge()
            case .none: break
            }
            guard let number = NumberText.double(text), number.isFinite else { return fallback }
            return try truncated(number)
        case .float(let number):
            if number.isNaN { return fallback }
            guard number.isFinite else { throw failure(.overflow, "cannot convert float infinity to integer") }
            return try truncated(number)
        default: return value.index.map { .integer($0) } ?? fallback
        }
    }

    private func truncated(_ number: Double) throws(TemplateError) -> Value {
        guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw tooLarge() }
        return .integer(whole)
    }

    // MARK: rounding

    private func round(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "round", ["precision", "method"])
        let method = values[1] ?? .text(Text("common"))
        guard let word = method.string?.description, ["common", "ceil", "floor"].contains(word) else {
            throw failure(.runtime, "method must be common, ceil or floor")
        }
        guard let number = Self.double(value) else {
            if word != "common", case .undefined(let undefined) = value { throw use(of: undefined) }
            throw failure(.type, "type \(value.typeName) doesn't define __round__ method")
        }
        let precision = try integer(values[0], or: 0)
        guard (0...300).contains(precision) else { throw unsupported("rounding to \(precision) digits") }
        if word == "common" {
            if let whole = value.index { return .integer(whole) }
            guard number.isFinite else { return value }
            return .float(Double(FloatText.formatted(number, kind: "f", precision: precision)) ?? number)
        }
        guard number.isFinite else { throw failure(.overflow, "cannot convert float infinity to integer") }
        let scale = pow(10, Double(precision))
        guard scale <= 0x1p53, (number * scale).magnitude <= 0x1p53 else { throw tooLarge() }
        return .float((number * scale).rounded(word == "ceil" ? .up : .down) / scale)
    }

    private func sum(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, "sum", ["attribute", "start"])
        let path = try path(values[0])
        var total = values[1] ?? .integer(0)
        let iterator = try iterate(value)
        if total.string != nil { throw failure(.type, "sum() can't sum strings [use ''.join(seq) instead]") }
        while let next = try iterator.next() {
            total = try compute(.add, total, path.isEmpty ? next : try follow(path, from: next))
        }
        return total
    }
}

/// Reads numbers as Python's `int` and `float` do.
enum NumberText {
    enum Whole {
        case number(Int)
        case tooLarge
        case none
    }

    static func whole(_ text: Text, base: Int) -> Whole {
        guard base == 0 || (2...36).contains(base) else { return .none }
        var rest = Array(text.stripped(of: nil).bytes)[...]
        guard rest.allSatisfy({ $0 < 0x80 }) else { return .none }
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        var radix = base
        let mark = rest.dropFirst().first.map { $0 | 0x20 }
        if rest.first == UInt8(ascii: "0"), let mark {
            let marked =
                mark == UInt8(ascii: "x") ? 16 : mark == UInt8(ascii: "o") ? 8 : mark == UInt8(ascii: "b") ? 2 : 0
            if marked != 0, base == 0 || base == marked {
                radix = marked
                rest = rest.dropFirst(2)
                if rest.first == UInt8(ascii: "_") { rest.removeFirst() }
            }
        }
        if radix == 0 {
            radix = 10
            // Python takes no leading zeros there, but for zero itself.
            if rest.first == UInt8(ascii: "0"),
                rest.contains(where: { $0 != UInt8(ascii: "0") && $0 != UInt8(ascii: "_") })
            {
                return .none
            }
        }
        guard let digits = ungrouped(rest), !digits.isEmpty else { return .none }
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isASCIIDigit(radix: radix) }) else { return .none }
        let word = (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)
        return Int(word, radix: radix).map { .number($0) } ?? .tooLarge
    }

    static func double(_ text: Text) -> Double? {
        let trimmed = text.stripped(of: nil)
        guard trimmed.isASCII, let bytes = ungrouped(trimmed.bytes[...]) else { return nil }
        let word = String(decoding: bytes, as: UTF8.self).lowercased()
        let unsigned = word.hasPrefix("-") || word.hasPrefix("+") ? String(word.dropFirst()) : word
        switch unsigned {
        case "inf", "infinity": return word.hasPrefix("-") ? -.infinity : .infinity
        case "nan": return .nan
        default:
            guard !unsigned.isEmpty, unsigned.utf8.allSatisfy({ Scan.isDigit($0) || "e.+-".utf8.contains($0) }) else {
                return nil
            }
            // Swift wants digits around the point, Python on one side of it.
            var padded = word.replacingOccurrences(of: ".e", with: ".0e")
            if padded.hasSuffix(".") { padded += "0" }
            guard
                unsigned.utf8.first.map(Scan.isDigit) == true
                    || unsigned.dropFirst().utf8.first.map(Scan.isDigit) == true
            else { return nil }
            return Double(padded)
        }
    }

    /// Without underscores, which may stand only between digits.
    private static func ungrouped(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var previous: UInt8?
        for byte in bytes {
            if byte == UInt8(ascii: "_") {
                guard let previous, previous != byte, isWordy(previous) else { return nil }
            } else {
                if previous == UInt8(ascii: "_"), !isWordy(byte) { return nil }
                result.append(byte)
            }
            previous = byte
        }
        return previous == UInt8(ascii: "_") ? nil : result
    }

    private static func isWordy(_ byte: UInt8) -> Bool { Scan.isWord(byte) && byte != UInt8(ascii: "_") }
}

extension Character {
    fileprivate func isASCIIDigit(radix: Int) -> Bool {
        guard let value = asciiValue else { return false }
        switch value {
        case 0x30...0x39: return Int(value - 0x30) < radix
        case 0x41...0x5A: return Int(value - 0x41) + 10 < radix
        case 0x61...0x7A: return Int(value - 0x61) + 10 < radix
        default: return false
        }
    }
}
