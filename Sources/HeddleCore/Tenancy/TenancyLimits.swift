/// Every maximum of the tenant queue, and what its tokens cost.
public struct TenancyLimits: Hashable, Sendable {
    /// Tenants with a lane.
    public let tenantCountMax: Int
    /// Tickets waiting and running, all tenants together.
    public let ticketCountMax: Int
    /// w_in: what a prompt token costs when its request is dispatched.
    public let promptTokenCost: Int
    /// w_out: what a generated token costs when it is reported. At least w_in: the fairness bound holds only then,
    /// since otherwise a prompt weighs more than the room that it takes from generated tokens.
    public let generatedTokenCost: Int
    /// Requests whose charges are remembered after their group was lost, so that their replay is not charged again.
    public let returnedCountMax: Int
    /// Groups that are up or whose last epoch is remembered.
    public let groupCountMax: Int
    /// How long after its deadline a running ticket is kept for its router to end it.
    public let runningGrace: Duration

    public init(
        tenantCountMax: Int = 65_536, ticketCountMax: Int = 65_536, promptTokenCost: Int = 1,
        generatedTokenCost: Int = 2, returnedCountMax: Int = 16_384, groupCountMax: Int = 1024,
        runningGrace: Duration = .seconds(5)
    ) throws(LimitsError) {
        try LimitsError.check("tenantCountMax", tenantCountMax, in: 1...1_048_576)
        try LimitsError.check("ticketCountMax", ticketCountMax, in: 1...16_777_216)
        try LimitsError.check("promptTokenCost", promptTokenCost, in: 0...1_000)
        try LimitsError.check("generatedTokenCost", generatedTokenCost, in: max(1, promptTokenCost)...1_000)
        try LimitsError.check("returnedCountMax", returnedCountMax, in: 1...16_777_216)
        try LimitsError.check("groupCountMax", groupCountMax, in: 1...65_536)
        try LimitsError.check("runningGrace", runningGrace, in: .seconds(1) ... .seconds(3600))
        self.tenantCountMax = tenantCountMax
        self.ticketCountMax = ticketCountMax
        self.promptTokenCost = promptTokenCost
        self.generatedTokenCost = generatedTokenCost
        self.returnedCountMax = returnedCountMax
        self.groupCountMax = groupCountMax
        self.runningGrace = runningGrace
    }
}

/// What one tenant may have of the queue.
public struct TenantShare: Hashable, Sendable {
    public let tenant: TenantName
    /// Its part of the mesh relative to other tenants' weights.
    public let weight: Int
    /// Tickets that may wait in its lane.
    public let laneDepthMax: Int

    /// - Throws: `LimitsError` unless weight is 1...1000 and depth 1...1,048,576.
    public init(tenant: TenantName, weight: Int = 1, laneDepthMax: Int = 512) throws(LimitsError) {
        try LimitsError.check("weight", weight, in: 1...1_000)
        try LimitsError.check("laneDepthMax", laneDepthMax, in: 1...1_048_576)
        self.tenant = tenant
        self.weight = weight
        self.laneDepthMax = laneDepthMax
    }
}
