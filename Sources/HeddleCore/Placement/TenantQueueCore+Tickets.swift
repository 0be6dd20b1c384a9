extension TenantQueueCore {
    /// A router asks for a group. The same attempt again is answered again; an older one is dropped; a newer one takes
    /// the place of the older, in front of its lane, with what was charged already.
    public mutating func enqueue(_ ticket: Ticket, now: Instant) -> [Action] {
        if let error = refusal(of: ticket) { return reject(ticket, error) }
        if let present = running[ticket.request] {
            if ticket.attempt < present.ticket.attempt { return stale() }
            if ticket.attempt == present.ticket.attempt {
                running[ticket.request]?.ticket.router = ticket.router
                return [.assign(ticket, to: present.group)]
            }
            // The router gave the older attempt up before we heard that its group is lost.
            giveUp(present, now: now)
        }
        if let charge = charged[ticket.request], ticket.attempt <= charge.attempt { return stale() }
        var replaced: TenantLanes.Waiting?
        if let waiting = waiting(ticket.request) {
            if ticket.attempt < waiting.ticket.attempt { return stale() }
            if ticket.attempt == waiting.ticket.attempt {
                lanes.setRouter(ticket.router, of: ticket.request, tenant: waiting.ticket.tenant)
                return []
            }
            replaced = removeWaiting(ticket.request)
        }
        let charge = charged.removeValue(forKey: ticket.request)
        let isPromptCharged = charge != nil || replaced?.isPromptCharged == true
        let entry = TenantLanes.Waiting(
            ticket: ticket, enqueued: now, deadline: now.advanced(by: ticket.timeLeft),
            isPromptCharged: isPromptCharged,
            chargedTokenCount: charge?.tokenCount ?? replaced?.chargedTokenCount ?? ticket.generatedTokenCount,
            fits: fits(ticket))
        do {
            try lanes.append(entry, atFront: isPromptCharged || replaced != nil)
        } catch {
            return reject(ticket, error)
        }
        waitingTenants[ticket.request] = ticket.tenant
        return assign(now: now)
    }

    /// A router tells a queue that was restarted what runs where. The group may register later.
    public mutating func reregister(_ ticket: Ticket, running group: GroupEpoch, now: Instant) -> [Action] {
        if let error = refusal(of: ticket) { return reject(ticket, error) }
        guard running[ticket.request].map({ $0.ticket.attempt < ticket.attempt }) ?? true,
            charged[ticket.request].map({ $0.attempt < ticket.attempt }) ?? true
        else { return stale() }
        if groups.isOver(group) || groups.group(group.group).map({ $0.id.epoch > group.epoch }) ?? false {
            return [giveBack(ticket, lost: group, .lost)]
        }
        if let older = running.removeValue(forKey: ticket.request) { groups.release(older.ticket, at: older.group) }
        removeWaiting(ticket.request)
        charged[ticket.request] = nil
        run(
            ticket, at: group, deadline: now.advanced(by: ticket.timeLeft),
            chargedTokenCount: ticket.generatedTokenCount)
        return []
    }

    /// The router no longer wants a group for this or any earlier attempt. Nothing is answered to it.
    public mutating func cancel(_ request: RequestID, attempt: Attempt, now: Instant) -> [Action] {
        end(request, attempt: attempt, generatedTokenCount: 0, now: now)
    }

    /// Tokens of all choices so far, earlier attempts' included.
    public mutating func progressed(_ request: RequestID, attempt: Attempt, generatedTokenCount: Int) {
        guard let present = running[request], present.ticket.attempt == attempt else {
            counts.staleReports += 1
            return
        }
        guard generatedTokenCount > present.chargedTokenCount else { return }
        lanes.charge(
            present.ticket.tenant, generatedTokenCount: generatedTokenCount - present.chargedTokenCount)
        running[request]?.chargedTokenCount = generatedTokenCount
    }

    /// The request has ended at its router, however: this and every earlier attempt.
    public mutating func finished(
        _ request: RequestID, attempt: Attempt, generatedTokenCount: Int, now: Instant
    ) -> [Action] {
        end(request, attempt: attempt, generatedTokenCount: generatedTokenCount, now: now)
    }

    /// A router's process is gone: nobody waits for its requests. Clients submit them again elsewhere.
    public mutating func routerLost(_ router: RouterRef, now: Instant) -> [Action] {
        for waiting in lanes.lanes.flatMap(\.waiting) where waiting.ticket.router == router {
            removeWaiting(waiting.ticket.request)
        }
        var actions: [Action] = []
        for present in runningInOrder where present.ticket.router == router {
            running[present.ticket.request] = nil
            groups.release(present.ticket, at: present.group)
            actions.append(
                .abandon(request: present.ticket.request, attempt: present.ticket.attempt, at: present.group))
        }
        return actions + assign(now: now)
    }

    private mutating func end(
        _ request: RequestID, attempt: Attempt, generatedTokenCount: Int, now: Instant
    ) -> [Action] {
        let generatedTokenCount = max(0, generatedTokenCount)
        if let charge = charged[request], charge.attempt <= attempt {
            lanes.charge(charge.tenant, generatedTokenCount: generatedTokenCount - charge.tokenCount)
            charged[request] = nil
        }
        if let waiting = waiting(request), waiting.ticket.attempt <= attempt {
            lanes.charge(
                waiting.ticket.tenant, generatedTokenCount: generatedTokenCount - waiting.chargedTokenCount)
            removeWaiting(request)
        } else if let present = running[request], present.ticket.attempt <= attempt {
            lanes.charge(
                present.ticket.tenant, generatedTokenCount: generatedTokenCount - present.chargedTokenCount)
            running[request] = nil
            groups.release(present.ticket, at: present.group)
        } else {
            counts.staleReports += 1
        }
        return assign(now: now)
    }

    private func refusal(of ticket: Ticket) -> RequestError? {
        guard ticket.model == model else { return .unknownModel(ticket.model.text) }
        guard lanes.index(of: ticket.tenant) != nil else { return .unknownTenant(ticket.tenant) }
        guard ticket.promptTokenCount > 0, ticket.tokenCountMax > 0, ticket.choiceCount > 0,
            ticket.generatedTokenCount >= 0
        else { return .protocolViolation(reason: "a ticket counts at least one prompt token, new token and choice") }
        guard ticket.kvTokenCountMax <= Self.ticketKVTokenCountMax, ticket.choiceCount <= Self.ticketKVTokenCountMax
        else {
            return .noCapacity(
                reason: "\(ticket.choiceCount) choices of \(ticket.tokenCountMax) new tokens fit no group")
        }
        guard ticket.timeLeft > .zero else { return .deadlineExceeded(after: .zero) }
        let isKnown = running[ticket.request] != nil || waitingTenants[ticket.request] != nil
        guard isKnown || running.count + lanes.waitingCount < limits.ticketCountMax else {
            return .busy(retryAfter: .seconds(1))
        }
        return nil
    }

    private mutating func stale() -> [Action] {
        counts.staleTickets += 1
        return []
    }
}
