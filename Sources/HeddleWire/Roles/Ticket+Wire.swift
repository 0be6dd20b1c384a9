import HeddleCore

extension Ticket: WireCodable {
    public static var wireByteCountMin: Int { 97 }

    public func encode(into writer: inout WireWriter) {
        request.encode(into: &writer)
        attempt.encode(into: &writer)
        tenant.encode(into: &writer)
        model.encode(into: &writer)
        adapter.encode(into: &writer)
        promptTokenCount.encode(into: &writer)
        tokenCountMax.encode(into: &writer)
        choiceCount.encode(into: &writer)
        generatedTokenCount.encode(into: &writer)
        router.encode(into: &writer)
        timeLeft.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let request = try RequestID(from: &reader)
        let attempt = try Attempt(from: &reader)
        let tenant = try TenantName(from: &reader)
        let model = try ModelName(from: &reader)
        let adapter = try AdapterRef?(from: &reader)
        let promptTokenCount = try Int(countFrom: &reader)
        let tokenCountMax = try Int(countFrom: &reader)
        let choiceCount = try Int(countFrom: &reader)
        let generatedTokenCount = try Int(countFrom: &reader)
        let router = try RouterRef(from: &reader)
        let timeLeft = try Duration(from: &reader)
        self.init(
            request: request, attempt: attempt, tenant: tenant, model: model, adapter: adapter,
            promptTokenCount: promptTokenCount, tokenCountMax: tokenCountMax, choiceCount: choiceCount,
            generatedTokenCount: generatedTokenCount, router: router, timeLeft: timeLeft)
    }
}
