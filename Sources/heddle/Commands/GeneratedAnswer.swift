import HeddleClient
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

    init(number: Int, _ tokenizer: Tokenizer?, stops: [String]) {
        self.number = number
        stream = tokenizer.map { TextStream($0, stopStrings: stops) }
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

/// What `heddle generate --json` prints; `heddle submit --json` prints the same fields and more.
struct GeneratedAnswer {
    let promptTokens: [TokenID]
    let promptLogprobs: [TokenLogprobs]
    let choices: [GeneratedChoice]
    let showsLogprobs: Bool

    var json: JSONValue {
        var members: [JSONValue.Member] = [.init("prompt_tokens", .array(promptTokens.map(JSONValue.count)))]
        if !promptLogprobs.isEmpty {
            // Nothing comes before the first token of a prompt.
            members += [
                .init("prompt_token_logprobs", .array([.null] + promptLogprobs.map { .number(Double($0.logprob)) })),
                .init("prompt_logprobs", .array([.null] + promptLogprobs.map(Self.likeliest))),
            ]
        }
        if choices.count == 1 {
            members += self.members(of: choices[0])
        } else {
            members.append(.init("choices", .array(choices.map { .object(self.members(of: $0)) })))
        }
        return .object(members)
    }

    private func members(of choice: GeneratedChoice) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("tokens", .array(choice.tokens.map(JSONValue.count))),
            // Null where the model folder has no tokenizer.
            .init("text", choice.hasTokenizer ? .text(choice.text) : .null),
            .init("finish_reason", .text(choice.finish.description)),
        ]
        if showsLogprobs {
            members += [
                .init("token_logprobs", .array(choice.logprobs.map { .number(Double($0.logprob)) })),
                .init("logprobs", .array(choice.logprobs.map(Self.likeliest))),
            ]
        }
        return members
    }

    private static func likeliest(_ logprobs: TokenLogprobs) -> JSONValue {
        .array(
            logprobs.top.map { entry in
                .object([.init("id", .count(entry.token)), .init("logprob", .number(Double(entry.logprob)))])
            })
    }
}
