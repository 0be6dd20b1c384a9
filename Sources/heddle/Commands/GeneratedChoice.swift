import HeddleCore
import HeddleEngine
import HeddleFiles

/// One choice of `heddle generate` as it grows: as text where there is a tokenizer, as ids separated by spaces where there
/// is none.
struct GeneratedChoice {
    let number: Int
    private(set) var text = ""
    private(set) var tokens: [TokenID] = []
    private(set) var logprobs: [TokenLogprobs] = []
    private(set) var finish = FinishReason.length
    private var stream: TextStream?

    init(number: Int, _ tokenizer: Tokenizer?, _ parameters: SamplingParameters) {
        self.number = number
        stream = tokenizer.map {
            TextStream(
                $0, stopStrings: parameters.stopStrings, stopFreeTokenCount: parameters.tokenCountMin)
        }
    }

    var hasTokenizer: Bool { stream != nil }
    var isStopped: Bool { stream?.stop != nil }

    /// What the next token adds to print.
    mutating func push(_ token: TokenID) -> String {
        let piece = stream?.push(token).text ?? (text.isEmpty ? "\(token)" : " \(token)")
        text += piece
        return piece
    }

    /// The choice has ended; what it adds to print.
    mutating func finish(_ result: LocalResult) -> String {
        let piece = stream?.finish().text ?? ""
        text += piece
        // A stop string may begin in tokens before the last.
        let count = stream?.stop?.tokenCount ?? result.tokens.count
        tokens = Array(result.tokens.prefix(count))
        logprobs = Array(result.logprobs.prefix(count))
        finish = isStopped ? .stop : result.finish ?? .length
        return piece
    }

    /// The likeliest choices, as a router chooses them: by the sum of their tokens' log-probabilities, ties by number.
    static func best(_ count: Int, of choices: [GeneratedChoice]) -> [GeneratedChoice] {
        guard count < choices.count else { return choices }
        let sums = choices.map { $0.logprobs.reduce(0) { $0 + Double($1.logprob) } }
        let order = choices.indices.sorted { sums[$0] == sums[$1] ? $0 < $1 : sums[$0] > sums[$1] }
        return order.prefix(count).map { choices[$0] }
    }
}
