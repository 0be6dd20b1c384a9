import HeddleCore

/// Decoding checks the form alone: whether the values can be served is `firstError(limits:)`'s to say.
extension SamplingParameters: WireCodable {
    public static var wireByteCountMin: Int { 4 + 8 + 4 + 8 + 8 + 8 + 4 + 4 + 1 }

    public func encode(into writer: inout WireWriter) {
        temperature.encode(into: &writer)
        topK.encode(into: &writer)
        topP.encode(into: &writer)
        seed.encode(into: &writer)
        choiceCount.encode(into: &writer)
        tokenCountMax.encode(into: &writer)
        stopStrings.encode(into: &writer)
        stopTokens.encode(into: &writer)
        logprobCount.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self.init()
        temperature = try Float(from: &reader)
        topK = try Int(from: &reader)
        topP = try Float(from: &reader)
        seed = try UInt64(from: &reader)
        choiceCount = try Int(from: &reader)
        tokenCountMax = try Int(from: &reader)
        stopStrings = try [String](from: &reader)
        stopTokens = try [TokenID](from: &reader)
        logprobCount = try Int?(from: &reader)
    }
}
