/// Reads how a tokenizer.json cuts text into words.
enum PreTokenizerReader {
    /// The steps, and whether words leave them in the byte alphabet though no step says so: where ByteLevel is the last, a
    /// model that knows bytes needs no detour.
    static func steps(
        _ part: TokenizerPart, limits: TokenizerLimits
    ) throws(TokenizerError) -> (steps: [PreTokenizer.Step], endsInBytes: Bool) {
        var parts: [TokenizerPart] = []
        try flatten(part, into: &parts, depth: 0, limits: limits)
        var steps: [PreTokenizer.Step] = []
        var endsInBytes = false
        for (index, part) in parts.enumerated() {
            endsInBytes = false
            switch try part.type() {
            case "ByteLevel":
                try part.check(fields: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
                if try part["add_prefix_space"].bool(default: true) { steps.append(.spaceBefore) }
                if try part["use_regex"].bool(default: true) {
                    steps.append(.split(SplitRule(matcher: .known(.gpt2), behavior: .isolated, isInverted: false)))
                }
                endsInBytes =
                    index == parts.count - 1
                    && !steps.contains { if case .byteAlphabet = $0 { true } else { false } }
                if !endsInBytes { steps.append(.byteAlphabet) }
            case "Metaspace":
                let metaspace = try metaspace(part)
                // Whether a piece further back starts the text depends on where the crate thinks it came from.
                if metaspace.prepending == .first, index > 0 {
                    throw part["prepend_scheme"].unsupported("\"first\" is where no other step comes before")
                }
                steps.append(.metaspace(metaspace))
            default: steps.append(.split(try rule(part, limits: limits)))
            }
        }
        return (steps, endsInBytes)
    }

    private static func flatten(
        _ part: TokenizerPart, into parts: inout [TokenizerPart], depth: Int, limits: TokenizerLimits
    ) throws(TokenizerError) {
        if part.isNull, depth == 0 { return }
        guard try part.type() == "Sequence" else {
            parts.append(part)
            guard parts.count <= limits.stepCountMax else {
                throw part.invalid("it is beyond step \(limits.stepCountMax)")
            }
            return
        }
        try part.check(fields: ["type", "pretokenizers"])
        guard depth < limits.stepCountMax else { throw part.invalid("it is nested too deep") }
        for inner in try part["pretokenizers"].elements(countMax: limits.stepCountMax) {
            try flatten(inner, into: &parts, depth: depth + 1, limits: limits)
        }
    }

    private static func rule(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> SplitRule {
        switch try part.type() {
        case "Digits":
            try part.check(fields: ["type", "individual_digits"])
            let isIndividual = try part["individual_digits"].bool(default: false)
            return SplitRule(
                matcher: .scalars(.digit), behavior: isIndividual ? .isolated : .contiguous, isInverted: false)
        case "Punctuation":
            try part.check(fields: ["type", "behavior"])
            let behavior = part["behavior"].isNull ? .isolated : try behavior(part["behavior"])
            return SplitRule(matcher: .scalars(.punctuation), behavior: behavior, isInverted: false)
        case "WhitespaceSplit":
            try part.check(fields: ["type"])
            return SplitRule(matcher: .scalars(.stripped), behavior: .removed, isInverted: false)
        case "Whitespace":
            try part.check(fields: ["type"])
            return SplitRule(matcher: .words, behavior: .removed, isInverted: true)
        case "CharDelimiterSplit", "Delimiter":
            try part.check(fields: ["type", "delimiter"])
            let delimiter = try scalar(part["delimiter"])
            return SplitRule(matcher: .pattern(.literal(delimiter)), behavior: .removed, isInverted: false)
        case "Split":
            try part.check(fields: ["type", "pattern", "behavior", "invert"])
            let matcher: SplitRule.Matcher
            if let spelling = part["pattern"]["Regex"].value.text, let known = SplitPattern(spelling: spelling) {
                matcher = .known(known)
            } else {
                matcher = .pattern(try PatternReader.pattern(part["pattern"], limits: limits))
            }
            return SplitRule(
                matcher: matcher, behavior: try behavior(part["behavior"]),
                isInverted: try part["invert"].bool(default: false))
        default:
            throw part.unsupported(
                "ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace and "
                    + "WhitespaceSplit are")
        }
    }

    private static func behavior(_ part: TokenizerPart) throws(TokenizerError) -> SplitRule.Behavior {
        switch part.value.text {
        case "Removed": return .removed
        case "Isolated": return .isolated
        case "MergedWithPrevious": return .mergedWithPrevious
        case "MergedWithNext": return .mergedWithNext
        case "Contiguous": return .contiguous
        default: throw part.unsupported("Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous are")
        }
    }

    /// A Metaspace, which is a pre-tokenizer and a decoder alike.
    static func metaspace(_ part: TokenizerPart) throws(TokenizerError) -> PreTokenizer.Metaspace {
        try part.check(fields: ["type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"])
        var prepending: PreTokenizer.Metaspace.Prepending
        switch part["prepend_scheme"].value.text {
        case "never": prepending = .never
        case "first": prepending = .first
        case "always": prepending = .always
        default:
            guard part["prepend_scheme"].isNull else {
                throw part["prepend_scheme"].unsupported("never, first and always are")
            }
            prepending = .always
        }
        if try !part["add_prefix_space"].bool(default: true) {
            guard part["prepend_scheme"].isNull || prepending == .never else {
                throw part["add_prefix_space"].invalid("it contradicts prepend_scheme")
            }
            prepending = .never
        }
        return PreTokenizer.Metaspace(
            replacement: try scalar(part["replacement"]), prepending: prepending,
            splits: try part["split"].bool(default: true))
    }

    /// The UTF-8 of a text that is one scalar.
    static func scalar(_ part: TokenizerPart) throws(TokenizerError) -> [UInt8] {
        guard case .string(let text) = part.value, text.description.unicodeScalars.count == 1 else {
            throw part.invalid("\(part.value) is not one character")
        }
        return text.bytes
    }
}

/// Reads what Split and Replace parts look for.
enum PatternReader {
    static func pattern(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> TextPattern {
        try part.check(fields: ["String", "Regex"])
        switch (part["String"].value, part["Regex"].value) {
        case (.string(let text), .null):
            guard !text.bytes.isEmpty else { throw part.unsupported("a text that is not empty is") }
            guard text.bytes.count <= limits.addedTokenByteCountMax else {
                throw part.unsupported("a text of at most \(limits.addedTokenByteCountMax) bytes is")
            }
            return .literal(text.bytes)
        case (.null, .string(let spelling)):
            do throws(PatternError) { return .program(try PatternProgram(spelling.description)) } catch {
                throw part.unsupported(error.reason)
            }
        default: throw part.invalid("it is neither a text nor a pattern")
        }
    }
}
