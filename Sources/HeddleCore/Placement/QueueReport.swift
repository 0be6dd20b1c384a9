/// What a tenant queue holds and why its tenants wait, for inspection.
public struct QueueReport: Hashable, Sendable {
    public var model: ModelName
    public var waitingCount: Int
    public var runningCount: Int
    /// By name.
    public var tenants: [Tenant]
    /// By name.
    public var groups: [GroupTable.Group]
    public var counts: TenantQueueCore.Counts

    /// One tenant's lane.
    public struct Tenant: Hashable, Sendable {
        public var tenant: TenantName
        public var weight: Int
        /// Whole virtual tokens.
        public var counter: UInt64
        public var waitingCount: Int
        public var runningCount: Int
        public var laneDepthMax: Int
        /// The first ticket of the lane.
        public var head: Head?
    }

    /// The ticket that a lane would give next.
    public struct Head: Hashable, Sendable {
        public var request: RequestID
        public var attempt: Attempt
        public var since: Instant
        public var deadline: Instant
        public var reason: Reason
    }

    /// Why a ticket waits.
    public enum Reason: Hashable, Sendable {
        case noGroup
        /// It is next; no group has room for it now.
        case noRoom
        /// Another tenant is next.
        case turn
        /// No group that is up could ever hold it.
        case fitsNoGroup(String)
    }
}

extension TenantQueueCore {
    /// What waits, what runs where, and why.
    public func report() -> QueueReport {
        let next = lanes.next?.ticket.request
        var runningCounts: [TenantName: Int] = [:]
        for present in running.values { runningCounts[present.ticket.tenant, default: 0] += 1 }
        let tenants = lanes.lanes.map { lane in
            QueueReport.Tenant(
                tenant: lane.share.tenant, weight: lane.share.weight, counter: lane.counter / TenantLanes.virtualToken,
                waitingCount: lane.waiting.count, runningCount: runningCounts[lane.share.tenant] ?? 0,
                laneDepthMax: lane.share.laneDepthMax,
                head: lane.waiting.first.map { head in
                    QueueReport.Head(
                        request: head.ticket.request, attempt: head.ticket.attempt, since: head.enqueued,
                        deadline: head.deadline, reason: reason(head, next: next))
                })
        }
        return QueueReport(
            model: model, waitingCount: waitingCount, runningCount: runningCount, tenants: tenants,
            groups: groups.groups, counts: counts)
    }

    private func reason(_ waiting: TenantLanes.Waiting, next: RequestID?) -> QueueReport.Reason {
        if groups.groups.isEmpty { return .noGroup }
        if let unfitness = unfitness(of: waiting) { return .fitsNoGroup(unfitness) }
        return waiting.ticket.request == next ? .noRoom : .turn
    }
}
