extension RequestTable {
    /// Changes one request in place; nothing happens when it is unknown.
    mutating func update(
        _ request: RequestID, _ change: (inout RequestTable, inout RequestEntry) -> [Action]
    ) -> [Action] {
        // Taken out, so that its token arrays have one owner and are appended to without a copy.
        guard var entry = entries.removeValue(forKey: request) else {
            counts.stale += 1
            return []
        }
        let actions = change(&self, &entry)
        entries[request] = entry
        return actions
    }

    /// Sends what may be sent, and moves on when every choice has ended and when everything was sent.
    mutating func stream(_ entry: inout RequestEntry, now: Instant) -> [Action] {
        var actions: [Action] = []
        if entry.isGenerating, entry.choices.allSatisfy({ $0.finish != nil }) {
            actions.append(.endAtQueue(entry.id, entry.attempt, generatedTokenCount: entry.generatedTokenCount))
            entry.enter(.draining, now: now)
        }
        if case .ended(.failed(let error)) = entry.phase {
            if let client = entry.client { actions.append(.fail(client, entry.id, error: error)) }
            entry.client = nil
            return actions
        }
        if let numbers = entry.choose() { actions.append(.choose(entry.id, choices: numbers)) }
        if let client = entry.client {
            actions += entry.takePromptChunks(countMax: limits.promptChunkTokenCountMax).map { .score(client, $0) }
            actions += entry.takeChunks(tokenCountMax: limits.chunkTokenCountMax).map { .send(client, $0) }
        }
        let isRead = entry.isChosen && entry.choices.allSatisfy(\.isScanned)
        switch entry.phase {
        case .draining where entry.isAllSent || entry.client == nil && isRead:
            actions += end(&entry, .finished, now: now)
        case .ended(.finished) where entry.isAllSent:
            if let client = entry.client { actions.append(.finish(client, entry.id, usage: entry.usage)) }
            entry.client = nil
        default: break
        }
        return actions
    }

    /// The attempt is over without its tokens: the next one, or the end after too many losses.
    mutating func lose(_ entry: inout RequestEntry, isGroupLost: Bool, now: Instant) -> [Action] {
        counts.losses += 1
        entry.lossCount += 1
        guard entry.lossCount < limits.lossCountMax else {
            return end(&entry, .failed(.workerLost(losses: entry.lossCount)), isGroupLost: isGroupLost, now: now)
        }
        return tryAgain(&entry, now: now)
    }

    /// The next attempt, from the tokens that are here.
    mutating func tryAgain(_ entry: inout RequestEntry, now: Instant) -> [Action] {
        entry.attempt = entry.attempt.next
        entry.enter(.queued, now: now)
        return [.enqueue(entry.ticket(router: router, now: now))]
    }

    /// The one terminal event. Everyone who works on the request is told, then the ledger, then the client.
    mutating func end(
        _ entry: inout RequestEntry, _ outcome: RequestEntry.Outcome, isGroupLost: Bool = false, now: Instant
    ) -> [Action] {
        precondition(!entry.isEnded, "a request ends once")
        var actions: [Action] = []
        if case .running(let group) = entry.phase, !isGroupLost {
            actions.append(.cancelAtWorker(group, entry.id, entry.attempt, choice: nil))
        }
        if entry.isGenerating {
            actions.append(.endAtQueue(entry.id, entry.attempt, generatedTokenCount: entry.generatedTokenCount))
        }
        let usage = entry.usage
        actions.append(
            .settle(
                Settlement(
                    request: entry.id, attempt: entry.attempt, tenant: entry.submission.tenant,
                    model: entry.submission.model, adapter: entry.submission.adapter,
                    usage: Usage(
                        promptTokenCount: usage.promptTokenCount - entry.settled.promptTokenCount,
                        // A stop string may have taken back tokens that were settled when the client went.
                        generatedTokenCount: max(0, usage.generatedTokenCount - entry.settled.generatedTokenCount),
                        cachedTokenCount: max(0, usage.cachedTokenCount - entry.settled.cachedTokenCount)),
                    error: outcome.error)))
        entry.settled = usage
        entry.enter(.ended(outcome), now: now)
        remembered.append(entry.id)
        rememberedTokenCount += entry.rememberedTokenCount
        let inFlight = requestCount(of: entry.submission.tenant)
        inFlightByTenant[entry.submission.tenant] = inFlight > 1 ? inFlight - 1 : nil
        switch outcome {
        case .finished:
            counts.finished += 1
            if let client = entry.client { actions.append(.finish(client, entry.id, usage: usage)) }
        case .failed(let error):
            counts.failed += 1
            if let client = entry.client { actions.append(.fail(client, entry.id, error: error)) }
        case .abandoned: counts.abandoned += 1
        }
        entry.client = nil
        return actions
    }

    /// Ends a request whose client went longer ago than the grace; one that only waits to be sent has finished.
    mutating func endIfAbandoned(_ entry: inout RequestEntry, now: Instant) -> [Action] {
        guard !entry.isEnded, let gone = entry.clientGone else { return [] }
        if entry.phase == .draining { return stream(&entry, now: now) }
        return gone.advanced(by: limits.clientGrace) <= now ? end(&entry, .abandoned, now: now) : []
    }

    /// Forgets the oldest endings until what is remembered is within its limits.
    mutating func trim() -> [Action] {
        var actions: [Action] = []
        while let oldest = remembered.first,
            remembered.count > limits.rememberedCountMax || rememberedTokenCount > limits.rememberedTokenCountMax
        {
            actions += forget(oldest)
        }
        return actions
    }

    mutating func forget(_ request: RequestID) -> [Action] {
        remembered.removeAll { $0 == request }
        guard let entry = entries.removeValue(forKey: request) else { return [] }
        rememberedTokenCount -= entry.rememberedTokenCount
        // A client that is still being sent an old answer.
        let late = entry.client.map { client in
            Action.fail(client, request, error: .deadlineExceeded(after: limits.rememberedTime))
        }
        return [late, .forget(request)].compactMap(\.self)
    }
}

extension RequestTable {
    /// What is here, in order of acceptance.
    public func report() -> [RequestReport] {
        entries.values.sorted { $0.order < $1.order }.map { entry in
            let state: RequestReport.State =
                switch entry.phase {
                case .queued: .queued
                case .refused(let until): .refused(until: until)
                case .running(let group): .running(group)
                case .draining: .waitingForCredit
                case .ended(.finished): .finished
                case .ended(.failed(let error)): .failed(error)
                case .ended(.abandoned): .abandoned
                }
            return RequestReport(
                request: entry.id, tenant: entry.submission.tenant, model: entry.submission.model,
                adapter: entry.submission.adapter, attempt: entry.attempt, lossCount: entry.lossCount, state: state,
                since: entry.since, accepted: entry.accepted, deadline: entry.deadline,
                promptTokenCount: entry.submission.promptTokens.count,
                generatedTokenCounts: entry.choices.map(\.tokens.count),
                sentTokenCounts: entry.choices.map(\.sentCount),
                credit: entry.credit, hasClient: entry.client != nil)
        }
    }
}
