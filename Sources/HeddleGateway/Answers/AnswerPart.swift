import HeddleCore

/// Consecutive tokens of one choice as the client is told of them: a stretch of a stream, or a choice's whole answer.
struct AnswerPart: Sendable {
    /// Over all prompts of the call.
    var choice: Int
    var text = ""
    var tokens: [TokenID] = []
    /// One a token where they are wanted, else none.
    var logprobs: [TokenLogprobs] = []
    var finish: FinishReason?

    mutating func add(_ delivered: DeliveredTokens) {
        text += delivered.text
        tokens += delivered.tokens
        logprobs += delivered.logprobs
        if let finish = delivered.finish { self.finish = finish }
    }
}

/// What a prompt was, as far as the call wants to see it.
struct AnsweredPrompt: Sendable {
    var text = ""
    var tokens: [TokenID] = []
    /// From the second token on.
    var logprobs: [TokenLogprobs] = []
}
