/// Reads a tokenizer.json: every part is understood, or refused by name.
struct TokenizerFile {
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    let model: TokenModel
    let decoder: DecoderChain
    let addedTokens: [AddedToken]
    /// By id, as the decoder sees them: the normal form of an added token, and else as the file spells it; nil where there
    /// is no token.
    let texts: [[UInt8]?]
    /// What a template sets before and behind every text.
    let prefix: [Int32]
    let suffix: [Int32]

    init(_ value: JSONValue, file: String, limits: TokenizerLimits) throws(TokenizerError) {
        let root = TokenizerPart(value: value, file: file, path: "")
        try root.check(
            fields: [
                "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                "decoder", "model",
            ])
        for field in ["truncation", "padding"] {
            let part = root[field]
            guard part.isNull else { throw part.unsupported("null is: the engine sees every prompt whole") }
        }
        normalizer = try NormalizerReader.normalizer(root["normalizer"], limits: limits)
        var (steps, endsInBytes) = try PreTokenizerReader.steps(root["pre_tokenizer"], limits: limits)
        decoder = try DecoderReader.chain(root["decoder"], limits: limits)

        let part = root["model"]
        let vocabulary: Vocabulary
        // Old files do not name the type.
        switch part["type"].isNull ? "BPE" : part["type"].value.text {
        case "BPE":
            let reader = try BytePairReader(part, usesBytes: endsInBytes, limits: limits)
            model = .bytePair(reader.model)
            vocabulary = reader.vocabulary
            endsInBytes = false
        case "Unigram":
            let unigram = try UnigramReader.model(part, limits: limits)
            model = .unigram(unigram)
            vocabulary = unigram.vocabulary
        case "WordLevel":
            let wordLevel = try UnigramReader.wordLevel(part, limits: limits)
            model = .wordLevel(wordLevel)
            vocabulary = wordLevel.vocabulary
        default: throw part["type"].unsupported("BPE, Unigram and WordLevel are")
        }
        if endsInBytes { steps.append(.byteAlphabet) }
        preTokenizer = PreTokenizer(steps: steps)

        addedTokens = try AddedTokenReader.tokens(
            root["added_tokens"], vocabulary: vocabulary, normalizer: normalizer, limits: limits)
        var texts: [[UInt8]?] = zip(vocabulary.texts, vocabulary.isTaken).map { $1 ? $0 : nil }
        for token in addedTokens {
            let index = Int(token.id)
            if index >= texts.count { texts += Array(repeating: nil, count: index + 1 - texts.count) }
            texts[index] = token.content
        }
        self.texts = texts
        (prefix, suffix) = try TemplateReader.affixes(
            root["post_processor"], tokenCount: texts.count, limits: limits)
    }
}
