import HeddleCore

/// Tokens of which some are judged: each by the logits that the ones before it give.
public struct ScoredText: Sendable {
    /// All tokens; at least one is judged.
    public let tokens: [TokenID]
    /// The first that is judged; what stands before it is given.
    public let firstScored: Int

    /// - Parameter firstScored: 1 judges all but the first token, which nothing stands before.
    public init?(tokens: [TokenID], firstScored: Int = 1) {
        guard firstScored >= 1, firstScored < tokens.count else { return nil }
        self.tokens = tokens
        self.firstScored = firstScored
    }

    /// Cuts a long text into windows; each is judged from its second token on.
    public static func windows(of tokens: [TokenID], tokenCount: Int) -> [ScoredText] {
        stride(from: 0, to: tokens.count, by: tokenCount).compactMap {
            ScoredText(tokens: Array(tokens[$0..<min(tokens.count, $0 + tokenCount)]))
        }
    }
}
