/// One choice of one request, as a worker group's rank 0 is asked to run it.
public struct SequenceRequest: Hashable, Sendable {
    public var sequence: SequenceID
    public var request: RequestID
    public var attempt: Attempt
    /// Which of the request's choices this is, from 0.
    public var choice: Int
    public var tenant: TenantName
    public var adapter: AdapterRef?
    public var promptTokens: [TokenID]
    /// Tokens that earlier attempts generated: run like the prompt, counted as generated, not delivered again.
    public var replayedTokens: [TokenID]
    /// The most tokens still to generate, not counting `replayedTokens`.
    public var tokenCountMax: Int
    /// Tokens that end the choice and are not part of it.
    public var stopTokens: [TokenID]
    /// Index of the first prompt token whose log-probability is wanted, 1 or more; nil when none is.
    public var scoredFrom: Int?
    /// On this process's clock; nil runs for as long as it takes.
    public var deadline: Instant?

    public init(
        sequence: SequenceID, request: RequestID, attempt: Attempt, choice: Int, tenant: TenantName,
        adapter: AdapterRef?, promptTokens: [TokenID], replayedTokens: [TokenID] = [], tokenCountMax: Int,
        stopTokens: [TokenID] = [], scoredFrom: Int? = nil, deadline: Instant? = nil
    ) {
        self.sequence = sequence
        self.request = request
        self.attempt = attempt
        self.choice = choice
        self.tenant = tenant
        self.adapter = adapter
        self.promptTokens = promptTokens
        self.replayedTokens = replayedTokens
        self.tokenCountMax = tokenCountMax
        self.stopTokens = stopTokens
        self.scoredFrom = scoredFrom
        self.deadline = deadline
    }
}

/// What one step adds to one sequence; the worker's shell adds log-probabilities and sends it on as a `Delivery`.
public struct SequenceDelivery: Hashable, Sendable {
    public var sequence: SequenceID
    public var request: RequestID
    public var attempt: Attempt
    public var choice: Int
    /// Index of the first of `tokens` among all generated tokens of the choice, earlier attempts' included.
    public var firstIndex: Int
    /// One token, or none when a stop token ended the choice.
    public var tokens: [TokenID]
    /// Set on the choice's last delivery.
    public var finish: FinishReason?
    /// Prompt tokens that were not run, because their keys and values were found when the sequence started.
    public var cachedTokenCount: Int

    public init(
        sequence: SequenceID, request: RequestID, attempt: Attempt, choice: Int, firstIndex: Int, tokens: [TokenID],
        finish: FinishReason?, cachedTokenCount: Int = 0
    ) {
        self.cachedTokenCount = cachedTokenCount
        self.sequence = sequence
        self.request = request
        self.attempt = attempt
        self.choice = choice
        self.firstIndex = firstIndex
        self.tokens = tokens
        self.finish = finish
    }
}

/// The token that was drawn after a sequence's last row.
public struct SampledToken: Hashable, Sendable {
    public var sequence: SequenceID
    public var token: TokenID

    public init(_ sequence: SequenceID, _ token: TokenID) {
        self.sequence = sequence
        self.token = token
    }
}
