import HeddleCore

/// Owns what a constraint needs to know of a model's tokens: the bytes of each that may stand in a text, and all of them as a tree.
///
/// A token without bytes, a control token and an id without a token stand in no text.
public final class TokenVocabulary: Sendable {
    /// Ids; some may stand for no token.
    public let tokenCount: Int
    /// Bytes that are each a token.
    public let spelled: SpelledBytes
    let tree: TokenTree
    /// Brackets, colons and commas in one token at most: how many frames it can open.
    let openingCountMax: Int32
    private let pool: [UInt8]
    private let offsets: [Int32]

    /// - Parameter bytes: what a token adds to a text; nil where it may not stand in one.
    public init(tokenCount: Int, bytes: (TokenID) -> [UInt8]?) {
        self.tokenCount = tokenCount
        var pool: [UInt8] = []
        var offsets: [Int32] = [0]
        var spelled = ByteSet()
        var openingCountMax = 0
        for index in 0..<tokenCount {
            let text = bytes(TokenID(index)) ?? []
            if text.count == 1 { spelled.insert(text[0]) }
            openingCountMax = max(openingCountMax, text.count { $0 == 0x5B || $0 == 0x7B || $0 == 0x3A || $0 == 0x2C })
            pool += text
            offsets.append(Int32(pool.count))
        }
        self.pool = pool
        self.offsets = offsets
        self.spelled = SpelledBytes(set: spelled)
        self.openingCountMax = Int32(openingCountMax)
        tree = TokenTree(pool: pool, offsets: offsets)
    }

    /// The bytes of a token that may stand in a text; empty for every other id.
    func bytes(of token: TokenID) -> ArraySlice<UInt8> {
        guard token >= 0, Int(token) < tokenCount else { return [] }
        return pool[Int(offsets[Int(token)])..<Int(offsets[Int(token) + 1])]
    }
}
