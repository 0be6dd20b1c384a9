/// How tokens are drawn. Part of what decides a request (law 1), so it travels whole and is compared exactly.
public struct SamplingParameters: Hashable, Sendable {
    /// 0 is greedy: the likeliest token, ties to the smaller id.
    public var temperature: Float
    /// Keep the `topK` likeliest tokens; 0 keeps all.
    public var topK: Int
    /// Keep the smallest set of likeliest tokens whose probability reaches `topP`; 1 keeps all.
    public var topP: Float
    /// Keep tokens that are at least `minP` times as likely as the likeliest; 0 keeps all.
    public var minP: Float
    /// Keep the tokens whose surprise is nearest to the expected one until their probability reaches `typicalP`; 1 keeps all
    /// (C. Meister et al., "Locally Typical Sampling", 2022).
    public var typicalP: Float
    /// Divides positive and multiplies negative logits of all tokens of the prompt and the answer so far; 1 changes nothing.
    public var repetitionPenalty: Float
    /// Taken off the logits of tokens that the answer holds.
    public var presencePenalty: Float
    /// Taken off the logits of tokens that the answer holds, once for each time.
    public var frequencyPenalty: Float
    /// Added to the logits of single tokens; by ascending token, each once.
    public var logitBias: [LogitBias]
    /// Key of the counter-based generator, with the choice's number and the token's position.
    public var seed: UInt64
    /// Independent choices for one prompt.
    public var choiceCount: Int
    /// Choices to run, of which the `choiceCount` likeliest are the answer; nil runs `choiceCount`.
    public var bestOf: Int?
    /// The most new tokens of a choice.
    public var tokenCountMax: Int
    /// New tokens before which a choice does not end: no stop token is drawn, and no stop string is seen.
    public var tokenCountMin: Int
    /// Texts that end a choice; the text is cut before the first of them.
    public var stopStrings: [String]
    /// Tokens that end a choice and are not part of its text; once admitted, with the model's end tokens.
    public var stopTokens: [TokenID]
    /// Whether the model's own end tokens are tokens like any other.
    public var ignoresEndTokens: Bool
    /// Log-probabilities to report for each generated token: the K likeliest and the chosen one; nil reports none.
    public var logprobCount: Int?
    /// The same for each token of the prompt but the first, given those before it.
    public var promptLogprobCount: Int?
    /// What the answer must be; nil: any text.
    public var constraint: OutputConstraint?

    public init(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, typicalP: Float = 1,
        repetitionPenalty: Float = 1, presencePenalty: Float = 0, frequencyPenalty: Float = 0,
        logitBias: [LogitBias] = [], seed: UInt64 = 0, choiceCount: Int = 1, bestOf: Int? = nil,
        tokenCountMax: Int = 64, tokenCountMin: Int = 0, stopStrings: [String] = [], stopTokens: [TokenID] = [],
        ignoresEndTokens: Bool = false, logprobCount: Int? = nil, promptLogprobCount: Int? = nil,
        constraint: OutputConstraint? = nil
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.typicalP = typicalP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.logitBias = logitBias
        self.seed = seed
        self.choiceCount = choiceCount
        self.bestOf = bestOf
        self.tokenCountMax = tokenCountMax
        self.tokenCountMin = tokenCountMin
        self.stopStrings = stopStrings
        self.stopTokens = stopTokens
        self.ignoresEndTokens = ignoresEndTokens
        self.logprobCount = logprobCount
        self.promptLogprobCount = promptLogprobCount
        self.constraint = constraint
    }

    /// Choices that are run.
    public var runCount: Int { max(choiceCount, bestOf ?? choiceCount) }

    /// Whether more choices are run than are answered, so that nothing can be sent before all have ended.
    public var choosesBest: Bool { runCount > choiceCount }

    /// Log-probabilities that a worker delivers with each token: what the client asked for, or those by which the best choices
    /// are found; nil delivers none.
    public var deliveredLogprobCount: Int? { logprobCount ?? (choosesBest ? 0 : nil) }

    /// What is added to one token's logit.
    public struct LogitBias: Hashable, Sendable {
        public var token: TokenID
        public var bias: Float

        public init(token: TokenID, bias: Float) {
            self.token = token
            self.bias = bias
        }
    }
}
