/// Decides whose turn it is: one lane of waiting tickets per tenant, ordered by virtual token counters.
///
/// After Sheng et al., "Fairness in Serving Large Language Models" (OSDI '24): a tenant's counter grows by w_in for each
/// prompt token when a ticket is taken and by w_out for each generated token as it is reported, divided by the tenant's
/// weight; the waiting tenant with the smallest counter is next, ties by name; a tenant that comes back is lifted to the
/// smallest counter among the waiting. Between two tenants that keep waiting, the charges differ by at most
/// `2 · max(w_in · L_in, w_out · M)`, where L_in is the longest prompt and M the tokens that run at the same time.
public struct TenantLanes: Sendable {
    /// Millionths of a virtual token: whole numbers, so that charges add up the same in any order.
    public typealias VirtualTokens = UInt64
    public static let virtualToken: VirtualTokens = 1_000_000

    /// A ticket in its lane.
    public struct Waiting: Hashable, Sendable {
        public var ticket: Ticket
        public var enqueued: Instant
        public var deadline: Instant
        /// Its prompt was charged by an earlier attempt.
        public var isPromptCharged: Bool
    }

    struct Lane: Sendable {
        var share: TenantShare
        var counter: VirtualTokens = 0
        var waiting: [Waiting] = []
    }

    let limits: TenancyLimits
    /// By tenant name.
    var lanes: [Lane] = []
    /// The counter of the tenant that emptied its lane last: what a tenant is lifted to when nobody waits.
    var lastCounter: VirtualTokens = 0

    public init(limits: TenancyLimits) { self.limits = limits }
}
