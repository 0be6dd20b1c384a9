/// Everything that a worker group needs to run one attempt of a request.
public struct Assignment: Hashable, Sendable {
    public var request: RequestID
    public var attempt: Attempt
    public var tenant: TenantName
    public var model: ModelName
    public var adapter: AdapterRef?
    public var promptTokens: [TokenID]
    public var parameters: SamplingParameters
    /// The choices that have not ended, by number.
    public var choices: [Choice]
    /// Where the tokens go.
    public var router: RouterRef
    /// Until the deadline when the assignment was sent.
    public var timeLeft: Duration

    /// One choice and what earlier attempts generated of it.
    public struct Choice: Hashable, Sendable {
        public var number: Int
        public var tokens: [TokenID]

        public init(number: Int, tokens: [TokenID]) {
            self.number = number
            self.tokens = tokens
        }
    }

    public init(
        request: RequestID, attempt: Attempt, tenant: TenantName, model: ModelName, adapter: AdapterRef?,
        promptTokens: [TokenID], parameters: SamplingParameters, choices: [Choice], router: RouterRef,
        timeLeft: Duration
    ) {
        self.request = request
        self.attempt = attempt
        self.tenant = tenant
        self.model = model
        self.adapter = adapter
        self.promptTokens = promptTokens
        self.parameters = parameters
        self.choices = choices
        self.router = router
        self.timeLeft = timeLeft
    }

    /// The first token of the prompt or of a choice that the vocabulary does not have.
    public func token(outside vocabularyCount: Int) -> TokenID? {
        let isOutside = { (token: TokenID) in !(0..<vocabularyCount).contains(Int(token)) }
        if let token = promptTokens.first(where: isOutside) { return token }
        for choice in choices {
            if let token = choice.tokens.first(where: isOutside) { return token }
        }
        return nil
    }

    /// The sequences that run this assignment, one a choice, numbered from `next`, which moves on.
    public func sequences(numberedFrom next: inout SequenceID, now: Instant) -> [SequenceRequest] {
        let deadline = now.advanced(by: timeLeft)
        return choices.map { choice in
            let sequence = next
            next = SequenceID(next.number + 1)
            return SequenceRequest(
                sequence: sequence, request: request, attempt: attempt, choice: choice.number, tenant: tenant,
                adapter: adapter, promptTokens: promptTokens, replayedTokens: choice.tokens,
                tokenCountMax: max(0, parameters.tokenCountMax) - choice.tokens.count,
                stopTokens: parameters.stopTokens,
                deadline: deadline)
        }
    }
}
