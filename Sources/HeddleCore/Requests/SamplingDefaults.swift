/// What holds of how tokens are drawn as far as a request does not say it: Heddle's own defaults, changed by what the model's files
/// propose.
///
/// This is where defaults of a model come in: every way to run a request, over the mesh or without it, completes what the client
/// says by `RequestedSampling.completed` and nowhere else.
public struct SamplingDefaults: Hashable, Sendable {
    public var temperature: Float = 0
    public var topK = 0
    public var topP: Float = 1
    public var minP: Float = 0
    public var typicalP: Float = 1
    public var repetitionPenalty: Float = 1
    /// The most new tokens of a choice, as far as the context has room.
    public var tokenCountMax = 64
    public var tokenCountMin = 0
    /// Tokens that end an answer unless the request ignores them.
    public var endTokens: [TokenID]

    /// Heddle's own.
    public init(endTokens: [TokenID] = []) { self.endTokens = endTokens }
}

extension SamplingParameters {
    /// These parameters as they are run: checked before, and ending at the model's end tokens too.
    public func ending(at endTokens: [TokenID]) -> SamplingParameters {
        var parameters = self
        if !ignoresEndTokens {
            for token in endTokens where !parameters.stopTokens.contains(token) { parameters.stopTokens.append(token) }
        }
        return parameters
    }
}
