import HeddleCore

/// Decides which part of a growing text is final: it takes tokens one by one and gives whole characters, never half of
/// one. All it gave, with what `finish` adds, is exactly `Tokenizer.decode` of all tokens.
public struct IncrementalDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    /// The start of a character that later tokens may complete: at most three bytes.
    private var pending: [UInt8] = []

    /// Starts an empty text.
    public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
    }

    /// Takes a token and gives the characters that it completes, perhaps none.
    public mutating func push(_ token: TokenID) -> String {
        var bytes: [UInt8] = []
        push(token, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Ends the text: a character that was never completed is U+FFFD. The decoder is empty afterwards.
    public mutating func finish() -> String {
        var bytes: [UInt8] = []
        finish(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As `push`, appending UTF-8.
    public mutating func push(_ token: TokenID, into text: inout [UInt8]) {
        if skipSpecialTokens, tokenizer.isSpecial(token) { return }
        let bytes = tokenizer.tokenBytes(token)
        pending += bytes
        let rest = pending.withUnsafeBufferPointer { pending in
            var position = 0
            while position < pending.count {
                switch UTF8Check.step(pending, at: position) {
                case .complete(let count):
                    text += pending[position..<(position + count)]
                    position += count
                case .broken(let count):
                    text += Self.replacement
                    position += count
                case .truncated(let count): return count
                }
            }
            return 0
        }
        pending.removeFirst(pending.count - rest)
    }

    /// As `finish`, appending UTF-8.
    public mutating func finish(into text: inout [UInt8]) {
        if !pending.isEmpty { text += Self.replacement }
        pending.removeAll()
    }

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
}
