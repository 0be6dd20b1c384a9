/// How tokens are drawn. Part of what decides a request (law 1), so it travels whole and is compared exactly.
public struct SamplingParameters: Hashable, Sendable {
    /// 0 is greedy: the likeliest token, ties to the smaller id.
    public var temperature: Float
    /// Keep the `topK` likeliest tokens; 0 keeps all.
    public var topK: Int
    /// Keep the smallest set of likeliest tokens whose probability reaches `topP`; 1 keeps all.
    public var topP: Float
    /// Key of the counter-based generator, with the choice's number and the token's position.
    public var seed: UInt64
    /// Independent choices for one prompt.
    public var choiceCount: Int
    /// The most new tokens of a choice.
    public var tokenCountMax: Int
    /// Texts that end a choice; the text is cut before the first of them.
    public var stopStrings: [String]
    /// Tokens that end a choice and are not part of its text: the model's end tokens.
    public var stopTokens: [TokenID]
    /// Log-probabilities to report for each generated token: the K likeliest and the chosen one; nil reports none.
    public var logprobCount: Int?

    public init(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, seed: UInt64 = 0, choiceCount: Int = 1,
        tokenCountMax: Int = 64, stopStrings: [String] = [], stopTokens: [TokenID] = [], logprobCount: Int? = nil
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.seed = seed
        self.choiceCount = choiceCount
        self.tokenCountMax = tokenCountMax
        self.stopStrings = stopStrings
        self.stopTokens = stopTokens
        self.logprobCount = logprobCount
    }

    /// The first value that cannot be served, named with its limits; nil when all can.
    public func firstError(limits: RequestLimits) -> RequestError? {
        func invalid(_ parameter: String, _ value: some CustomStringConvertible, _ rule: String) -> RequestError {
            .invalidParameter(name: parameter, value: value.description, rule: rule)
        }
        if !temperature.isFinite || temperature < 0 || temperature > limits.temperatureMax {
            return invalid("temperature", temperature, "a number from 0 to \(limits.temperatureMax)")
        }
        if topK < 0 { return invalid("top_k", topK, "a whole number from 0 (all tokens)") }
        if !topP.isFinite || topP <= 0 || topP > 1 { return invalid("top_p", topP, "a number above 0 and up to 1") }
        if !(1...limits.choiceCountMax).contains(choiceCount) {
            return invalid("n", choiceCount, "a whole number from 1 to \(limits.choiceCountMax)")
        }
        if tokenCountMax < 1 { return invalid("max_tokens", tokenCountMax, "a whole number from 1") }
        if stopStrings.count > limits.stopStringCountMax {
            return invalid("stop", stopStrings.count, "at most \(limits.stopStringCountMax) strings")
        }
        for stop in stopStrings where !(1...limits.stopStringByteCountMax).contains(stop.utf8.count) {
            return invalid("stop", stop.utf8.count, "strings of 1 to \(limits.stopStringByteCountMax) bytes")
        }
        if stopTokens.count > limits.stopTokenCountMax {
            return invalid("stop_token_ids", stopTokens.count, "at most \(limits.stopTokenCountMax) tokens")
        }
        if let count = logprobCount, !(0...limits.logprobCountMax).contains(count) {
            return invalid("logprobs", count, "a whole number from 0 to \(limits.logprobCountMax)")
        }
        return nil
    }
}

/// Every maximum of a request, with its unit in the name.
public struct RequestLimits: Hashable, Sendable {
    public var temperatureMax: Float = 100
    public var choiceCountMax = 16
    public var stopStringCountMax = 16
    public var stopStringByteCountMax = 256
    public var stopTokenCountMax = 64
    public var logprobCountMax = 20
    /// The longest prompt as text; it is tokenised only below this.
    public var promptByteCountMax = 1 << 20
    /// The longest life of a request.
    public var deadlineMax: Duration = .seconds(3600)

    public init() {}
}
