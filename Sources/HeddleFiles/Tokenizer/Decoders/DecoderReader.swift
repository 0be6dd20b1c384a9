/// Reads how a tokenizer.json turns tokens into text.
enum DecoderReader {
    static func chain(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> DecoderChain {
        var stages: [DecoderChain.Stage] = []
        var isFused = false
        if part.isNull {
            stages.append(.spaceBetween)
        } else {
            try append(part, to: &stages, isFused: &isFused, depth: 0, limits: limits)
        }
        return DecoderChain(stages)
    }

    private static func append(
        _ part: TokenizerPart, to stages: inout [DecoderChain.Stage], isFused: inout Bool, depth: Int,
        limits: TokenizerLimits
    ) throws(TokenizerError) {
        guard depth < limits.stepCountMax, stages.count < limits.stepCountMax else {
            throw part.invalid("it is beyond step \(limits.stepCountMax)")
        }
        switch try part.type() {
        case "Sequence":
            try part.check(fields: ["type", "decoders"])
            for inner in try part["decoders"].elements(countMax: limits.stepCountMax) {
                try append(inner, to: &stages, isFused: &isFused, depth: depth + 1, limits: limits)
            }
        case "ByteLevel":
            try part.check(fields: ["type", "add_prefix_space", "trim_offsets", "use_regex"])
            guard !isFused else { throw part.unsupported("ByteLevel before Fuse is") }
            stages.append(.byteLevel)
            isFused = true
        case "ByteFallback":
            try part.check(fields: ["type"])
            guard !isFused else { throw part.unsupported("ByteFallback before Fuse is") }
            stages.append(.byteFallback)
        case "Fuse":
            try part.check(fields: ["type"])
            stages.append(.fuse)
            isFused = true
        case "Metaspace":
            let metaspace = try PreTokenizerReader.metaspace(part)
            stages.append(
                .metaspace(sign: metaspace.replacement, dropsFirst: metaspace.prepending != .never))
        case "Replace":
            try part.check(fields: ["type", "pattern", "content"])
            let pattern = try PatternReader.pattern(part["pattern"], limits: limits)
            if case .program = pattern, isFused { throw part["pattern"].unsupported("a text is, behind Fuse") }
            stages.append(.replace(pattern, with: try NormalizerReader.text(part["content"], limits: limits)))
        case "Strip":
            try part.check(fields: ["type", "content", "start", "stop"])
            guard part["stop"].value.integer == 0 else { throw part["stop"].unsupported("0 is") }
            guard let count = part["start"].value.integer, count >= 0, count <= limits.stepCountMax else {
                throw part["start"].invalid("\(part["start"].value) is no number from 0 to \(limits.stepCountMax)")
            }
            stages.append(.strip(try PreTokenizerReader.scalar(part["content"]), countMax: count))
        default:
            throw part.unsupported("ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence and Strip are")
        }
    }
}
