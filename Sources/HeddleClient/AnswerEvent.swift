import HeddleCore

/// What a program hears about a request that it submitted: accepted once, then tokens, then finished once.
///
/// A request that ends otherwise throws a `RequestFailure` where its next event would have been.
public enum AnswerEvent: Hashable, Sendable {
    case accepted(AcceptedRequest)
    /// What the model thought of the prompt, where the submission asked: from its second token on, in order, each once.
    case promptLogprobs(DeliveredPromptLogprobs)
    /// Of each choice the indices are consecutive from where the submission asked, whatever was lost in between.
    case tokens(DeliveredTokens)
    case finished(FinishedRequest)
}
