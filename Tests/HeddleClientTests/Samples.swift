import HeddleCore
import HeddleWire

/// Messages of a request as a router would send them.
enum Samples {
    static let id = RequestID(high: 1, low: 2)
    static let incarnation = Incarnation(high: 3, low: 4)

    static func submission(
        tokenCountMax: Int = 4, choiceCount: Int = 1, deadline: Duration? = nil, id: RequestID = id
    ) -> ClientSubmission {
        ClientSubmission(
            id: id, model: "sql", prompt: .text("hello"),
            sampling: RequestedSampling(choiceCount: choiceCount, tokenCountMax: tokenCountMax), deadline: deadline)
    }

    static func accepted(_ id: RequestID = id) -> ClientReply {
        guard let digest = Digest([UInt8](repeating: 7, count: 32)) else {
            preconditionFailure("32 bytes are a digest")
        }
        return .accepted(
            AcceptedRequest(
                id: id, promptTokenCount: 3, model: ModelName("base"), modelDigest: digest, adapter: nil,
                router: NodeName("front")))
    }

    static func scored(_ range: Range<Int>, topCount: Int = 0) -> DeliveredPromptLogprobs {
        DeliveredPromptLogprobs(
            id: id, firstIndex: range.lowerBound,
            logprobs: range.map { index in
                TokenLogprobs(
                    token: TokenID(index), logprob: -Float(index),
                    top: (0..<topCount).map { .init(token: TokenID($0), logprob: -1) })
            })
    }

    static func tokens(
        _ range: Range<Int>, choice: Int = 0, finish: FinishReason? = nil, id: RequestID = id
    ) -> ClientReply { .tokens(delivered(range, choice: choice, finish: finish, id: id)) }

    static func delivered(
        _ range: Range<Int>, choice: Int = 0, finish: FinishReason? = nil, id: RequestID = id
    ) -> DeliveredTokens {
        DeliveredTokens(
            id: id, choice: choice, firstIndex: range.lowerBound, tokens: range.map { TokenID(100 * choice + $0) },
            text: range.map { "t\($0)" }.joined(), finish: finish)
    }

    static func finished(_ tokenCounts: [Int] = [4], id: RequestID = id) -> ClientReply {
        .finished(end(tokenCounts, id: id))
    }

    static func end(_ tokenCounts: [Int] = [4], id: RequestID = id) -> FinishedRequest {
        FinishedRequest(
            id: id, choices: tokenCounts.map { .init(finish: .length, tokenCount: $0) },
            usage: Usage(promptTokenCount: 3, generatedTokenCount: tokenCounts.reduce(0, +)),
            timings: .init(queue: .zero, firstToken: .zero, total: .zero))
    }

    static func pong(_ number: UInt64, session: UInt64 = 1, incarnation: Incarnation = incarnation) -> ClientReply {
        .pong(number: number, incarnation: incarnation, session: ClientRef(session))
    }
}
