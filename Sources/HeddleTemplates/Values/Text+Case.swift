extension Text {
    var uppercased: Text {
        if isASCII { return Text(bytes.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }) }
        return mapped { scalar, _ in scalar.properties.uppercaseMapping }
    }

    var lowercased: Text {
        if isASCII { return Text(bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 }) }
        let scalars = Array(scalars)
        return mapped { scalar, index in Self.lower(scalar, scalars, index) }
    }

    /// The first scalar as a title, the rest small.
    var capitalized: Text {
        let scalars = Array(scalars)
        return mapped { scalar, index in
            index == 0 ? scalar.properties.titlecaseMapping : Self.lower(scalar, scalars, index)
        }
    }

    /// Every word's first scalar as a title, the rest small; a word is a run of cased scalars (`str.title`).
    var titled: Text {
        let scalars = Array(scalars)
        var isInside = false
        return mapped { scalar, index in
            defer { isInside = Self.isCased(scalar) }
            return isInside ? Self.lower(scalar, scalars, index) : scalar.properties.titlecaseMapping
        }
    }

    var caseSwapped: Text {
        let scalars = Array(scalars)
        return mapped { scalar, index in
            if scalar.properties.isUppercase { return Self.lower(scalar, scalars, index) }
            return scalar.properties.isLowercase ? scalar.properties.uppercaseMapping : String(scalar)
        }
    }

    private func mapped(_ change: (Unicode.Scalar, Int) -> String) -> Text {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, scalar) in scalars.enumerated() { result += change(scalar, index).utf8 }
        return Text(result)
    }

    /// A sigma at a word's end has a form of its own.
    private static func lower(_ scalar: Unicode.Scalar, _ scalars: [Unicode.Scalar], _ index: Int) -> String {
        guard scalar == "\u{3A3}" else { return scalar.properties.lowercaseMapping }
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before.map(\.properties.isCased) == true && after.map(\.properties.isCased) != true
        return isFinal ? "\u{3C2}" : "\u{3C3}"
    }

    static func isCased(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isUppercase || scalar.properties.isLowercase
            || scalar.properties.generalCategory == .titlecaseLetter
    }

    // MARK: questions

    /// `str.islower`: something is small and nothing is large.
    var isLower: Bool {
        scalars.contains { $0.properties.isLowercase }
            && !scalars.contains { $0.properties.isUppercase || $0.properties.generalCategory == .titlecaseLetter }
    }

    var isUpper: Bool {
        scalars.contains { $0.properties.isUppercase }
            && !scalars.contains { $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter }
    }

    var isTitle: Bool {
        var isInside = false
        var isTitle = false
        for scalar in scalars {
            if scalar.properties.isUppercase || scalar.properties.generalCategory == .titlecaseLetter {
                if isInside { return false }
                isInside = true
                isTitle = true
            } else if scalar.properties.isLowercase {
                if !isInside { return false }
                isTitle = true
            } else {
                isInside = false
            }
        }
        return isTitle
    }

    private func all(_ holds: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && scalars.allSatisfy(holds) }

    var isSpace: Bool { all(Scan.isSpace) }
    var isDecimal: Bool { all(Self.isDecimal) }
    var isDigit: Bool { all(Self.isDigit) }
    var isNumeric: Bool { all { $0.properties.numericType != nil } }
    var isAlphabetic: Bool { all(Self.isLetter) }
    var isAlphanumeric: Bool { all { Self.isLetter($0) || $0.properties.numericType != nil } }

    private static func isDecimal(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.numericType == .decimal }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
    }
    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Whether `repr` shows the scalar as it is.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
