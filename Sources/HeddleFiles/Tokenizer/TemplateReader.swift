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
        case "BertProcessing", "RobertaProcessing":
            // The fields beyond the tokens shape offsets, which nobody asks for here.
            try part.check(fields: ["type", "sep", "cls", "trim_offsets", "add_prefix_space"])
            let prefix = try pair(part["cls"], tokenCount: tokenCount, limits: limits)
            return ([prefix], [try pair(part["sep"], tokenCount: tokenCount, limits: limits)])
        case "TemplateProcessing":
            try part.check(fields: ["type", "single", "pair", "special_tokens"])
            return try template(part, tokenCount: tokenCount, limits: limits)
        default:
            throw part.unsupported(
                "BertProcessing, ByteLevel, RobertaProcessing, TemplateProcessing and a Sequence of them are")
        }
    }

    /// The id in a pair of a text and an id.
    private static func pair(
        _ part: TokenizerPart, tokenCount: Int, limits: TokenizerLimits
    ) throws(TokenizerError) -> Int32 {
        let pair = try part.elements(countMax: 2)
        guard pair.count == 2 else { throw part.invalid("it is no pair of a text and a token") }
        let token = try pair[1].token(limits: limits)
        guard token < tokenCount else { throw part.invalid("\(token) is outside the vocabulary of \(tokenCount)") }
        return token
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
