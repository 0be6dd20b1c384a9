/// Every maximum of a request, with its unit in the name.
public struct RequestLimits: Hashable, Sendable {
    public var temperatureMax: Float = 100
    public var repetitionPenaltyMax: Float = 100
    /// Of presence and frequency penalties, either sign.
    public var penaltyMax: Float = 2
    /// Either sign.
    public var logitBiasMax: Float = 100
    public var logitBiasCountMax = 1024
    /// Of `n` and of `best_of`.
    public var choiceCountMax = 16
    public var stopStringCountMax = 16
    public var stopStringByteCountMax = 256
    public var stopTokenCountMax = 64
    public var logprobCountMax = 20
    /// Log-probabilities of a whole prompt, its tokens' own included; a router keeps them until the request is forgotten.
    public var promptLogprobEntryCountMax = 1 << 18
    /// Text of a JSON schema.
    public var schemaByteCountMax = 256 << 10
    /// The longest prompt as text; it is tokenised only below this.
    public var promptByteCountMax = 1 << 20
    /// The longest life of a request.
    public var deadlineMax: Duration = .seconds(3600)

    public init() {}
}
