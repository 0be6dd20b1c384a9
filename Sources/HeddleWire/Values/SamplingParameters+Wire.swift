import HeddleCore

/// Decoding checks the form alone: whether the values can be served is `firstError(limits:)`'s to say.
extension SamplingParameters: WireCodable {
    public static var wireByteCountMin: Int {
        4 + 8 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 8 + 1 + 8 + 8 + 4 + 4 + 1 + 1 + 1 + 1
    }

    public func encode(into writer: inout WireWriter) {
        temperature.encode(into: &writer)
        topK.encode(into: &writer)
        topP.encode(into: &writer)
        minP.encode(into: &writer)
        typicalP.encode(into: &writer)
        repetitionPenalty.encode(into: &writer)
        presencePenalty.encode(into: &writer)
        frequencyPenalty.encode(into: &writer)
        logitBias.encode(into: &writer)
        seed.encode(into: &writer)
        choiceCount.encode(into: &writer)
        bestOf.encode(into: &writer)
        tokenCountMax.encode(into: &writer)
        tokenCountMin.encode(into: &writer)
        stopStrings.encode(into: &writer)
        stopTokens.encode(into: &writer)
        ignoresEndTokens.encode(into: &writer)
        logprobCount.encode(into: &writer)
        promptLogprobCount.encode(into: &writer)
        constraint.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init()
        temperature = try Float(from: &reader)
        topK = try Int(from: &reader)
        topP = try Float(from: &reader)
        minP = try Float(from: &reader)
        typicalP = try Float(from: &reader)
        repetitionPenalty = try Float(from: &reader)
        presencePenalty = try Float(from: &reader)
        frequencyPenalty = try Float(from: &reader)
        logitBias = try [LogitBias](from: &reader)
        seed = try UInt64(from: &reader)
        choiceCount = try Int(from: &reader)
        bestOf = try Int?(from: &reader)
        tokenCountMax = try Int(from: &reader)
        tokenCountMin = try Int(from: &reader)
        stopStrings = try [String](from: &reader)
        stopTokens = try [TokenID](from: &reader)
        ignoresEndTokens = try Bool(from: &reader)
        logprobCount = try Int?(from: &reader)
        promptLogprobCount = try Int?(from: &reader)
        constraint = try OutputConstraint?(from: &reader)
    }
}

extension SamplingParameters.LogitBias: WireCodable {
    public static var wireByteCountMin: Int { 8 }

    public func encode(into writer: inout WireWriter) {
        token.encode(into: &writer)
        bias.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let token = try TokenID(from: &reader)
        let bias = try Float(from: &reader)
        self.init(token: token, bias: bias)
    }
}
