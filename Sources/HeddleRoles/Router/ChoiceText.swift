import HeddleCore
import HeddleFiles

/// Owns the text of one choice: what each token adds to it, and where a stop string ends it.
///
/// It follows the choice's tokens, which are the table's, and can tell the text of any of them again, so that a client that
/// comes back is sent the same pieces.
package struct ChoiceText: Sendable {
    /// What a scan found.
    package enum Verdict: Equatable {
        /// The first tokens that stay whatever comes.
        case safe(tokenCount: Int)
        /// A stop string begins in or right behind the last of these tokens.
        case stopped(keepTokenCount: Int)
    }

    private var stream: TextStream
    /// The text that became certain with each token.
    private var pieces: [String] = []
    /// What was still held back when the choice ended.
    private var rest: String?

    package init(_ tokenizer: Tokenizer, stops: [String], stopFreeTokenCount: Int = 0) {
        stream = TextStream(tokenizer, stopStrings: stops, stopFreeTokenCount: stopFreeTokenCount)
    }

    /// Takes in what is new of the choice's tokens and looks for stop strings.
    package mutating func scan(_ tokens: [TokenID], isLast: Bool) -> Verdict {
        catchUp(with: tokens)
        if isLast { flush() }
        if let stop = stream.stop { return .stopped(keepTokenCount: stop.tokenCount) }
        return .safe(tokenCount: isLast ? tokens.count : stream.certainTokenCount)
    }

    /// What the tokens of the range add to the text.
    ///
    /// - Parameters:
    ///   - tokens: all tokens of the choice.
    ///   - isEnd: nothing comes behind the range, so that what was held back belongs to it.
    package mutating func text(of range: Range<Int>, in tokens: [TokenID], isEnd: Bool) -> String {
        catchUp(with: tokens.prefix(range.upperBound))
        guard isEnd else { return pieces[range].joined() }
        flush()
        return pieces[min(range.lowerBound, pieces.count)...].joined() + (rest ?? "")
    }

    private mutating func catchUp(with tokens: some Collection<TokenID>) {
        for token in tokens.dropFirst(pieces.count) { pieces.append(stream.push(token).text) }
    }

    private mutating func flush() {
        if rest == nil { rest = stream.finish().text }
    }
}
