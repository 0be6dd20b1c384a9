import HeddleCore

/// Which tokens may come next.
public struct TokenMask: Hashable, Sendable {
    /// A bit for each token that may stand in the text.
    public internal(set) var words: [UInt64]
    /// Whether the text may end here.
    public internal(set) var allowsEnd = false

    init(tokenCount: Int) { words = [UInt64](repeating: 0, count: (tokenCount + 63) / 64) }

    public func contains(_ token: TokenID) -> Bool {
        let word = Int(token) >> 6
        return token >= 0 && word < words.count && words[word] >> UInt64(token & 63) & 1 == 1
    }

    mutating func insert(_ token: TokenID) { words[Int(token) >> 6] |= 1 << UInt64(token & 63) }

    /// Whether nothing may come but the end.
    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The smallest id that may come.
    public var first: TokenID? {
        guard let word = words.firstIndex(where: { $0 != 0 }) else { return nil }
        return TokenID(word * 64 + words[word].trailingZeroBitCount)
    }

    /// All of them, ascending.
    var tokens: [TokenID] {
        var tokens: [TokenID] = []
        for (index, word) in words.enumerated() where word != 0 {
            var word = word
            while word != 0 {
                tokens.append(TokenID(index * 64 + word.trailingZeroBitCount))
                word &= word - 1
            }
        }
        return tokens
    }

    /// Their number.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
