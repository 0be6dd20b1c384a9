/// Every maximum of a router's `RequestTable`.
public struct RequestTableLimits: Hashable, Sendable {
    /// Requests that have not ended.
    public let requestCountMax: Int
    /// Worker losses of one request: at this many it ends with `workerLost` instead of being tried again.
    public let lossCountMax: Int
    /// How long a request waits when a group did not take it; doubles with each refusal up to `refusalBackOffMax`.
    public let refusalBackOff: Duration
    public let refusalBackOffMax: Duration
    /// How long a request runs on after its client has gone. Zero cancels at once; a client that comes back continues
    /// either way, because a cancelled request is replayed from what is remembered.
    public let clientGrace: Duration
    /// How long an ended request is remembered for resume.
    public let rememberedTime: Duration
    /// Ended requests that are remembered.
    public let rememberedCountMax: Int
    /// Prompt and generated tokens of the ended requests that are remembered.
    public let rememberedTokenCountMax: Int
    /// Tokens that a client may let its router send ahead.
    public let creditTokenCountMax: Int
    /// Tokens of one chunk, of which a message to the client is made.
    public let chunkTokenCountMax: Int
    /// Generated tokens between two reports to the tenant queue.
    public let reportTokenCount: Int
    /// What a refused client is told to wait.
    public let retryAfter: Duration

    public init(
        requestCountMax: Int = 8192, lossCountMax: Int = 2, refusalBackOff: Duration = .milliseconds(20),
        refusalBackOffMax: Duration = .milliseconds(500), clientGrace: Duration = .zero,
        rememberedTime: Duration = .seconds(60), rememberedCountMax: Int = 4096,
        rememberedTokenCountMax: Int = 16_777_216, creditTokenCountMax: Int = 1_048_576, chunkTokenCountMax: Int = 1024,
        reportTokenCount: Int = 16, retryAfter: Duration = .seconds(1)
    ) throws(LimitsError) {
        try LimitsError.check("requestCountMax", requestCountMax, in: 1...1_048_576)
        try LimitsError.check("lossCountMax", lossCountMax, in: 1...100)
        try LimitsError.check("refusalBackOff", refusalBackOff, in: .milliseconds(1) ... .seconds(60))
        try LimitsError.check("refusalBackOffMax", refusalBackOffMax, in: refusalBackOff ... .seconds(60))
        try LimitsError.check("clientGrace", clientGrace, in: .zero ... .seconds(3600))
        try LimitsError.check("rememberedTime", rememberedTime, in: .zero ... .seconds(86_400))
        try LimitsError.check("rememberedCountMax", rememberedCountMax, in: 0...1_048_576)
        try LimitsError.check("rememberedTokenCountMax", rememberedTokenCountMax, in: 0...(1 << 40))
        try LimitsError.check("creditTokenCountMax", creditTokenCountMax, in: 1...(1 << 40))
        try LimitsError.check("chunkTokenCountMax", chunkTokenCountMax, in: 1...1024)
        try LimitsError.check("reportTokenCount", reportTokenCount, in: 1...1_048_576)
        try LimitsError.check("retryAfter", retryAfter, in: .milliseconds(1) ... .seconds(3600))
        self.requestCountMax = requestCountMax
        self.lossCountMax = lossCountMax
        self.refusalBackOff = refusalBackOff
        self.refusalBackOffMax = refusalBackOffMax
        self.clientGrace = clientGrace
        self.rememberedTime = rememberedTime
        self.rememberedCountMax = rememberedCountMax
        self.rememberedTokenCountMax = rememberedTokenCountMax
        self.creditTokenCountMax = creditTokenCountMax
        self.chunkTokenCountMax = chunkTokenCountMax
        self.reportTokenCount = reportTokenCount
        self.retryAfter = retryAfter
    }
}
