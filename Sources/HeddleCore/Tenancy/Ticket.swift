/// A request's place in the tenant queue: what fairness and placement need to know of it, and no prompt.
///
/// The router keeps the request itself (law 3); a queue that was lost is filled again with tickets by the routers.
public struct Ticket: Hashable, Sendable {
    public var request: RequestID
    public var attempt: Attempt
    public var tenant: TenantName
    public var model: ModelName
    public var adapter: AdapterRef?
    public var promptTokenCount: Int
    /// The most tokens of one choice, those of earlier attempts included.
    public var tokenCountMax: Int
    public var choiceCount: Int
    /// Generated tokens of all choices so far, by earlier attempts.
    public var generatedTokenCount: Int
    public var router: RouterRef
    /// Until the deadline when the ticket was sent: durations travel, moments do not.
    public var timeLeft: Duration

    public init(
        request: RequestID, attempt: Attempt, tenant: TenantName, model: ModelName, adapter: AdapterRef?,
        promptTokenCount: Int, tokenCountMax: Int, choiceCount: Int, generatedTokenCount: Int = 0, router: RouterRef,
        timeLeft: Duration
    ) {
        self.request = request
        self.attempt = attempt
        self.tenant = tenant
        self.model = model
        self.adapter = adapter
        self.promptTokenCount = promptTokenCount
        self.tokenCountMax = tokenCountMax
        self.choiceCount = choiceCount
        self.generatedTokenCount = generatedTokenCount
        self.router = router
        self.timeLeft = timeLeft
    }

    /// KV positions that the request may come to hold, in whole blocks; saturates, so that no ticket can overflow a sum.
    public var kvTokenCountMax: Int {
        let (sum, sumOverflow) = max(0, promptTokenCount).addingReportingOverflow(max(0, tokenCountMax))
        guard !sumOverflow, sum <= Int.max - kvBlockTokens else { return .max }
        let whole = KVBlocks.blockCount(forTokens: sum) * kvBlockTokens
        let (total, overflow) = whole.multipliedReportingOverflow(by: max(1, choiceCount))
        return overflow ? .max : total
    }
}
