/// Decides which request of which tenant goes to which worker group, and when: the tenant queue of one model.
///
/// It keeps soft state only. The routers own the requests: an attempt that lost its group is returned to its router,
/// which enqueues the next attempt, and that one goes to the front of its lane without being charged again.
///
/// The ticket whose turn it is waits for room; others pass it only when no group that is up could ever hold it.
public struct TenantQueueCore: Sendable {
    /// What the queue's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Tell the ticket's router that the attempt may go to the group.
        case assign(Ticket, to: GroupEpoch)
        /// Tell the router that the attempt has ended here: the one answer of the queue that ends a request.
        case reject(router: RouterRef, request: RequestID, attempt: Attempt, error: RequestError)
        /// Tell the router that the epoch in which the attempt ran is over.
        case giveBack(router: RouterRef, request: RequestID, attempt: Attempt, lost: GroupEpoch, end: EpochEnd)
        /// Tell the group that the attempt's owner is gone.
        case abandon(request: RequestID, attempt: Attempt, at: GroupEpoch)
        /// The group cannot serve this queue's model.
        case refuse(GroupEpoch, reason: String)
        /// Tell the group that this epoch is over here, and that only one after `last` is taken.
        case outdate(GroupEpoch, last: Epoch)
    }

    /// Events that changed nothing because they were late (law 4).
    public struct Counts: Hashable, Sendable {
        public var staleTickets = 0
        public var staleReports = 0
        public var staleGroups = 0
        public var assigned = 0
        public var returned = 0
        public var rejected = 0
        public init() {}
    }

    /// An attempt that was assigned and has not ended.
    struct Running: Sendable {
        var ticket: Ticket
        let group: GroupEpoch
        let deadline: Instant
        /// Order of assignment, by which attempts are visited.
        let order: UInt64
        /// Generated tokens that were charged, those of earlier attempts included.
        var chargedTokenCount: Int
    }

    /// What an attempt that ended with its group was charged; its replay starts from there.
    struct Charge: Sendable {
        let tenant: TenantName
        let attempt: Attempt
        let tokenCount: Int
        let until: Instant
        let order: UInt64
    }

    /// KV positions of one ticket: far above any group, and small enough that the sum of all tickets cannot overflow.
    static let ticketKVTokenCountMax = 1 << 36

    public let model: ModelName
    public let policy: PlacementPolicy
    let limits: TenancyLimits
    var lanes: TenantLanes
    var groups: GroupTable
    var running: [RequestID: Running] = [:]
    var charged: [RequestID: Charge] = [:]
    /// Whose tickets wait: where to look for a request's ticket.
    var waitingTenants: [RequestID: TenantName] = [:]
    var assignments: UInt64 = 0
    var counts = Counts()

    public init(model: ModelName, limits: TenancyLimits, policy: PlacementPolicy = .pack) {
        self.model = model
        self.policy = policy
        self.limits = limits
        lanes = TenantLanes(limits: limits)
        groups = GroupTable(groupCountMax: limits.groupCountMax)
    }

    public var waitingCount: Int { lanes.waitingCount }
    public var runningCount: Int { running.count }

    /// Adds a tenant or changes its share. A tenant without a share is unknown.
    public mutating func setShare(_ share: TenantShare) throws(LimitsError) { try lanes.setShare(share) }
}
