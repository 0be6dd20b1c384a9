import HeddleCore

/// Collects an answer: what `heddle submit` prints when it is over.
public struct CollectedAnswer: Hashable, Sendable {
    public let id: RequestID
    public private(set) var accepted: AcceptedRequest?
    /// Of the prompt's tokens from the second on; empty where the submission did not ask.
    public private(set) var promptLogprobs: [TokenLogprobs] = []
    public private(set) var choices: [Choice]
    public private(set) var finished: FinishedRequest?

    /// One choice of the answer.
    public struct Choice: Hashable, Sendable {
        public var tokens: [TokenID] = []
        public var text = ""
        public var logprobs: [TokenLogprobs] = []
        public var finish: FinishReason?
    }

    public init(id: RequestID, choiceCount: Int) {
        self.id = id
        choices = Array(repeating: Choice(), count: choiceCount)
    }

    public mutating func add(_ event: AnswerEvent) {
        switch event {
        case .accepted(let accepted): self.accepted = accepted
        case .promptLogprobs(let scored): promptLogprobs += scored.logprobs
        case .tokens(let tokens):
            guard choices.indices.contains(tokens.choice) else { return }
            choices[tokens.choice].tokens += tokens.tokens
            choices[tokens.choice].text += tokens.text
            choices[tokens.choice].logprobs += tokens.logprobs
            choices[tokens.choice].finish = tokens.finish ?? choices[tokens.choice].finish
        case .finished(let finished): self.finished = finished
        }
    }

    /// One object with the fields of `heddle generate --json`, `usage`, `timings`, `request_id` and who answered; for more
    /// choices than one, `choices` holds what differs between them.
    public var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("request_id", .text(id.description)),
            .init("prompt_tokens", .array((accepted?.promptTokens ?? []).map(JSONValue.count))),
        ]
        if !promptLogprobs.isEmpty {
            // Nothing comes before the first token of a prompt.
            members += [
                .init("prompt_token_logprobs", .array([.null] + promptLogprobs.map { .number(Double($0.logprob)) })),
                .init("prompt_logprobs", .array([.null] + promptLogprobs.map { .array($0.top.map(Self.entry)) })),
            ]
        }
        if choices.count == 1 {
            members += self.members(of: choices[0])
        } else {
            members.append(.init("choices", .array(choices.map { .object(self.members(of: $0)) })))
        }
        if let accepted {
            members.append(.init("model", .text(accepted.model.text)))
            members.append(.init("adapter", accepted.adapter.map { .text($0.name.text) } ?? .null))
        }
        if let finished {
            members += [
                .init(
                    "usage",
                    .object([
                        .init("prompt_tokens", .count(finished.usage.promptTokenCount)),
                        .init("completion_tokens", .count(finished.usage.generatedTokenCount)),
                        .init("total_tokens", .count(finished.usage.totalTokenCount)),
                        .init("cached_tokens", .count(finished.cachedTokenCount)),
                    ])),
                .init(
                    "timings",
                    .object([
                        .init("queue_seconds", .seconds(finished.timings.queue)),
                        .init("first_token_seconds", .seconds(finished.timings.firstToken)),
                        .init("total_seconds", .seconds(finished.timings.total)),
                    ])),
            ]
        }
        return .object(members)
    }

    private func members(of choice: Choice) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("tokens", .array(choice.tokens.map(JSONValue.count))), .init("text", .text(choice.text)),
            .init("finish_reason", choice.finish.map { .text($0.description) } ?? .null),
        ]
        if !choice.logprobs.isEmpty {
            members.append(.init("token_logprobs", .array(choice.logprobs.map { .number(Double($0.logprob)) })))
            members.append(.init("logprobs", .array(choice.logprobs.map { .array($0.top.map(Self.entry)) })))
        }
        return members
    }

    private static func entry(_ entry: TokenLogprobs.Entry) -> JSONValue {
        .object([.init("id", .count(entry.token)), .init("logprob", .number(Double(entry.logprob)))])
    }
}

extension RequestFailure {
    /// The failure for programs.
    public var json: JSONValue {
        .object([
            .init(
                "error",
                .object([
                    .init("code", .text(code)), .init("message", .text(message)),
                    .init("parameter", parameter.map(JSONValue.text) ?? .null),
                    .init("retry_after_seconds", retryAfter.map(JSONValue.seconds) ?? .null),
                ])), .init("request_id", id.map { .text($0.description) } ?? .null),
        ])
    }
}
