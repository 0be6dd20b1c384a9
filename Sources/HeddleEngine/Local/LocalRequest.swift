import HeddleCore
import HeddleGrammar

/// What a `LocalEngine` is asked to continue: one choice of one prompt.
public struct LocalRequest: Sendable {
    /// At least one.
    public var promptTokens: [TokenID]
    /// Nil is the base model alone.
    public var adapter: AdapterRef?
    /// How its tokens are drawn, and how many.
    public var parameters: SamplingParameters
    /// Which of the prompt's choices this is, from 0; it keys the draws.
    public var choice: Int
    /// Of the parameters' constraint, where they have one.
    public var matcher: ConstraintMatcher?

    /// One choice to run.
    public init(
        promptTokens: [TokenID], adapter: AdapterRef? = nil, parameters: SamplingParameters, choice: Int = 0,
        matcher: ConstraintMatcher? = nil
    ) {
        precondition((matcher != nil) == (parameters.constraint != nil), "a constraint is enforced by its matcher")
        self.promptTokens = promptTokens
        self.adapter = adapter
        self.parameters = parameters
        self.choice = choice
        self.matcher = matcher
    }

    /// Index of the first prompt token whose log-probability is wanted. One choice scores the prompt for all.
    var scoredFrom: Int? { parameters.promptLogprobCount != nil && choice == 0 ? 1 : nil }
}

/// How a request of a `LocalEngine` ended.
public struct LocalResult: Hashable, Sendable {
    /// What was generated, without the stop token.
    public var tokens: [TokenID] = []
    /// One a token where the request asked for them.
    public var logprobs: [TokenLogprobs] = []
    /// Of the prompt's tokens from the second on where the request asked for them and is choice 0.
    public var promptLogprobs: [TokenLogprobs] = []
    /// Prompt tokens that were not run, because their keys and values were found.
    public var cachedTokenCount = 0
    /// Set unless the request failed.
    public var finish: FinishReason?
    /// Set where the request could not be run.
    public var error: RequestError?

    /// Nothing generated yet.
    public init() {}
}

/// What is to become of a request after a token.
public enum LocalDecision: Sendable {
    case goOn
    /// It ends here, as by a stop string.
    case stop
}
