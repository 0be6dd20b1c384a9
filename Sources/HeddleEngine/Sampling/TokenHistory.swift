import HeddleCore

/// What the next token of a sequence depends on besides its logits: how many tokens there are, and which ones.
///
/// A function of prompt and generated tokens alone (law 1): one that is made anew for a replayed sequence is equal to the one
/// that grew token by token.
public struct TokenHistory: Hashable, Sendable {
    /// One token that the sequence holds.
    struct Entry: Hashable, Sendable {
        let token: TokenID
        /// How often it was generated; 0 where only the prompt holds it.
        var generatedCount: Int32
    }

    /// Tokens of the prompt.
    public let promptCount: Int
    /// Generated tokens, earlier attempts' included.
    public private(set) var generatedCount: Int
    /// Each token once, in the order in which they first came; empty where nothing asks for them.
    private(set) var entries: [Entry] = []
    private var places: [TokenID: Int] = [:]
    private let isCounting: Bool

    /// - Parameters:
    ///   - generated: tokens of earlier attempts.
    ///   - isCounting: whether a penalty needs to know which tokens there are. A prompt costs its length once.
    public init(prompt: [TokenID], generated: [TokenID] = [], isCounting: Bool) {
        promptCount = prompt.count
        generatedCount = 0
        self.isCounting = isCounting
        if isCounting { for token in prompt { note(token, generated: 0) } }
        for token in generated { append(token) }
    }

    /// Tokens in all, which is the position of the next one.
    public var count: Int { promptCount + generatedCount }

    /// A token was generated.
    public mutating func append(_ token: TokenID) {
        generatedCount += 1
        if isCounting { note(token, generated: 1) }
    }

    private mutating func note(_ token: TokenID, generated: Int32) {
        if let place = places[token] {
            entries[place].generatedCount += generated
        } else {
            places[token] = entries.count
            entries.append(Entry(token: token, generatedCount: generated))
        }
    }
}
