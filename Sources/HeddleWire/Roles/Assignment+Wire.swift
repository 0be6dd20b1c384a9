import HeddleCore

extension Assignment: WireCodable {
    public static var wireByteCountMin: Int { 159 }

    public func encode(into writer: inout WireWriter) {
        request.encode(into: &writer)
        attempt.encode(into: &writer)
        tenant.encode(into: &writer)
        model.encode(into: &writer)
        adapter.encode(into: &writer)
        promptTokens.encode(into: &writer)
        parameters.encode(into: &writer)
        choices.encode(into: &writer)
        scoredFrom.encode(into: &writer)
        router.encode(into: &writer)
        timeLeft.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let request = try RequestID(from: &reader)
        let attempt = try Attempt(from: &reader)
        let tenant = try TenantName(from: &reader)
        let model = try ModelName(from: &reader)
        let adapter = try AdapterRef?(from: &reader)
        let promptTokens = try [TokenID](from: &reader)
        let parameters = try SamplingParameters(from: &reader)
        let choices = try [Choice](from: &reader)
        let scoredFrom = try Int?(from: &reader)
        let router = try RouterRef(from: &reader)
        let timeLeft = try Duration(from: &reader)
        self.init(
            request: request, attempt: attempt, tenant: tenant, model: model, adapter: adapter,
            promptTokens: promptTokens, parameters: parameters, choices: choices,
            scoredFrom: scoredFrom, router: router, timeLeft: timeLeft)
    }
}

extension Assignment.Choice: WireCodable {
    public static var wireByteCountMin: Int { 12 }

    public func encode(into writer: inout WireWriter) {
        number.encode(into: &writer)
        tokens.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let number = try Int(countFrom: &reader)
        let tokens = try [TokenID](from: &reader)
        self.init(number: number, tokens: tokens)
    }
}
