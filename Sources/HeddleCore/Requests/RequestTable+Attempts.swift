extension RequestTable {
    /// The tenant queue has found a group for the attempt.
    public mutating func assigned(
        _ request: RequestID, attempt: Attempt, to group: GroupEpoch, now: Instant
    ) -> [Action] {
        guard let entry = entries[request], entry.attempt == attempt, entry.isGenerating else {
            // Or the queue would keep the group's room for it.
            counts.stale += 1
            return [.endAtQueue(request, attempt, generatedTokenCount: 0)]
        }
        return update(request) { table, entry in
            guard entry.phase == .queued else {
                table.counts.stale += 1
                return []
            }
            if let over = table.overEpochs[group.group], group.epoch <= over {
                // Whoever runs it must form anew, or the queue would offer it again and again.
                return [.outdate(group, last: over)] + table.refuse(&entry, now: now)
            }
            entry.enter(.running(group), now: now)
            return [.dispatch(entry.assignment(router: table.router, now: now), to: group)]
        }
    }

    /// The group did not take the assignment: it cannot be reached, is full, or its epoch is over. The request is
    /// queued again after a back-off, for as long as its deadline allows; this is not a loss.
    public mutating func dispatchRefused(_ request: RequestID, attempt: Attempt, now: Instant) -> [Action] {
        update(request) { table, entry in
            guard entry.attempt == attempt, case .running = entry.phase else {
                table.counts.stale += 1
                return []
            }
            return table.refuse(&entry, now: now)
        }
    }

    private mutating func refuse(_ entry: inout RequestEntry, now: Instant) -> [Action] {
        var backOff = limits.refusalBackOff
        for _ in 0..<min(entry.refusalCount, 16) { backOff = min(backOff * 2, limits.refusalBackOffMax) }
        entry.refusalCount += 1
        entry.enter(.refused(until: now.advanced(by: backOff)), now: now)
        // The queue is told by the next attempt, which goes to the front of its lane for what this one was charged.
        return []
    }

    /// One loss of a group costs each of its requests one attempt, whoever tells of it first and however often.
    private mutating func noteOver(_ group: GroupEpoch) {
        overEpochs[group.group] = max(overEpochs[group.group] ?? group.epoch, group.epoch)
    }

    /// The tenant queue, or the worker group, ended the attempt. `workerLost` is a loss and replayed; a group that is
    /// full or shuts down has refused; everything else is terminal.
    public mutating func failed(
        _ request: RequestID, attempt: Attempt, error: RequestError, now: Instant
    ) -> [Action] {
        guard let entry = entries[request], entry.attempt == attempt, entry.isGenerating else {
            counts.stale += 1
            return []
        }
        switch (error, entry.phase) {
        case (.noCapacity, .running) where entry.deadline <= now.advanced(by: limits.refusalBackOffMax):
            // No time is left for another try: the reason says more than that the deadline has passed.
            return update(request) { $0.end(&$1, .failed(error), isGroupLost: true, now: now) } + trim()
        case (.noCapacity, .running), (.shuttingDown, .running):
            return dispatchRefused(request, attempt: attempt, now: now)
        case (.noCapacity, .refused), (.shuttingDown, .refused):
            // The queue has said so before.
            counts.stale += 1
            return []
        case (.workerLost, _):
            if case .running(let group) = entry.phase { noteOver(group) }
            return update(request) { $0.lose(&$1, isGroupLost: true, now: now) } + trim()
        case (.deadlineExceeded, _):
            return update(request) { $0.end(&$1, .failed(Self.deadlineError($1)), now: now) } + trim()
        default:
            return update(request) { $0.end(&$1, .failed(error), isGroupLost: true, now: now) } + trim()
        }
    }

    /// This epoch of the group, and every earlier one, is over: its requests are tried again, or end with `workerLost`. An
    /// epoch that was given up costs no request an attempt of those that it has.
    public mutating func workerLost(_ group: GroupEpoch, _ end: EpochEnd = .lost, now: Instant) -> [Action] {
        noteOver(group)
        let ids = inOrder { entry in
            guard case .running(let present) = entry.phase else { return false }
            return present.group == group.group && present.epoch <= group.epoch
        }
        return ids.flatMap { id in
            update(id) { table, entry in
                switch end {
                case .lost: table.lose(&entry, isGroupLost: true, now: now)
                case .givenUp: table.refuse(&entry, now: now)
                }
            }
        } + trim()
    }

    /// The group's rank 0 took this router for lost and came back: it has dropped what it ran for it, though its epoch may
    /// go on. Its requests are tried again; this is not a loss.
    public mutating func groupReturned(_ group: GroupName, now: Instant) -> [Action] {
        let ids = inOrder { entry in
            if case .running(let present) = entry.phase { present.group == group } else { false }
        }
        return ids.flatMap { id in update(id) { $0.refuse(&$1, now: now) } }
    }

    /// The tenant queue is new or was restarted: it is told again of every request of its model.
    public mutating func queueUp(model: ModelName, now: Instant) -> [Action] {
        inOrder { $0.submission.model == model }.compactMap { id in
            guard let entry = entries[id] else { return nil }
            switch entry.phase {
            case .queued: return .enqueue(entry.ticket(router: router, now: now))
            case .running(let group):
                return .reregister(entry.ticket(router: router, now: now), running: group)
            case .refused, .draining, .ended: return nil
            }
        }
    }

    /// Ends what is past its deadline, enqueues what was refused, forgets what ended long ago. To be called at
    /// `nextTick`, or every quarter of a second: a terminal event is promised one second after the deadline.
    public mutating func tick(now: Instant) -> [Action] {
        var actions: [Action] = []
        for id in inOrder({ _ in true }) {
            actions += update(id) { table, entry in
                if entry.deadline <= now { return table.end(&entry, .failed(Self.deadlineError(entry)), now: now) }
                let ending = table.endIfAbandoned(&entry, now: now)
                guard case .refused(let until) = entry.phase, until <= now else { return ending }
                return table.tryAgain(&entry, now: now)
            }
        }
        while let id = remembered.first, let entry = entries[id],
            entry.since.advanced(by: limits.rememberedTime) <= now
        {
            actions += forget(id)
        }
        return actions + trim()
    }

    /// When something is next past its time; nil when nothing is here.
    public var nextTick: Instant? {
        entries.values.lazy.map { entry in
            switch entry.phase {
            case .ended: return entry.since.advanced(by: limits.rememberedTime)
            case .refused(let until): return min(until, entry.deadline)
            case .queued, .running, .draining:
                return min(entry.deadline, entry.clientGone?.advanced(by: limits.clientGrace) ?? entry.deadline)
            }
        }.min()
    }

    /// Ends everything that has not ended with `shuttingDown`.
    public mutating func shutDown(now: Instant) -> [Action] {
        inOrder { _ in true }.flatMap { id in update(id) { $0.end(&$1, .failed(.shuttingDown), now: now) } } + trim()
    }

    /// Requests that have not ended and match, in order of acceptance.
    func inOrder(_ matches: (RequestEntry) -> Bool) -> [RequestID] {
        entries.values.filter { !$0.isEnded && matches($0) }.sorted { $0.order < $1.order }.map(\.id)
    }

    private static func deadlineError(_ entry: RequestEntry) -> RequestError {
        .deadlineExceeded(after: entry.submission.deadline)
    }
}
