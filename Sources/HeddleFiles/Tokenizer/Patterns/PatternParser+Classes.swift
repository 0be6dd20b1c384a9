/// Reads the sets of scalars of a pattern: classes, escapes and properties.
extension PatternParser {
    /// A class from behind its bracket on.
    mutating func characterClass(ignoresCase: Bool) throws(PatternError) -> ScalarSetBuilder {
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
                let (inner, single) = try escape(ignoresCase: ignoresCase, isInClass: true)
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
                guard let single = try escape(ignoresCase: ignoresCase, isInClass: true).single else {
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

    func insert(
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
    mutating func escape(
        ignoresCase: Bool, isInClass: Bool
    ) throws(PatternError) -> (builder: ScalarSetBuilder, single: Unicode.Scalar?) {
        guard let scalar = next else { throw error("the pattern ends in a backslash") }
        position += 1
        var builder = ScalarSetBuilder()
        let singles: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "r": "\r", "t": "\t", "f": "\u{C}", "v": "\u{B}", "a": "\u{7}", "e": "\u{1B}",
        ]
        let word = isInClass ? "wordOfClass" : "word"
        let classes: [Unicode.Scalar: String] = [
            "s": "space", "S": "space", "d": "Nd", "D": "Nd", "w": word, "W": word,
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
            let (kinds, isNegated) = try property()
            builder.insert(kinds: kinds)
            if isNegated != (scalar == "P") { builder.negate() }
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

    private mutating func property() throws(PatternError) -> (kinds: ScalarKinds.Mask, isNegated: Bool) {
        guard next == "{", let end = scalars[position...].firstIndex(of: "}") else {
            throw error("a property is malformed")
        }
        var name = String(String.UnicodeScalarView(scalars[(position + 1)..<end]))
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        let long = ["Letter": "L", "Number": "N", "Punctuation": "P", "Symbol": "S", "Mark": "M", "Separator": "Z"]
        // “space” and “word” are names of ours.
        guard name.first?.isUppercase == true, let kinds = ScalarKinds.kinds(named: long[name] ?? name) else {
            throw error("the property “\(name)” is not understood")
        }
        position = end + 1
        return (kinds, isNegated)
    }

    /// `\xHH`, `\x{H…}` or `\uHHHH`, from behind the letter on.
    private mutating func hexadecimal(isShort: Bool) throws(PatternError) -> Unicode.Scalar {
        var digits: [Unicode.Scalar]
        let isBraced = isShort && next == "{"
        if isBraced {
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
            isBraced || digits.count != 2 || number < 0x80
        else { throw error("a scalar's number is malformed") }
        return scalar
    }
}
