/// What a worker group sends to a router: consecutive new tokens of one choice.
public struct Delivery: Hashable, Sendable {
    public var from: GroupEpoch
    public var request: RequestID
    public var attempt: Attempt
    public var choice: Int
    /// Index of the first of `tokens` among all generated tokens of the choice, earlier attempts' included.
    public var firstIndex: Int
    public var tokens: [TokenID]
    /// One a token when the request asked for them, else empty.
    public var logprobs: [TokenLogprobs]
    /// Set on the choice's last delivery.
    public var finish: FinishReason?
    /// Prompt tokens that this attempt did not run for the choice, because their keys and values were found.
    public var cachedTokenCount: Int

    public init(
        from: GroupEpoch, request: RequestID, attempt: Attempt, choice: Int, firstIndex: Int, tokens: [TokenID],
        logprobs: [TokenLogprobs] = [], finish: FinishReason? = nil, cachedTokenCount: Int = 0
    ) {
        self.cachedTokenCount = cachedTokenCount
        self.from = from
        self.request = request
        self.attempt = attempt
        self.choice = choice
        self.firstIndex = firstIndex
        self.tokens = tokens
        self.logprobs = logprobs
        self.finish = finish
    }
}

/// What a worker group sends to a router about the prompt: log-probabilities of consecutive prompt tokens, each given those
/// before it.
public struct PromptScores: Hashable, Sendable {
    public var from: GroupEpoch
    public var request: RequestID
    public var attempt: Attempt
    /// Index of the first token among the prompt's; at least 1, because nothing comes before the first.
    public var firstIndex: Int
    public var logprobs: [TokenLogprobs]

    public init(
        from: GroupEpoch, request: RequestID, attempt: Attempt, firstIndex: Int, logprobs: [TokenLogprobs]
    ) {
        self.from = from
        self.request = request
        self.attempt = attempt
        self.firstIndex = firstIndex
        self.logprobs = logprobs
    }
}

/// Log-probabilities at one generated token: the chosen one's, and the likeliest ones' in falling order.
public struct TokenLogprobs: Hashable, Sendable {
    public var token: TokenID
    public var logprob: Float
    /// The K likeliest, ties to the smaller id.
    public var top: [Entry]

    public struct Entry: Hashable, Sendable {
        public var token: TokenID
        public var logprob: Float

        public init(token: TokenID, logprob: Float) {
            self.token = token
            self.logprob = logprob
        }
    }

    public init(token: TokenID, logprob: Float, top: [Entry]) {
        self.token = token
        self.logprob = logprob
        self.top = top
    }
}

/// What a request used, for its client and the ledger.
public struct Usage: Hashable, Sendable {
    public var promptTokenCount: Int
    /// Tokens of all choices that belong to the answer.
    public var generatedTokenCount: Int
    /// Of the prompt's tokens, those that were run for none of the choices, because their keys and values were found.
    public var cachedTokenCount: Int

    public init(promptTokenCount: Int, generatedTokenCount: Int, cachedTokenCount: Int = 0) {
        self.promptTokenCount = promptTokenCount
        self.cachedTokenCount = cachedTokenCount
        self.generatedTokenCount = generatedTokenCount
    }

    public var totalTokenCount: Int { promptTokenCount + generatedTokenCount }
}

/// The one end of a request, for the ledger.
public struct Settlement: Hashable, Sendable {
    public var request: RequestID
    /// The last one.
    public var attempt: Attempt
    public var tenant: TenantName
    public var model: ModelName
    public var adapter: AdapterRef?
    /// What was not settled before.
    public var usage: Usage
    /// nil when the request finished.
    public var error: RequestError?

    public init(
        request: RequestID, attempt: Attempt, tenant: TenantName, model: ModelName, adapter: AdapterRef?, usage: Usage,
        error: RequestError?
    ) {
        self.request = request
        self.attempt = attempt
        self.tenant = tenant
        self.model = model
        self.adapter = adapter
        self.usage = usage
        self.error = error
    }
}
