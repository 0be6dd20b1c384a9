import HeddleCore

/// Decides which part of a growing text is final: it takes tokens one by one and gives whole characters, never half of
/// one. All it gave, with what `finish` adds, is exactly `Tokenizer.decode` of all tokens.
///
/// Tokens that stand for single bytes (`<0x0A>`) are held back until another token follows: the `tokenizers` library takes
/// bytes in a row for text only where all of them together are UTF-8.
public struct IncrementalDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var state: DecoderChain.State

    /// Starts an empty text.
    public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        state = DecoderChain.State(tokenizer.decoder)
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
        guard !skipSpecialTokens || !tokenizer.isSpecial(token), let bytes = tokenizer.decoderInput(token) else {
            return
        }
        state.push(bytes, through: tokenizer.decoder, into: &text)
    }

    /// As `finish`, appending UTF-8.
    public mutating func finish(into text: inout [UInt8]) { state.finish(through: tokenizer.decoder, into: &text) }
}
