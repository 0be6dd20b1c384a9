/// Decides whose turn it is: one lane of waiting tickets per tenant, ordered by virtual token counters.
///
/// After Sheng et al., "Fairness in Serving Large Language Models" (OSDI '24): a tenant's counter grows by w_in for each
/// prompt token when a ticket is taken and by w_out for each generated token as it is reported, divided by the tenant's
/// weight; the waiting tenant with the smallest counter is next, ties by name; a tenant that comes back is lifted to the
/// smallest counter among the waiting, or to that of the tenant that left last. Between two tenants that keep waiting,
/// the charges differ by at most `2 · max(w_in · L_in, w_out · M)`, where L_in is the longest prompt and M the tokens
/// that run at the same time, and w_in at most w_out.
public struct TenantLanes: Sendable {
    /// Millionths of a virtual token: whole numbers, so that charges add up the same in any order.
    public typealias VirtualTokens = UInt64
    public static let virtualToken: VirtualTokens = 1_000_000

    /// A ticket in its lane.
    public struct Waiting: Hashable, Sendable {
        public var ticket: Ticket
        public var enqueued: Instant
        public var deadline: Instant
        /// An earlier attempt was charged for the prompt.
        public var isPromptCharged: Bool
        /// Generated tokens that earlier attempts were charged for.
        public var chargedTokenCount: Int
        /// Whether some group could hold it; one that fits nowhere neither has a turn nor keeps others from theirs.
        public var fits: Bool

        public init(
            ticket: Ticket, enqueued: Instant, deadline: Instant, isPromptCharged: Bool = false,
            chargedTokenCount: Int = 0, fits: Bool = true
        ) {
            self.ticket = ticket
            self.enqueued = enqueued
            self.deadline = deadline
            self.isPromptCharged = isPromptCharged
            self.chargedTokenCount = chargedTokenCount
            self.fits = fits
        }
    }

    /// One tenant's waiting tickets.
    public struct Lane: Sendable {
        public internal(set) var share: TenantShare
        public internal(set) var counter: VirtualTokens = 0
        public internal(set) var waiting: [Waiting] = []

        /// Whether the tenant takes part in turns.
        var isActive: Bool { waiting.contains(where: \.fits) }
    }

    let limits: TenancyLimits
    /// By tenant name.
    public private(set) var lanes: [Lane] = []
    /// Tickets in all lanes.
    public private(set) var waitingCount = 0
    /// Whose lane was the last to become inactive.
    private var lastActive: TenantName?

    public init(limits: TenancyLimits) { self.limits = limits }

    /// Adds a tenant's lane, or changes its share; what was charged stays.
    public mutating func setShare(_ share: TenantShare) throws(LimitsError) {
        let index = place(of: share.tenant)
        if index < lanes.count, lanes[index].share.tenant == share.tenant {
            lanes[index].share = share
        } else {
            try LimitsError.check("tenantCountMax", lanes.count + 1, in: 0...limits.tenantCountMax)
            lanes.insert(Lane(share: share), at: index)
        }
    }

    /// Puts a ticket at the end of its tenant's lane, or, when it comes back after a loss, at the front.
    ///
    /// - Throws: `unknownTenant`; `tenantLaneFull`, except for one that comes back.
    public mutating func append(_ waiting: Waiting, atFront: Bool) throws(RequestError) {
        guard let index = index(of: waiting.ticket.tenant) else { throw .unknownTenant(waiting.ticket.tenant) }
        let depthMax = lanes[index].share.laneDepthMax
        guard atFront || lanes[index].waiting.count < depthMax else { throw .tenantLaneFull(depthMax: depthMax) }
        if waiting.fits, !lanes[index].isActive { lift(index) }
        lanes[index].waiting.insert(waiting, at: atFront ? 0 : lanes[index].waiting.count)
        waitingCount += 1
    }

    /// The ticket whose turn it is.
    public var next: Waiting? {
        var best: Lane?
        for lane in lanes where lane.isActive && lane.counter < best?.counter ?? .max { best = lane }
        return best?.waiting.first(where: \.fits)
    }

    /// Takes a ticket out of its lane to be run, and charges its prompt unless an earlier attempt was.
    public mutating func take(_ waiting: Waiting) {
        if !waiting.isPromptCharged {
            charge(waiting.ticket.tenant, tokenCount: waiting.ticket.promptTokenCount, cost: limits.promptTokenCost)
        }
        remove(waiting.ticket.request, tenant: waiting.ticket.tenant)
    }

    /// Charges generated tokens.
    public mutating func charge(_ tenant: TenantName, generatedTokenCount: Int) {
        charge(tenant, tokenCount: generatedTokenCount, cost: limits.generatedTokenCost)
    }

    /// Takes a ticket out that will not be run from here.
    @discardableResult
    public mutating func remove(_ request: RequestID, tenant: TenantName) -> Waiting? {
        guard let lane = index(of: tenant),
            let place = lanes[lane].waiting.firstIndex(where: { $0.ticket.request == request })
        else { return nil }
        let wasActive = lanes[lane].isActive
        let removed = lanes[lane].waiting.remove(at: place)
        waitingCount -= 1
        if wasActive, !lanes[lane].isActive { lastActive = tenant }
        return removed
    }

    /// The ticket of a request.
    public func waiting(_ request: RequestID, tenant: TenantName) -> Waiting? {
        guard let lane = index(of: tenant) else { return nil }
        return lanes[lane].waiting.first { $0.ticket.request == request }
    }

    /// Changes where a waiting ticket's tokens go, when its router re-registers it.
    public mutating func setRouter(_ router: RouterRef, of request: RequestID, tenant: TenantName) {
        guard let lane = index(of: tenant) else { return }
        for place in lanes[lane].waiting.indices where lanes[lane].waiting[place].ticket.request == request {
            lanes[lane].waiting[place].ticket.router = router
        }
    }

    /// The groups have changed: asks of every ticket again whether some group could hold it.
    public mutating func refit(_ fits: (Ticket) -> Bool) {
        let wasActive = lanes.map(\.isActive)
        for lane in lanes.indices {
            for place in lanes[lane].waiting.indices {
                lanes[lane].waiting[place].fits = fits(lanes[lane].waiting[place].ticket)
            }
        }
        // Tenants that took part before and after say what those that come back are lifted to.
        let stayed = lanes.indices.filter { wasActive[$0] && lanes[$0].isActive }.map { lanes[$0].counter }.min()
        for lane in lanes.indices where lanes[lane].isActive && !wasActive[lane] {
            lanes[lane].counter = max(lanes[lane].counter, stayed ?? lastCounter)
        }
        for lane in lanes.indices where wasActive[lane] && !lanes[lane].isActive {
            lastActive = lanes[lane].share.tenant
        }
    }

    private var lastCounter: VirtualTokens {
        guard let lastActive, let index = index(of: lastActive) else { return 0 }
        return lanes[index].counter
    }

    private mutating func lift(_ index: Int) {
        let smallest = lanes.lazy.filter(\.isActive).map(\.counter).min() ?? lastCounter
        lanes[index].counter = max(lanes[index].counter, smallest)
    }

    private mutating func charge(_ tenant: TenantName, tokenCount: Int, cost: Int) {
        guard let index = index(of: tenant), tokenCount > 0 else { return }
        let (virtual, overflow) = UInt64(tokenCount).multipliedReportingOverflow(by: UInt64(cost) * Self.virtualToken)
        let charged = (overflow ? .max : virtual) / UInt64(lanes[index].share.weight)
        let (sum, sumOverflow) = lanes[index].counter.addingReportingOverflow(charged)
        // A tenant that reached the end of the counter is last; nobody is ever ahead of where it was.
        lanes[index].counter = sumOverflow ? .max - 1 : min(sum, .max - 1)
    }

    func index(of tenant: TenantName) -> Int? {
        let index = place(of: tenant)
        return index < lanes.count && lanes[index].share.tenant == tenant ? index : nil
    }

    /// Where the tenant's lane is or would be.
    private func place(of tenant: TenantName) -> Int {
        var low = 0
        var high = lanes.count
        while low < high {
            let middle = (low + high) / 2
            if lanes[middle].share.tenant < tenant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
