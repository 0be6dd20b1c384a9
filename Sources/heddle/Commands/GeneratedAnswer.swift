import HeddleClient
import HeddleCore

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
