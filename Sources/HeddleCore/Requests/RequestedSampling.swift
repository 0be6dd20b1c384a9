/// What a client says of how its tokens are drawn. What it leaves out is nil here, and is decided where the model is known: the
/// model's own default, or else Heddle's.
public struct RequestedSampling: Hashable, Sendable {
    public var temperature: Float?
    public var topK: Int?
    public var topP: Float?
    public var minP: Float?
    public var typicalP: Float?
    public var repetitionPenalty: Float?
    public var presencePenalty: Float
    public var frequencyPenalty: Float
    public var logitBias: [SamplingParameters.LogitBias]
    public var seed: UInt64
    public var choiceCount: Int
    public var bestOf: Int?
    public var tokenCountMax: Int?
    public var tokenCountMin: Int?
    public var stopStrings: [String]
    public var stopTokens: [TokenID]
    public var ignoresEndTokens: Bool
    public var logprobCount: Int?
    public var promptLogprobCount: Int?
    public var constraint: OutputConstraint?

    public init(
        temperature: Float? = nil, topK: Int? = nil, topP: Float? = nil, minP: Float? = nil, typicalP: Float? = nil,
        repetitionPenalty: Float? = nil, presencePenalty: Float = 0, frequencyPenalty: Float = 0,
        logitBias: [SamplingParameters.LogitBias] = [], seed: UInt64 = 0, choiceCount: Int = 1, bestOf: Int? = nil,
        tokenCountMax: Int? = nil, tokenCountMin: Int? = nil, stopStrings: [String] = [], stopTokens: [TokenID] = [],
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

    /// The first value that cannot be served whatever the model says; nil when all can.
    public func firstError(limits: RequestLimits) -> RequestError? {
        var parameters = completed(by: SamplingDefaults())
        // How long an answer may become is not known yet, so the least length is not compared with it.
        if tokenCountMax == nil { parameters.tokenCountMax = .max }
        return parameters.firstError(limits: limits)
    }

    /// All of the parameters: what the client says, else what the model proposes. End tokens are added later, by
    /// `SamplingParameters.ending(at:)`, because they are not the client's to answer for.
    ///
    /// A length that only a default gives is cut to `roomTokenCount`, what the prompt leaves of the context: nobody asked for
    /// tokens that do not fit. One that the client gives never is.
    public func completed(by defaults: SamplingDefaults, roomTokenCount: Int = .max) -> SamplingParameters {
        let most = tokenCountMax ?? max(1, min(max(defaults.tokenCountMax, tokenCountMin ?? 0), roomTokenCount))
        return SamplingParameters(
            temperature: temperature ?? defaults.temperature, topK: topK ?? defaults.topK, topP: topP ?? defaults.topP,
            minP: minP ?? defaults.minP, typicalP: typicalP ?? defaults.typicalP,
            repetitionPenalty: repetitionPenalty ?? defaults.repetitionPenalty, presencePenalty: presencePenalty,
            frequencyPenalty: frequencyPenalty, logitBias: logitBias, seed: seed, choiceCount: choiceCount,
            bestOf: bestOf, tokenCountMax: most,
            tokenCountMin: tokenCountMin ?? min(defaults.tokenCountMin, max(0, most)),
            stopStrings: stopStrings, stopTokens: stopTokens, ignoresEndTokens: ignoresEndTokens,
            logprobCount: logprobCount, promptLogprobCount: promptLogprobCount, constraint: constraint)
    }
}
