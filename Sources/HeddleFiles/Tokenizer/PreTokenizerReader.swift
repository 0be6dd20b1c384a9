/// Reads the parts of a tokenizer.json around its model: how text is cut into words, and what a template adds.
enum PreTokenizerReader {
    /// The steps up to the last, which must be ByteLevel: it is what makes the model one of bytes.
    static func steps(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> [PreTokenizer.Step] {
        guard !part.isNull else { throw part.unsupported("a chain that ends in ByteLevel is") }
        var parts = [part]
        if try part.type() == "Sequence" {
            try part.check(fields: ["type", "pretokenizers"])
            parts = try part["pretokenizers"].elements(countMax: limits.stepCountMax)
        }
        guard let last = parts.popLast(), try last.type() == "ByteLevel" else {
            throw part.unsupported("a chain that ends in ByteLevel is")
        }
        var steps: [PreTokenizer.Step] = []
        for part in parts { steps.append(try step(part)) }
        try last.check(fields: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
        if try last["add_prefix_space"].bool(default: true) { steps.append(.spaceBefore) }
        if try last["use_regex"].bool(default: true) { steps.append(.split(.gpt2)) }
        return steps
    }

    private static func step(_ part: TokenizerPart) throws(TokenizerError) -> PreTokenizer.Step {
        switch try part.type() {
        case "Digits":
            try part.check(fields: ["type", "individual_digits"])
            return .digits(individual: try part["individual_digits"].bool(default: false))
        case "Split":
            try part.check(fields: ["type", "pattern", "behavior", "invert"])
            let pattern = part["pattern"]
            guard let spelling = pattern["Regex"].value.text, let known = SplitPattern(spelling: spelling) else {
                throw pattern.unsupported("the patterns of GPT-2, Llama 3 and Qwen 2 are, by their exact spelling")
            }
            // The patterns match everywhere, so that keeping only matches keeps everything.
            switch (part["behavior"].value.text, try part["invert"].bool(default: false)) {
            case ("Isolated", _), ("Removed", true): return .split(known)
            default: throw part["behavior"].unsupported("\"Isolated\", and \"Removed\" with invert, are")
            }
        default: throw part.unsupported("ByteLevel, Split, Digits and a Sequence of them are")
        }
    }
}

/// Reads what a post-processor sets before and behind a text.
enum TemplateReader {
    static func affixes(
        _ part: TokenizerPart, tokenCount: Int, limits: TokenizerLimits
    ) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        if part.isNull { return ([], []) }
        switch try part.type() {
        case "ByteLevel":
            // It trims offsets, which nobody asks for here.
            try part.check(fields: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
            return ([], [])
        case "Sequence":
            try part.check(fields: ["type", "processors"])
            var prefix: [Int32] = []
            var suffix: [Int32] = []
            for inner in try part["processors"].elements(countMax: limits.stepCountMax) {
                let (before, behind) = try affixes(inner, tokenCount: tokenCount, limits: limits)
                prefix = before + prefix
                suffix += behind
            }
            return (prefix, suffix)
        case "TemplateProcessing":
            try part.check(fields: ["type", "single", "pair", "special_tokens"])
            return try template(part, tokenCount: tokenCount, limits: limits)
        default: throw part.unsupported("ByteLevel, TemplateProcessing and a Sequence of them are")
        }
    }

    private static func template(
        _ part: TokenizerPart, tokenCount: Int, limits: TokenizerLimits
    ) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
        var affixes: (prefix: [Int32], suffix: [Int32]) = ([], [])
        var textCount = 0
        let single = part["single"]
        for piece in try single.elements(countMax: limits.stepCountMax) {
            try piece.check(fields: ["SpecialToken", "Sequence"])
            if !piece["Sequence"].isNull {
                guard piece["Sequence"]["id"].value.text == "A" else { throw piece.unsupported("the sequence A is") }
                textCount += 1
                continue
            }
            guard let name = piece["SpecialToken"]["id"].value.text else {
                throw piece.invalid("it is neither a special token nor a sequence")
            }
            let entry = part["special_tokens"][name]
            guard !entry.isNull else {
                throw entry.invalid("the template uses this special token and does not define it")
            }
            for id in try entry["ids"].elements(countMax: limits.stepCountMax) {
                let token = try id.token(limits: limits)
                guard token < tokenCount else {
                    throw id.invalid("\(token) is outside the vocabulary of \(tokenCount)")
                }
                if textCount == 0 { affixes.prefix.append(token) } else { affixes.suffix.append(token) }
            }
        }
        guard textCount == 1 else { throw single.unsupported("a template that holds the text once is") }
        return affixes
    }
}
