import HeddleCore
import HeddleFiles

extension TokenVocabulary {
    /// The tokens of a model: without control tokens and without those that end an answer.
    public convenience init(_ tokenizer: Tokenizer, vocabularyCount: Int, endTokens: [TokenID]) {
        let ends = Set(endTokens)
        self.init(tokenCount: min(tokenizer.tokenCount, vocabularyCount)) { token in
            tokenizer.isSpecial(token) || ends.contains(token) ? nil : tokenizer.tokenBytes(token)
        }
    }
}
