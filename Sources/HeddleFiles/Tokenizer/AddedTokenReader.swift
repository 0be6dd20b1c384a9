/// Reads the added tokens of a tokenizer.json and holds their ids to those that the `tokenizers` crate would give them.
enum AddedTokenReader {
    static func tokens(
        _ part: TokenizerPart, vocabulary: VocabularyReader, normalizes: Bool, limits: TokenizerLimits
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
            if let known = vocabulary.token(content) {
                given = known
            } else {
                given = next
            }
            guard id == given else {
                throw element.invalid("“\(content)” has id \(id), but the vocabulary gives it \(given)")
            }
            if id >= next { next = id + 1 }
            let isNormalized = try element["normalized"].bool(default: true)
            tokens.append(
                AddedToken(
                    id: id, spelling: content.bytes,
                    content: normalizes && isNormalized ? normalized(content.bytes) : content.bytes,
                    isSpecial: try element["special"].bool(default: false), isNormalized: isNormalized,
                    isSingleWord: try element["single_word"].bool(default: false),
                    stripsLeft: try element["lstrip"].bool(default: false),
                    stripsRight: try element["rstrip"].bool(default: false)))
        }
        return tokens
    }

    private static func normalized(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { NormalForm.shared.composed($0) } ?? bytes
    }
}
