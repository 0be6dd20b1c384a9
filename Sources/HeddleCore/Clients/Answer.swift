/// What a client hears about a request that was not refused: first once this, then tokens, then one end.
public struct AcceptedRequest: Hashable, Sendable {
    public var id: RequestID
    public var promptTokenCount: Int
    public var model: ModelName
    public var modelDigest: Digest
    /// The adapter that answers, with the digest that the request keeps until its end; nil: the base model alone.
    public var adapter: AdapterRef?
    /// The node of the router that owns the request.
    public var router: NodeName
    /// What the router made of the prompt; empty unless the submission `echoesPrompt`.
    public var promptTokens: [TokenID]

    public init(
        id: RequestID, promptTokenCount: Int, model: ModelName, modelDigest: Digest, adapter: AdapterRef?,
        router: NodeName, promptTokens: [TokenID] = []
    ) {
        self.id = id
        self.promptTokenCount = promptTokenCount
        self.model = model
        self.modelDigest = modelDigest
        self.adapter = adapter
        self.router = router
        self.promptTokens = promptTokens
    }

    /// Whether both are answered by the same files.
    public func hasSameContent(as other: AcceptedRequest) -> Bool {
        modelDigest == other.modelDigest && adapter?.digest == other.adapter?.digest
    }
}

/// Consecutive tokens of one choice on their way to the client.
public struct DeliveredTokens: Hashable, Sendable {
    public var id: RequestID
    /// 0..<n.
    public var choice: Int
    /// Index of the first of `tokens` among the choice's tokens.
    public var firstIndex: Int
    public var tokens: [TokenID]
    /// What these tokens add to the choice's text: whole characters, and nothing that may yet become a stop string.
    public var text: String
    /// One for each token, or none at all: natural logarithms of the model's probabilities, before temperature.
    public var logprobs: [TokenLogprobs]
    /// Set in the last message of the choice, which may hold no token but the rest of the text.
    public var finish: FinishReason?

    public init(
        id: RequestID, choice: Int, firstIndex: Int, tokens: [TokenID], text: String, logprobs: [TokenLogprobs] = [],
        finish: FinishReason? = nil
    ) {
        self.id = id
        self.choice = choice
        self.firstIndex = firstIndex
        self.tokens = tokens
        self.text = text
        self.logprobs = logprobs
        self.finish = finish
    }
}

/// Log-probabilities of consecutive tokens of the prompt, each given those before it.
public struct DeliveredPromptLogprobs: Hashable, Sendable {
    public var id: RequestID
    /// Index of the first of them in the prompt, 1 or more.
    public var firstIndex: Int
    /// One for each token, which it names.
    public var logprobs: [TokenLogprobs]

    public init(id: RequestID, firstIndex: Int, logprobs: [TokenLogprobs]) {
        self.id = id
        self.firstIndex = firstIndex
        self.logprobs = logprobs
    }
}

/// The good end of a request: all its tokens were sent.
public struct FinishedRequest: Hashable, Sendable {
    public var id: RequestID
    /// In the order of the choices.
    public var choices: [Choice]
    public var usage: Usage
    public var timings: Timings

    public init(id: RequestID, choices: [Choice], usage: Usage, timings: Timings) {
        self.id = id
        self.choices = choices
        self.usage = usage
        self.timings = timings
    }

    /// Prompt tokens whose keys and values were found in a cache.
    public var cachedTokenCount: Int { usage.cachedTokenCount }

    /// How one choice ended.
    public struct Choice: Hashable, Sendable {
        public var finish: FinishReason
        public var tokenCount: Int

        public init(finish: FinishReason, tokenCount: Int) {
            self.finish = finish
            self.tokenCount = tokenCount
        }
    }

    /// Durations on the router's clock since it read the submission.
    public struct Timings: Hashable, Sendable {
        /// Until a worker group had the request.
        public var queue: Duration
        public var firstToken: Duration
        public var total: Duration

        public init(queue: Duration, firstToken: Duration, total: Duration) {
            self.queue = queue
            self.firstToken = firstToken
            self.total = total
        }
    }
}

/// The bad end of a request, as both sides of the socket know it: a `RequestError` reduced to what travels.
public struct RequestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nil where the frame could not be read so far as to know which request it meant.
    public var id: RequestID?
    /// `RequestError.code`.
    public var code: String
    /// One sentence for people.
    public var message: String
    /// The field of the submission that is at fault.
    public var parameter: String?
    /// When the same request may succeed; nil where nobody knows.
    public var retryAfter: Duration?

    public init(id: RequestID?, code: String, message: String, parameter: String? = nil, retryAfter: Duration? = nil) {
        self.id = id
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    public init(id: RequestID?, _ error: RequestError) {
        var retryAfter: Duration?
        if case .busy(let after) = error { retryAfter = after }
        self.init(
            id: id, code: error.code, message: error.description, parameter: error.parameter, retryAfter: retryAfter)
    }

    public var description: String { "\(code): \(message)" }
}
