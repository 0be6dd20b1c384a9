extension RequestTable {
    /// A client submits, or comes back: the same id with the same content attaches the client to the request, which is
    /// run once. The client is sent everything from `resumeFrom` on, which names, by choice, the first token it lacks.
    ///
    /// - Parameters:
    ///   - credit: Tokens that the client takes for now.
    ///   - tenantRequestCountMax: Requests of the tenant that may be here at the same time.
    public mutating func submit(
        _ submission: Submission, client: ClientRef, credit: Int, resumeFrom: [Int] = [], tenantRequestCountMax: Int,
        now: Instant
    ) -> [Action] {
        let parameters = submission.parameters
        guard parameters.choiceCount > 0, resumeFrom.count <= parameters.choiceCount,
            resumeFrom.allSatisfy({ (0...max(0, parameters.tokenCountMax)).contains($0) })
        else {
            let reason = "a stream resumes at a token from 0 to \(parameters.tokenCountMax) of each of its choices"
            return refuse(client, submission.id, .protocolViolation(reason: reason))
        }
        let credit = min(max(0, credit), limits.creditTokenCountMax)
        guard var entry = entries[submission.id] else {
            if let error = lack(of: submission.tenant, max: tenantRequestCountMax) {
                return refuse(client, submission.id, error)
            }
            acceptances += 1
            counts.accepted += 1
            inFlightByTenant[submission.tenant, default: 0] += 1
            var entry = RequestEntry(submission, order: acceptances, client: client, credit: credit, now: now)
            for (number, index) in resumeFrom.enumerated() { entry.choices[number].sentCount = index }
            entries[submission.id] = entry
            return [
                .accept(client, submission.id, resumed: false), .enqueue(entry.ticket(router: router, now: now)),
            ]
        }
        guard entry.submission.asksTheSame(as: submission) else {
            let reason = "request \(submission.id) was submitted before with another content"
            return refuse(client, submission.id, .protocolViolation(reason: reason))
        }
        if entry.phase == .ended(.abandoned), let error = lack(of: submission.tenant, max: tenantRequestCountMax) {
            return refuse(client, submission.id, error)
        }
        var actions: [Action] = []
        if let other = entry.client, other != client { actions.append(.detach(other, entry.id)) }
        counts.resumed += 1
        entry.client = client
        entry.clientGone = nil
        entry.credit = credit
        for number in entry.choices.indices {
            entry.choices[number].sentCount = number < resumeFrom.count ? resumeFrom[number] : 0
            entry.choices[number].isFinishSent = false
        }
        entry.promptLogprobSentCount = 0
        actions.append(.accept(client, entry.id, resumed: true))
        if entry.phase == .ended(.abandoned) { actions += takeUp(&entry, deadline: submission.deadline, now: now) }
        actions += stream(&entry, now: now)
        entries[submission.id] = entry
        return actions + trim()
    }

    /// A client's connection is gone, and with it its interest in all its requests, after `clientGrace`.
    public mutating func clientGone(_ client: ClientRef, now: Instant) -> [Action] {
        let ids = entries.values.filter { $0.client == client }.sorted { $0.order < $1.order }.map(\.id)
        return ids.flatMap { id in
            update(id) { table, entry in
                entry.client = nil
                entry.clientGone = now
                return table.endIfAbandoned(&entry, now: now)
            }
        } + trim()
    }

    /// The client no longer wants the answer. Nothing happens when it is not, or no longer, this request's client.
    public mutating func cancel(_ request: RequestID, client: ClientRef, now: Instant) -> [Action] {
        update(request) { table, entry in
            guard entry.client == client, !entry.isEnded else { return [] }
            return table.end(&entry, .failed(.cancelled), now: now)
        } + trim()
    }

    /// The client takes `tokenCount` more tokens.
    public mutating func credit(
        _ request: RequestID, client: ClientRef, tokenCount: Int, now: Instant
    ) -> [Action] {
        update(request) { table, entry in
            guard entry.client == client, tokenCount > 0 else { return [] }
            let (sum, overflow) = entry.credit.addingReportingOverflow(tokenCount)
            entry.credit = overflow ? table.limits.creditTokenCountMax : min(sum, table.limits.creditTokenCountMax)
            return table.stream(&entry, now: now)
        } + trim()
    }

    /// Why no further request of this tenant can be taken now.
    private func lack(of tenant: TenantName, max tenantRequestCountMax: Int) -> RequestError? {
        requestCount < limits.requestCountMax && requestCount(of: tenant) < tenantRequestCountMax
            ? nil : .busy(retryAfter: limits.retryAfter)
    }

    private mutating func refuse(_ client: ClientRef, _ request: RequestID, _ error: RequestError) -> [Action] {
        counts.refused += 1
        return [.refuse(client, request, error: error)]
    }

    /// Goes on with a request whose client had gone: the next attempt, from the tokens that are here.
    private mutating func takeUp(_ entry: inout RequestEntry, deadline: Duration, now: Instant) -> [Action] {
        remembered.removeAll { $0 == entry.id }
        rememberedTokenCount -= entry.rememberedTokenCount
        inFlightByTenant[entry.submission.tenant, default: 0] += 1
        entry.submission.deadline = deadline
        entry.accepted = now
        entry.deadline = now.advanced(by: deadline)
        entry.lossCount = 0
        return tryAgain(&entry, now: now)
    }
}
