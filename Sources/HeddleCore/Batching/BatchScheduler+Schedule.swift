extension BatchScheduler {
    /// Decides the next step. The plan is nil when nothing can run now: then the next event decides when to ask again,
    /// or the earliest of `nextDeadline`.
    ///
    /// Never called while a step is in flight.
    public mutating func schedule(now: Instant) -> (plan: StepPlan?, actions: [Action]) {
        precondition(inFlight == nil, "a step is scheduled when the one before has finished or failed")
        var actions = expire(now: now)
        if isAdapterRoomWanted(now: now) { adapterRoom?.stepCount += 1 } else { adapterRoom = nil }
        actions += pinAdapters()
        if adapterRoom != nil {
            let idle = letGoOfIdleAdapters()
            // Who did not get hold of one of them has it loaded again, in its turn.
            actions += idle.isEmpty ? [] : idle + pinAdapters()
        }
        fitBlocks()
        actions += failMisfits()
        findBlocksForDecodes(&actions)
        var segments: [StepPlan.Segment] = []
        planDecodes(into: &segments, now: now)
        let rowCountMax = limits.stepTokenCountMax - segments.count
        start(rowCountMax: rowCountMax, &actions, now: now)
        planPrompts(into: &segments, rowCountMax: rowCountMax, now: now)
        guard !segments.isEmpty else { return (nil, actions) }
        segments.sort { left, right in
            (left.adapter?.index ?? -1, left.sequence) < (right.adapter?.index ?? -1, right.sequence)
        }
        step += 1
        let plan = StepPlan(step: step, segments: segments, givenUp: givenUp)
        givenUp = []
        inFlight = plan
        return (plan, actions)
    }

    /// The earliest moment at which a sequence ends because of its deadline.
    public func nextDeadline(now: Instant) -> Instant? {
        let running = running.lazy.compactMap(\.request.deadline).min()
        let waiting = waiting.lazy.compactMap { expiry(of: $0, now: now) }.min()
        return [running, waiting].compactMap(\.self).min()
    }

    private mutating func expire(now: Instant) -> [Action] {
        var late: [RunningSequence] = []
        func take(_ sequence: RunningSequence) {
            if !late.contains(where: { $0.request.request == sequence.request.request }) { late.append(sequence) }
        }
        for sequence in running where sequence.request.deadline.map({ $0 <= now }) ?? false { take(sequence) }
        for sequence in waiting where expiry(of: sequence, now: now).map({ $0 <= now }) ?? false { take(sequence) }
        return late.sorted { $0.arrival < $1.arrival }.flatMap { sequence in
            let given = sequence.request.deadline?.duration(since: sequence.admitted) ?? .zero
            return fail(
                sequence.request.request, sequence.request.attempt,
                lackOfRoom(for: sequence, now: now).map { .noCapacity(reason: $0) } ?? .deadlineExceeded(after: given))
        }
    }

    /// When a waiting sequence ends because of its deadline: a little earlier where it lacks room for its adapter.
    private func expiry(of sequence: RunningSequence, now: Instant) -> Instant? {
        guard let deadline = sequence.request.deadline else { return nil }
        return lackOfRoom(for: sequence, now: now) == nil
            ? deadline : deadline.advanced(by: .zero - limits.capacityNotice)
    }

    /// Why a sequence has no adapter, where others' adapters are the reason.
    private func lackOfRoom(for sequence: RunningSequence, now: Instant) -> String? {
        guard let adapter = sequence.request.adapter else { return nil }
        guard sequence.slot != nil else {
            if case .waitingForAdapterSlot = sequence.state {
                return "adapter “\(adapter.name)” waited for one of \(slots.slotCount) slots, all in use"
            }
            return nil
        }
        guard slots.entry(adapter.digest)?.state == .loading, isAdapterRoomWanted(now: now) else { return nil }
        return "adapter “\(adapter.name)” waited for room in the adapter-cache, all in use"
    }

    func isAdapterRoomWanted(now: Instant) -> Bool { adapterRoom.map { now < $0.until } ?? false }

    mutating func letGoOfIdleAdapters() -> [Action] {
        let idle = slots.letGoOfUnpinned()
        counts.adapterEvictions += idle.count
        return idle.map { .unmapAdapter($0) }
    }

    /// Gives slots to the waiting, oldest first, so that adapters load while their sequences wait.
    ///
    /// A sequence that finds every slot pinned is passed over by younger ones whose adapters are there; not for ever:
    /// after `passedOverStepCountMax` steps no younger one pins anything before it does. Nor does one that finds its adapter
    /// mapped when room was wanted for as many steps, so that what is in use comes to be unused.
    private mutating func pinAdapters() -> [Action] {
        var actions: [Action] = []
        var isHeldBack = false
        let isRoomOverdue = adapterRoom.map { $0.stepCount > limits.passedOverStepCountMax } ?? false
        for index in waiting.indices {
            guard let adapter = waiting[index].request.adapter, waiting[index].slot == nil else { continue }
            if isHeldBack { break }
            if isRoomOverdue, let entry = slots.entry(adapter.digest), entry.state != .loading { continue }
            switch slots.pin(adapter.digest) {
            case .ready(let slot), .loading(let slot):
                waiting[index].slot = slot
            case .load(let slot, let evicted):
                waiting[index].slot = slot
                if evicted != nil {
                    counts.adapterEvictions += 1
                    actions.append(.unmapAdapter(slot))
                }
                counts.adapterLoads += 1
                actions.append(.loadAdapter(adapter, into: slot))
            case .full:
                waiting[index].passedOverStepCount += 1
                isHeldBack = waiting[index].passedOverStepCount >= limits.passedOverStepCountMax
            }
        }
        return actions
    }

    /// Ends requests that the memory could not hold even alone, which is known when their adapters are mapped.
    private mutating func failMisfits() -> [Action] {
        if limits.memoryByteCountMax == nil { return [] }
        let misfits = waiting.compactMap { sequence in misfit(of: sequence).map { (sequence.request, $0) } }
        var actions: [Action] = []
        for (request, error) in misfits where waiting.contains(where: { $0.request.request == request.request }) {
            actions += fail(request.request, request.attempt, error)
        }
        return actions
    }

    /// Every decoding sequence that has filled its blocks gets one more, oldest first, others giving up theirs.
    private mutating func findBlocksForDecodes(_ actions: inout [Action]) {
        for sequence in running
        where sequence.isDecoding && sequence.blocks.count < KVBlocks.blockCount(forTokens: sequence.tokens.count) {
            while let index = running.firstIndex(where: { $0.id == sequence.id }) {
                if makeRoom(forBlocks: 1, of: running[index], &actions), let block = blocks.allocate(1) {
                    running[index].blocks += block
                    break
                }
                guard let victim = victim() else { break }
                preempt(at: victim)
            }
        }
    }

    /// One row for each decoding sequence.
    private mutating func planDecodes(into segments: inout [StepPlan.Segment], now: Instant) {
        for index in running.indices where running[index].isDecoding {
            running[index].enter(.decoding, now: now)
            segments.append(running[index].takeSegment(tokenCount: 1))
        }
    }

    /// Chunks of the prompts that were begun. They hold their blocks since they started.
    private mutating func planPrompts(into segments: inout [StepPlan.Segment], rowCountMax: Int, now: Instant) {
        let prompts = running.indices.filter { running[$0].inFlightCount == 0 }
        let grants = RowShares.grants(
            rowCountMax: rowCountMax, demands: prompts.map { demand(of: running[$0]) })
        var scoredRowsLeft = limits.scoredRowCountMax
        for (index, grant) in zip(prompts, grants) {
            running[index].enter(.prefilling, now: now)
            guard grant > 0 else { continue }
            let rowCount = min(limits.chunkTokenCountMax, max(1, grant / rowCost(of: running[index])))
            let count = running[index].chunkTokenCount(max: rowCount, scoredRowCountMax: scoredRowsLeft)
            guard count > 0 else { continue }
            let segment = running[index].takeSegment(tokenCount: count)
            if segment.logits == .all { scoredRowsLeft -= count }
            segments.append(segment)
        }
    }

    /// What the next tokens of a prompt cost, in rows.
    private func demand(of sequence: RunningSequence) -> (tenant: TenantName, cost: Int) {
        let count = min(sequence.pendingCount, limits.chunkTokenCountMax)
        let (cost, overflow) = count.multipliedReportingOverflow(by: rowCost(of: sequence))
        return (sequence.request.tenant, overflow ? limits.stepTokenCountMax : min(cost, limits.stepTokenCountMax))
    }

    private func rowCost(of sequence: RunningSequence) -> Int {
        1 + sequence.computedCount / limits.contextTokensPerRow
    }

    /// Starts waiting sequences for which rows are left, oldest first.
    ///
    /// A sequence whose adapter is not there holds up nobody, nor does one that waits for another to compute what both begin
    /// with. One that lacks memory holds up all younger ones, or small requests would keep a large one from ever starting.
    private mutating func start(rowCountMax: Int, _ actions: inout [Action], now: Instant) {
        if waiting.isEmpty { return }
        // By sequence why it does not start in this step; whom it does not hold is looked at again while that frees rows.
        var obstacles: [SequenceID: BatchReport.State] = [:]
        for sequence in waiting { obstacles[sequence.id] = adapterObstacle(to: sequence) }
        var isHeldBack = running.count >= limits.runningCountMax
        var isSettled = false
        while !isSettled, !isHeldBack {
            isSettled = true
            let open = waiting.filter { obstacles[$0.id] == nil }
            let prompts = running.filter { $0.inFlightCount == 0 }
            let all = (prompts + open).sorted { $0.arrival < $1.arrival }
            let grants = RowShares.grants(rowCountMax: rowCountMax, demands: all.map { demand(of: $0) })
            for (sequence, grant) in zip(all, grants) where grant > 0 && sequence.realmNumber == nil {
                if let obstacle = start(sequence.id, &actions) {
                    obstacles[sequence.id] = obstacle
                    isSettled = false
                    switch obstacle {
                    case .waitingForBlocks, .waitingForMemory, .waitingForRunningCount: isHeldBack = true
                    default: break
                    }
                    if isHeldBack { break }
                }
            }
        }
        for index in waiting.indices {
            let obstacle: BatchReport.State =
                running.count >= limits.runningCountMax
                ? .waitingForRunningCount(max: limits.runningCountMax) : .waitingForTurn
            waiting[index].enter(obstacles[waiting[index].id] ?? obstacle, now: now)
        }
    }

    /// Starts a sequence, or says why that cannot be.
    private mutating func start(_ id: SequenceID, _ actions: inout [Action]) -> BatchReport.State? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        var sequence = waiting[index]
        // Room was made of its adapter for one before it.
        if let obstacle = adapterObstacle(to: sequence) { return obstacle }
        if running.count >= limits.runningCountMax { return .waitingForRunningCount(max: limits.runningCountMax) }
        var prefix: (blocks: [BlockID], idleCount: Int) = ([], 0)
        if let realm = sequence.realm {
            let countMax = sequence.prefixBlockCountMax
            prefix = blocks.prefix(of: sequence.tokens, in: realm, blockCountMax: countMax)
            // The oldest waits for nobody: whoever computes for it may be preempted again and again.
            if prefix.blocks.count < countMax, running.first.map({ $0.arrival < sequence.arrival }) ?? false,
                let other = running.first(where: { $0.isComputing(blockAfter: prefix.blocks, of: sequence) })
            {
                return .waitingForPrefix(of: other.id)
            }
        }
        let needed = sequence.neededBlockCount - prefix.blocks.count
        blocks.hold(prefix.blocks)
        guard makeRoom(forBlocks: needed, of: sequence, &actions), let fresh = blocks.allocate(needed) else {
            blocks.release(prefix.blocks, at: step)
            return lackOfMemory(for: sequence, blockCount: needed + prefix.idleCount)
        }
        let number = blocks.open(sequence.realm)
        sequence.begin(
            blocks: prefix.blocks + fresh, prefixCount: prefix.blocks.count,
            chain: prefix.blocks.last.map { blocks.number(of: $0) } ?? number, realm: number)
        counts.startedTokens += sequence.tokens.count
        counts.cachedTokens += sequence.computedCount
        waiting.remove(at: index)
        let place = running.firstIndex { $0.arrival > sequence.arrival } ?? running.count
        running.insert(sequence, at: place)
        return nil
    }

    private func lackOfMemory(for sequence: RunningSequence, blockCount: Int) -> BatchReport.State {
        guard let memory = limits.memoryByteCountMax else {
            return .waitingForBlocks(needed: blockCount, free: blocks.freeCount)
        }
        var bytes = blockCount * limits.blockByteCount
        if let adapter = sequence.request.adapter, case .mapped(let more)? = slots.entry(adapter.digest)?.state {
            bytes += more
        }
        let used = slots.bytes + blocks.heldCount * limits.blockByteCount
        return .waitingForMemory(neededBytes: bytes, freeBytes: max(0, memory - used))
    }

    /// Why a waiting sequence lacks its adapter; nil when it does not.
    private func adapterObstacle(to sequence: RunningSequence) -> BatchReport.State? {
        guard let adapter = sequence.request.adapter else { return nil }
        guard sequence.slot != nil, let entry = slots.entry(adapter.digest) else {
            return .waitingForAdapterSlot(slotCount: slots.slotCount)
        }
        return entry.state == .loading ? .waitingForAdapter(adapter.digest) : nil
    }
}
