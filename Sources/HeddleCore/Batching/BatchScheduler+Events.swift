extension BatchScheduler {
    /// Takes in the sequences of one attempt of one request, or answers with `.fail` when they can never fit or too many
    /// wait. Choices that are here already are dropped; a newer attempt replaces the older one's sequences.
    ///
    /// - Parameter requests: All of one request and attempt, each with a sequence id that was never used before.
    public mutating func admit(_ requests: [SequenceRequest], now: Instant) -> [Action] {
        guard let first = requests.first else { return [] }
        precondition(
            requests.allSatisfy { $0.request == first.request && $0.attempt == first.attempt },
            "sequences are admitted together when they are one attempt of one request")
        let present = (running + waiting).filter { $0.request.request == first.request && !$0.isLeaving }
        if present.contains(where: { $0.request.attempt > first.attempt }) {
            counts.stale += 1
            return requests.map { .release($0.sequence) }
        }
        var actions: [Action] = []
        for old in present where old.request.attempt < first.attempt {
            actions += remove { $0.id == old.id }
        }
        let held = present.filter { $0.request.attempt == first.attempt }.map(\.request.choice)
        let fresh = requests.filter { !held.contains($0.choice) }
        for request in requests where held.contains(request.choice) {
            counts.stale += 1
            actions.append(.release(request.sequence))
        }
        if let error = refusal(of: fresh) {
            counts.failed += 1
            actions += fresh.map { .release($0.sequence) }
            actions += remove { $0.request.request == first.request }
            return actions + [.fail(request: first.request, attempt: first.attempt, error: error)]
        }
        for request in fresh {
            arrivals += 1
            counts.admitted += 1
            waiting.append(RunningSequence(request, limits: limits, arrival: arrivals, now: now))
        }
        return actions
    }

    /// Takes in one sequence: what `admit` does for a request of one choice.
    public mutating func admit(_ request: SequenceRequest, now: Instant) -> [Action] { admit([request], now: now) }

    /// Ends the request's sequences of `attempt` and earlier ones (all when nil), or only one choice's. A sequence in the
    /// step in flight leaves with it.
    public mutating func cancel(_ request: RequestID, attempt: Attempt? = nil, choice: Int? = nil) -> [Action] {
        let matches = { (sequence: RunningSequence) in
            sequence.request.request == request && (attempt.map { sequence.request.attempt <= $0 } ?? true)
                && (choice.map { sequence.request.choice == $0 } ?? true)
        }
        counts.cancelled += (running + waiting).count { matches($0) && !$0.isLeaving }
        return remove(where: matches)
    }

    /// Every rank has mapped the adapter; it costs one rank these bytes.
    public mutating func adapterReady(_ digest: Digest, bytes: Int) -> [Action] {
        let isCounted = limits.memoryByteCountMax == nil
        if !slots.loaded(digest, bytes: bytes, isCounted: isCounted) { counts.stale += 1 }
        // Where others still wait, that is said again.
        adapterRoom = nil
        return []
    }

    /// Whether a sequence still waits for the adapter that is being loaded.
    public func isAdapterWanted(_ digest: Digest) -> Bool { slots.entry(digest).map { $0.pinCount > 0 } ?? false }

    /// The load was given up; nothing is wrong with the adapter. Who waits for it asks for a slot again.
    public mutating func adapterPostponed(_ digest: Digest) -> [Action] {
        guard let slot = slots.entry(digest)?.slot, slots.loadFailed(digest) else {
            counts.stale += 1
            return []
        }
        for index in waiting.indices where waiting[index].slot == slot { waiting[index].slot = nil }
        return [.unmapAdapter(slot)]
    }

    /// An adapter-cache of the group's hosts has no room for what somebody waits for, this group or another. Adapters that
    /// nobody uses are let go of, now and whenever there are some while room is wanted.
    ///
    /// It is wanted for `adapterRoomLease`, or until the next load of this group succeeds, and longer when it is said again.
    public mutating func adapterRoomWanted(now: Instant) -> [Action] {
        let until = now.advanced(by: limits.adapterRoomLease)
        if isAdapterRoomWanted(now: now) { adapterRoom?.until = until } else { adapterRoom = AdapterRoom(until: until) }
        return letGoOfIdleAdapters()
    }

    /// The adapter cannot be mapped: all requests that wait for it fail with `adapterInvalid`.
    public mutating func adapterFailed(_ digest: Digest, reason: String) -> [Action] {
        guard let slot = slots.entry(digest)?.slot, slots.loadFailed(digest) else {
            counts.stale += 1
            return []
        }
        // Some ranks may have mapped it.
        var actions: [Action] = [.unmapAdapter(slot)]
        var failed: [(RequestID, Attempt, AdapterRef)] = []
        for index in waiting.indices where waiting[index].slot == slot {
            waiting[index].slot = nil
            let request = waiting[index].request
            guard let adapter = request.adapter, !failed.contains(where: { $0.0 == request.request }) else { continue }
            failed.append((request.request, request.attempt, adapter))
        }
        for (request, attempt, adapter) in failed {
            actions += fail(request, attempt, .adapterInvalid(adapter: adapter.name.text, reason: reason))
        }
        return actions
    }

    /// Makes a running sequence give up its blocks; it runs again with what it generated, from the
    /// first position that is not kept. One in the step
    /// in flight does so when the step has finished. Nothing happens to a sequence that does not run.
    public mutating func preempt(_ sequence: SequenceID) {
        guard let index = running.firstIndex(where: { $0.id == sequence }) else { return }
        if running[index].inFlightCount > 0 {
            running[index].isPreempted = true
        } else {
            preempt(at: index)
        }
    }

    /// Why these sequences cannot be taken in.
    private func refusal(of requests: [SequenceRequest]) -> RequestError? {
        for request in requests {
            if request.promptTokens.isEmpty { return .emptyPrompt }
            if request.tokenCountMax < 1 {
                return .invalidParameter(
                    name: "max_tokens", value: "\(request.tokenCountMax)", rule: "a whole number from 1")
            }
            let known = request.promptTokens.count + request.replayedTokens.count
            let (total, overflow) = known.addingReportingOverflow(request.tokenCountMax)
            if overflow || total > limits.sequenceTokenCountMax {
                return .promptTooLong(
                    tokenCount: request.promptTokens.count, tokenCountMax: limits.sequenceTokenCountMax)
            }
        }
        guard waiting.count + requests.count <= limits.waitingCountMax else {
            return .noCapacity(reason: "\(waiting.count) of \(limits.waitingCountMax) sequences wait at the group")
        }
        return nil
    }
}

extension BatchScheduler {
    /// Ends an attempt without its tokens.
    mutating func fail(_ request: RequestID, _ attempt: Attempt, _ error: RequestError) -> [Action] {
        counts.failed += 1
        return remove { $0.request.request == request && $0.request.attempt <= attempt }
            + [.fail(request: request, attempt: attempt, error: error)]
    }

    /// Releases the sequences that match, oldest first; one in the step in flight is released when the step has finished.
    mutating func remove(where matches: (RunningSequence) -> Bool) -> [Action] {
        var actions: [Action] = []
        for index in running.indices.reversed() where matches(running[index]) && !running[index].isLeaving {
            if running[index].inFlightCount > 0 {
                running[index].isLeaving = true
            } else {
                actions.append(release(running.remove(at: index)))
            }
        }
        for index in waiting.indices.reversed() where matches(waiting[index]) {
            actions.append(release(waiting.remove(at: index)))
        }
        return actions.reversed()
    }

    /// Gives back what a sequence held that is in no list any more.
    mutating func release(_ sequence: RunningSequence) -> Action {
        giveBack(sequence)
        if sequence.slot != nil, let adapter = sequence.request.adapter { slots.unpin(adapter.digest, at: step) }
        return .release(sequence.id)
    }

    private mutating func giveBack(_ sequence: RunningSequence) {
        guard let realm = sequence.realmNumber else { return }
        blocks.release(sequence.blocks, at: step)
        blocks.close(realm)
    }

    /// Moves a running sequence back among the waiting, by age. It keeps its tokens and its adapter's slot.
    mutating func preempt(at index: Int) {
        var sequence = running.remove(at: index)
        giveBack(sequence)
        sequence.end()
        sequence.isPreempted = false
        sequence.preemptionCount += 1
        counts.preempted += 1
        let place = waiting.firstIndex { $0.arrival > sequence.arrival } ?? waiting.count
        waiting.insert(sequence, at: place)
    }
}
