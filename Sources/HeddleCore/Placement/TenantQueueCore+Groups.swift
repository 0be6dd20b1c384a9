extension TenantQueueCore {
    /// A group has formed. A later epoch of a group that is up ends the earlier one; one that is over is told so, since it
    /// would wait for requests for ever.
    public mutating func groupUp(
        _ group: GroupEpoch, capacity: GroupCapacity, model: ModelName, now: Instant
    ) -> [Action] {
        guard model == self.model else {
            return [.refuse(group, reason: "the group serves model “\(model)”; this queue is for “\(self.model)”")]
        }
        if let last = groups.lastOver(group.group), group.epoch <= last {
            counts.staleGroups += 1
            return [.outdate(group, last: last)]
        }
        var actions: [Action] = []
        if let present = groups.group(group.group) {
            guard present.id.epoch < group.epoch else {
                if present.id.epoch == group.epoch { return [] }
                counts.staleGroups += 1
                return [.outdate(group, last: present.id.epoch)]
            }
        }
        if group.epoch.number > 0 {
            actions += end(GroupEpoch(group: group.group, epoch: Epoch(group.epoch.number - 1)), .lost, now: now)
        }
        guard groups.insert(group, capacity: capacity, now: now) else {
            return actions + [.refuse(group, reason: "the queue has \(limits.groupCountMax) groups already")]
        }
        // What routers said about this group before it registered.
        for present in runningInOrder where present.group == group { groups.reserve(present.ticket, at: group) }
        refit()
        return actions + assign(now: now)
    }

    /// This epoch of the group, and every earlier one, is over: its attempts go back to their routers.
    public mutating func groupLost(_ group: GroupEpoch, _ end: EpochEnd = .lost, now: Instant) -> [Action] {
        if groups.isOver(group) {
            counts.staleGroups += 1
            return []
        }
        let actions = self.end(group, end, now: now)
        refit()
        return actions + assign(now: now)
    }

    /// Ends what is past its deadline. To be called at `nextTick`, or every half second.
    public mutating func tick(now: Instant) -> [Action] {
        var actions: [Action] = []
        let late = lanes.lanes.flatMap(\.waiting).filter { $0.deadline <= now }
        for waiting in late.sorted(by: { ($0.deadline, $0.ticket.request) < ($1.deadline, $1.ticket.request) }) {
            removeWaiting(waiting.ticket.request)
            let error: RequestError =
                if let reason = unfitness(of: waiting) {
                    .noCapacity(reason: reason)
                } else {
                    .deadlineExceeded(after: waiting.deadline.duration(since: waiting.enqueued))
                }
            actions += reject(waiting.ticket, error)
        }
        for present in runningInOrder where present.deadline.advanced(by: limits.runningGrace) <= now {
            running[present.ticket.request] = nil
            groups.release(present.ticket, at: present.group)
            actions.append(
                .abandon(request: present.ticket.request, attempt: present.ticket.attempt, at: present.group))
        }
        charged = charged.filter { $0.value.until > now }
        return actions + assign(now: now)
    }

    /// When something is next past its deadline.
    public var nextTick: Instant? {
        let waiting = lanes.lanes.lazy.flatMap(\.waiting).map(\.deadline).min()
        let running = running.values.lazy.map { $0.deadline.advanced(by: limits.runningGrace) }.min()
        return [waiting, running].compactMap(\.self).min()
    }

    private mutating func end(_ group: GroupEpoch, _ end: EpochEnd, now: Instant) -> [Action] {
        groups.remove(upTo: group)
        var actions: [Action] = []
        for present in runningInOrder where present.group.group == group.group && present.group.epoch <= group.epoch {
            giveUp(present, now: now)
            actions.append(giveBack(present.ticket, lost: present.group, end))
        }
        return actions
    }

    private mutating func refit() {
        let groups = groups.groups
        lanes.refit { ticket in groups.isEmpty || groups.contains { $0.couldHold(ticket) } }
    }
}

extension TenantQueueCore {
    /// Hands out what fits, in the order of turns. The ticket whose turn it is waits for room rather than be passed, or
    /// a tenant with large requests would starve.
    mutating func assign(now: Instant) -> [Action] {
        var actions: [Action] = []
        while let waiting = lanes.next, let group = policy.choose(for: waiting.ticket, among: groups.groups) {
            lanes.take(waiting)
            waitingTenants[waiting.ticket.request] = nil
            run(
                waiting.ticket, at: group.id, deadline: waiting.deadline,
                chargedTokenCount: waiting.chargedTokenCount)
            counts.assigned += 1
            var ticket = waiting.ticket
            ticket.timeLeft = waiting.deadline.duration(since: now)
            actions.append(.assign(ticket, to: group.id))
        }
        return actions
    }

    mutating func run(_ ticket: Ticket, at group: GroupEpoch, deadline: Instant, chargedTokenCount: Int) {
        assignments += 1
        running[ticket.request] = Running(
            ticket: ticket, group: group, deadline: deadline, order: assignments, chargedTokenCount: chargedTokenCount)
        groups.reserve(ticket, at: group)
    }

    /// An attempt is over and its request is not: remembers what it was charged.
    mutating func giveUp(_ present: Running, now: Instant) {
        running[present.ticket.request] = nil
        groups.release(present.ticket, at: present.group)
        charged[present.ticket.request] = Charge(
            tenant: present.ticket.tenant, attempt: present.ticket.attempt, tokenCount: present.chargedTokenCount,
            until: present.deadline, order: present.order)
        if charged.count > limits.returnedCountMax,
            let oldest = charged.min(by: { $0.value.order < $1.value.order })?.key
        {
            charged[oldest] = nil
        }
    }

    mutating func giveBack(_ ticket: Ticket, lost group: GroupEpoch, _ end: EpochEnd) -> Action {
        counts.returned += 1
        return .giveBack(router: ticket.router, request: ticket.request, attempt: ticket.attempt, lost: group, end: end)
    }

    mutating func reject(_ ticket: Ticket, _ error: RequestError) -> [Action] {
        counts.rejected += 1
        return [.reject(router: ticket.router, request: ticket.request, attempt: ticket.attempt, error: error)]
    }

    var runningInOrder: [Running] { running.values.sorted { $0.order < $1.order } }

    func waiting(_ request: RequestID) -> TenantLanes.Waiting? {
        waitingTenants[request].flatMap { lanes.waiting(request, tenant: $0) }
    }

    @discardableResult
    mutating func removeWaiting(_ request: RequestID) -> TenantLanes.Waiting? {
        waitingTenants.removeValue(forKey: request).flatMap { lanes.remove(request, tenant: $0) }
    }

    /// A queue without groups does not know yet; it waits.
    func fits(_ ticket: Ticket) -> Bool { groups.groups.isEmpty || groups.groups.contains { $0.couldHold(ticket) } }

    /// Why no group that is up could ever hold a waiting ticket; nil when one could.
    func unfitness(of waiting: TenantLanes.Waiting) -> String? {
        if groups.groups.isEmpty { return "no worker group is up" }
        if waiting.fits { return nil }
        let ticket = waiting.ticket
        return
            "\(ticket.choiceCount) choices of \(ticket.promptTokenCount) + \(ticket.tokenCountMax) tokens fit no group"
    }
}
