/// Reads the models that are no byte-pair models.
enum UnigramReader {
    static func model(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> UnigramModel {
        try part.check(fields: ["type", "unk_id", "vocab", "byte_fallback"])
        let list = part["vocab"]
        guard case .array(let entries) = list.value else { throw list.invalid("it is no list") }
        guard entries.count <= limits.tokenCountMax else {
            throw list.invalid("it has \(entries.count) tokens; at most \(limits.tokenCountMax) are read")
        }
        var vocabulary = Vocabulary(capacity: entries.count)
        var scores: [Double] = []
        var byteCount = 0
        for (id, entry) in entries.enumerated() {
            guard let pair = entry.array, pair.count == 2, case .string(let piece) = pair[0],
                let score = pair[1].scoreOfCrate, !score.isNaN
            else {
                throw list.invalid("token \(id) is no pair of a text and a score")
            }
            guard piece.bytes.count <= limits.addedTokenByteCountMax else {
                throw list.invalid(
                    "token \(id) has \(piece.bytes.count) bytes; at most \(limits.addedTokenByteCountMax) are read")
            }
            precondition(vocabulary.insert(piece.bytes, Int32(id)), "each id is used once")
            scores.append(score)
            byteCount += piece.bytes.count
        }
        guard let unknown = part["unk_id"].value.integer else {
            throw part["unk_id"].unsupported("the id of the unknown token is")
        }
        guard unknown >= 0, unknown < scores.count else {
            throw part["unk_id"].invalid("\(unknown) is outside the vocabulary of \(scores.count)")
        }
        var trie = PieceTrie(byteCount: byteCount)
        for (id, text) in vocabulary.texts.enumerated() { trie.insert(text, Int32(id)) }
        return UnigramModel(
            vocabulary: vocabulary, trie: trie, scores: scores, unknown: Int32(unknown),
            unknownScore: (scores.min() ?? 0) - UnigramModel.unknownPenalty,
            byteTokens: try part["byte_fallback"].bool(default: false) ? vocabulary.byteTokens : [])
    }

    static func wordLevel(_ part: TokenizerPart, limits: TokenizerLimits) throws(TokenizerError) -> WordLevelModel {
        try part.check(fields: ["type", "vocab", "unk_token"])
        let vocabulary = try VocabularyReader.vocabulary(part["vocab"], limits: limits)
        guard case .string(let text) = part["unk_token"].value, let unknown = vocabulary[text.bytes] else {
            throw part["unk_token"].invalid("\(part["unk_token"].value) is not in the vocabulary")
        }
        return WordLevelModel(vocabulary: vocabulary, unknown: unknown)
    }
}

extension JSONValue {
    /// A number as the crate reads it: digits as a whole number, then times or by a power of ten. That is sometimes a
    /// neighbour of the nearest double, and where two ways through a word are equal but for rounding, it decides.
    fileprivate var scoreOfCrate: Double? {
        guard case .real(let number) = self else { return number }
        // The shortest digits that mean this double, which is what a file has where a program wrote it.
        let text = Array("\(number.magnitude)".utf8)
        let exponentPlace = text.firstIndex { $0 == UInt8(ascii: "e") } ?? text.count
        var exponent = Int(String(decoding: text[exponentPlace...].dropFirst(), as: UTF8.self)) ?? 0
        var digits: UInt64 = 0
        var isFraction = false
        for character in text[..<exponentPlace] {
            guard character != UInt8(ascii: ".") else {
                isFraction = true
                continue
            }
            // A lone zero behind the point is how Swift writes a whole number.
            digits = digits &* 10 &+ UInt64(character &- UInt8(ascii: "0"))
            if isFraction { exponent -= 1 }
        }
        guard digits != 0, exponent >= -300, exponent <= 300 else { return number }
        while digits.isMultiple(of: 10), exponent < 0 {
            digits /= 10
            exponent += 1
        }
        var power = 1.0
        if exponent != 0, let value = Double("1e\(abs(exponent))") { power = value }
        let magnitude = exponent < 0 ? Double(digits) / power : Double(digits) * power
        return number < 0 ? -magnitude : magnitude
    }
}
