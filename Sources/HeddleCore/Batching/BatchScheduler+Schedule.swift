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
        var segments: [StepPlan.Segment] = []
        var rowCount = planDecodes(into: &segments, now: now)
        var scoredRowsLeft = limits.scoredRowCountMax
        rowCount += planPrefills(
            into: &segments, rowCountMax: limits.stepTokenCountMax - rowCount, scoredRowsLeft: &scoredRowsLeft, now: now
        )
        start(
            into: &segments, rowCountMax: limits.stepTokenCountMax - rowCount, scoredRowsLeft: &scoredRowsLeft, now: now
        )
        guard !segments.isEmpty else { return (nil, actions) }
        segments.sort { left, right in
            (left.adapter?.index ?? -1, left.sequence) < (right.adapter?.index ?? -1, right.sequence)
        }
        step += 1
        let plan = StepPlan(step: step, segments: segments)
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
        return lackOfRoom(for: sequence, now: now) == nil ? deadline : deadline.advanced(by: .zero - limits.capacityNotice)
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

    /// One row for each decoding sequence, oldest first. One that needs a block and finds none takes the youngest's.
    private mutating func planDecodes(into segments: inout [StepPlan.Segment], now: Instant) -> Int {
        var index = 0
        var rowCount = 0
        while index < running.count {
            defer { index += 1 }
            guard running[index].isDecoding else { continue }
            if running[index].blocks.count < KVBlocks.blockCount(forTokens: running[index].tokens.count) {
                while blocks.freeCount == 0, running.count > index { preempt(at: running.count - 1) }
                // It was the youngest itself.
                guard running.count > index, let block = blocks.allocate(1) else { break }
                running[index].blocks += block
            }
            running[index].enter(.decoding, now: now)
            segments.append(running[index].takeSegment(tokenCount: 1))
            rowCount += 1
        }
        return rowCount
    }

    /// Chunks of prompts that were begun, oldest first. They hold their blocks since they started.
    private mutating func planPrefills(
        into segments: inout [StepPlan.Segment], rowCountMax: Int, scoredRowsLeft: inout Int, now: Instant
    ) -> Int {
        var rowCount = 0
        for index in running.indices where running[index].inFlightCount == 0 {
            let count = running[index].chunkTokenCount(
                max: min(limits.chunkTokenCountMax, rowCountMax - rowCount), scoredRowCountMax: scoredRowsLeft)
            running[index].enter(.prefilling, now: now)
            guard count > 0 else { continue }
            segments.append(running[index].takeSegment(tokenCount: count))
            rowCount += count
            if segments[segments.count - 1].logits == .all { scoredRowsLeft -= count }
        }
        return rowCount
    }

    /// Starts waiting sequences, oldest first, with the rows that are left.
    ///
    /// A sequence whose adapter is not there holds up nobody. One that lacks blocks holds up all younger ones, or small
    /// requests would keep a large one from ever starting.
    private mutating func start(
        into segments: inout [StepPlan.Segment], rowCountMax: Int, scoredRowsLeft: inout Int, now: Instant
    ) {
        var rowCount = 0
        var isHeldBack = false
        var started: [RunningSequence] = []
        var stillWaiting: [RunningSequence] = []
        for var sequence in waiting {
            let count = sequence.chunkTokenCount(
                max: min(limits.chunkTokenCountMax, rowCountMax - rowCount), scoredRowCountMax: scoredRowsLeft)
            if let obstacle = obstacle(
                to: sequence, isHeldBack: isHeldBack || count == 0,
                runningCount: running.count + started.count)
            {
                if case .waitingForBlocks = obstacle { isHeldBack = true }
                sequence.enter(obstacle, now: now)
                stillWaiting.append(sequence)
                continue
            }
            guard let held = blocks.allocate(sequence.neededBlockCount) else {
                preconditionFailure("a sequence starts when its blocks are free")
            }
            sequence.blocks = held
            sequence.enter(.prefilling, now: now)
            segments.append(sequence.takeSegment(tokenCount: count))
            rowCount += count
            if segments[segments.count - 1].logits == .all { scoredRowsLeft -= count }
            started.append(sequence)
        }
        waiting = stillWaiting
        running += started
        running.sort { $0.arrival < $1.arrival }
    }

    /// What keeps a waiting sequence from starting in this step; nil when nothing does.
    private func obstacle(
        to sequence: RunningSequence, isHeldBack: Bool, runningCount: Int
    ) -> BatchReport.State? {
        if let adapter = sequence.request.adapter {
            guard sequence.slot != nil, let entry = slots.entry(adapter.digest) else {
                return .waitingForAdapterSlot(slotCount: slots.slotCount)
            }
            if entry.state == .loading { return .waitingForAdapter(adapter.digest) }
        }
        if isHeldBack { return .waitingForTurn }
        if runningCount == limits.runningCountMax { return .waitingForRunningCount(max: limits.runningCountMax) }
        let needed = sequence.neededBlockCount
        if needed > blocks.freeCount { return .waitingForBlocks(needed: needed, free: blocks.freeCount) }
        return nil
    }
}
