/// Reads how a tokenizer.json changes text before it cuts it.
enum NormalizerReader {
    static func normalizer(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> Normalizer {
        var steps: [Normalizer.Step] = []
        if !part.isNull { try append(part, to: &steps, depth: 0, limits: limits) }
        return Normalizer(steps: steps)
    }

    private static func append(
        _ part: TokenizerPart, to steps: inout [Normalizer.Step], depth: Int, limits: TokenizerLimits
    ) throws(TokenizerError) {
        guard depth < limits.stepCountMax, steps.count < limits.stepCountMax else {
            throw part.invalid("it is beyond step \(limits.stepCountMax)")
        }
        switch try part.type() {
        case "Sequence":
            try part.check(fields: ["type", "normalizers"])
            for inner in try part["normalizers"].elements(countMax: limits.stepCountMax) {
                try append(inner, to: &steps, depth: depth + 1, limits: limits)
            }
        case "NFC": steps.append(.form(try plain(part, .c)))
        case "NFD": steps.append(.form(try plain(part, .d)))
        case "NFKC": steps.append(.form(try plain(part, .kc)))
        case "NFKD": steps.append(.form(try plain(part, .kd)))
        case "Lowercase": steps.append(try plain(part, .lowercase))
        case "StripAccents": steps.append(try plain(part, .stripAccents))
        case "Nmt": steps.append(try plain(part, .nmt))
        case "Strip":
            try part.check(fields: ["type", "strip_left", "strip_right"])
            steps.append(
                .strip(
                    left: try part["strip_left"].bool(default: false),
                    right: try part["strip_right"].bool(default: false)))
        case "Prepend":
            try part.check(fields: ["type", "prepend"])
            steps.append(.prepend(try text(part["prepend"], limits: limits)))
        case "Replace":
            try part.check(fields: ["type", "pattern", "content"])
            steps.append(
                .replace(
                    try PatternReader.pattern(part["pattern"], limits: limits),
                    with: try text(part["content"], limits: limits)))
        case "Precompiled":
            try part.check(fields: ["type", "precompiled_charsmap"])
            let charsmap = part["precompiled_charsmap"]
            guard case .string(let base64) = charsmap.value, let map = CharacterMap(base64: base64.bytes) else {
                throw charsmap.invalid("it is no character map in base64")
            }
            steps.append(.characterMap(map))
        default:
            throw part.unsupported(
                "Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip and "
                    + "StripAccents are")
        }
    }

    /// A step without fields.
    private static func plain<Value>(_ part: TokenizerPart, _ value: Value) throws(TokenizerError) -> Value {
        try part.check(fields: ["type"])
        return value
    }

    static func text(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> [UInt8] {
        guard case .string(let text) = part.value else { throw part.invalid("\(part.value) is no text") }
        guard text.bytes.count <= limits.addedTokenByteCountMax else {
            throw part.invalid("it has \(text.bytes.count) bytes; at most \(limits.addedTokenByteCountMax) are read")
        }
        return text.bytes
    }
}
