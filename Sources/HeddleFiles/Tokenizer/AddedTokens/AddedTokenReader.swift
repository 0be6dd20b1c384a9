/// Reads the added tokens of a tokenizer.json and holds their ids to those that the `tokenizers` crate would give them.
enum AddedTokenReader {
    static func tokens(
        _ part: TokenizerPart, vocabulary: Vocabulary, normalizer: Normalizer, limits: TokenizerLimits
    ) throws(TokenizerError) -> [AddedToken] {
        if part.isNull { return [] }
        var tokens: [AddedToken] = []
        var contents: Set<JSONString> = []
        var ids: Set<Int32> = []
        var next = Int32(vocabulary.count)
        for element in try part.elements(countMax: limits.addedTokenCountMax) {
            try element.check(fields: ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"])
            guard case .string(let content) = element["content"].value, !content.bytes.isEmpty else {
                throw element["content"].invalid("it is missing or empty")
            }
            guard content.bytes.count <= limits.addedTokenByteCountMax else {
                throw element["content"].invalid(
                    "it has \(content.bytes.count) bytes; at most \(limits.addedTokenByteCountMax) are read")
            }
            guard contents.insert(content).inserted else { throw element.invalid("“\(content)” stands twice") }
            let id = try element["id"].token(limits: limits)
            guard ids.insert(id).inserted else { throw element.invalid("token \(id) stands twice") }
            // The crate ignores the file's id: a text of the vocabulary has its id, another the next free one.
            let given: Int32
            if let known = vocabulary[content.bytes] {
                given = known
            } else {
                given = next
                next += 1
            }
            guard id == given else {
                throw element.invalid("“\(content)” has id \(id), but the vocabulary gives it \(given)")
            }
            let isNormalized = try element["normalized"].bool(default: true)
            let normal =
                isNormalized
                ? normalizer.normalized(Normalizer.Text(bytes: content.bytes, startsAtOrigin: true)).bytes
                : content.bytes
            guard !normal.isEmpty, normal.count <= limits.addedTokenByteCountMax else {
                throw element["content"].invalid("the normalizer makes \(normal.count) bytes of it")
            }
            tokens.append(
                AddedToken(
                    id: id, spelling: content.bytes, content: normal,
                    isSpecial: try element["special"].bool(default: false), isNormalized: isNormalized,
                    isSingleWord: try element["single_word"].bool(default: false),
                    stripsLeft: try element["lstrip"].bool(default: false),
                    stripsRight: try element["rstrip"].bool(default: false)))
        }
        return tokens
    }
}
