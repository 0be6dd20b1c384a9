import HeddleCore

/// A model whose next token is a function of its adapter and of all tokens before it, which is all that law 1 needs.
enum ScriptedModel {
    static let vocabularyCount: TokenID = 61

    static func next(adapter: Digest?, tokens: some Sequence<TokenID>, choice: Int) -> TokenID {
        var state = UInt64(choice) &* 0x1000_0000_01B3 ^ (adapter?.words[0] ?? 0xCBF2_9CE4_8422_2325)
        for token in tokens {
            state ^= UInt64(bitPattern: Int64(token)) &+ 1
            state = state &* 0x1000_0000_01B3
            state ^= state >> 29
        }
        return TokenID(state % UInt64(vocabularyCount))
    }

    /// Stands for what the model thinks of a token: a function of all before it.
    static func logprob(adapter: Digest?, before tokens: some Sequence<TokenID>) -> Float {
        -Float(next(adapter: adapter, tokens: tokens, choice: 1000)) / 8
    }

    /// What a request's choice must deliver, whatever happens around it.
    static func answer(
        adapter: Digest?, prompt: [TokenID], choice: Int, max: Int, stop: [TokenID]
    ) -> (tokens: [TokenID], finish: FinishReason) {
        var generated: [TokenID] = []
        while generated.count < max {
            let token = next(adapter: adapter, tokens: prompt + generated, choice: choice)
            if stop.contains(token) { return (generated, .stop) }
            generated.append(token)
        }
        return (generated, .length)
    }
}

/// A worker group around a `BatchScheduler`: ranks that keep tokens as keys and values, in blocks, and adapters in slots,
/// so that a wrong block, position or slot gives wrong tokens.
struct ScriptedGroup {
    var scheduler: BatchScheduler
    private var storage: [TokenID]
    /// The realm of each block that was begun.
    private var realms: [BlockID: UInt64] = [:]
    /// The tenant of each realm: no two may share one.
    private var tenants: [UInt64: TenantName] = [:]
    private(set) var runTokenCount = 0
    private(set) var slots: [AdapterSlot: Digest] = [:]
    private(set) var loading: [(AdapterRef, AdapterSlot)] = []
    private(set) var delivered: [SequenceDelivery] = []
    /// What the rows that were asked for told of each sequence's prompt, from the token that was wanted first.
    private(set) var scores: [SequenceID: [TokenLogprobs]] = [:]
    /// The same since it was last taken, in the order of the steps.
    private var freshScores: [(SequenceID, firstIndex: Int, [TokenLogprobs])] = []
    private(set) var failures: [(RequestID, Attempt, RequestError)] = []
    private(set) var released: [SequenceID] = []
    private(set) var admitted: [SequenceID: SequenceRequest] = [:]
    private(set) var plans: [StepPlan] = []
    private(set) var faults: [String] = []
    private var keepsPlans: Bool

    init(_ limits: BatchLimits, keepsPlans: Bool = false) {
        scheduler = BatchScheduler(limits: limits)
        storage = Array(repeating: -1, count: limits.blockCount * kvBlockTokens)
        self.keepsPlans = keepsPlans
    }

    mutating func admit(_ requests: [SequenceRequest], now: Instant) {
        for request in requests { admitted[request.sequence] = request }
        apply(scheduler.admit(requests, now: now))
    }

    mutating func cancel(_ request: RequestID, attempt: Attempt? = nil, choice: Int? = nil) {
        apply(scheduler.cancel(request, attempt: attempt, choice: choice))
    }

    /// The ranks have mapped the load that was asked for first.
    mutating func finishLoad(bytes: Int = 100) {
        guard !loading.isEmpty else { return }
        let (adapter, slot) = loading.removeFirst()
        slots[slot] = adapter.digest
        apply(scheduler.adapterReady(adapter.digest, bytes: bytes))
    }

    /// The ranks have mapped this slot's load; the first where there is none.
    mutating func finishLoad(of slot: AdapterSlot?, bytes: Int) {
        if let place = loading.firstIndex(where: { $0.1 == slot }) { loading.insert(loading.remove(at: place), at: 0) }
        finishLoad(bytes: bytes)
    }

    /// What the slot holds, or will when its load has finished.
    func holding(_ slot: AdapterSlot) -> Digest? { loading.last { $0.1 == slot }?.0.digest ?? slots[slot] }

    mutating func failLoad(reason: String) {
        guard !loading.isEmpty else { return }
        let (adapter, _) = loading.removeFirst()
        apply(scheduler.adapterFailed(adapter.digest, reason: reason))
    }

    /// The load that was asked for first is given up, for no fault of the adapter.
    mutating func postponeLoad() {
        guard !loading.isEmpty else { return }
        let (adapter, _) = loading.removeFirst()
        apply(scheduler.adapterPostponed(adapter.digest))
    }

    /// A host's adapter-cache wants room.
    mutating func wantRoom(now: Instant) { apply(scheduler.adapterRoomWanted(now: now)) }

    /// One turn of the loop. False when there was nothing to run. `during` happens while the step is in flight.
    mutating func step(now: Instant, during: (inout ScriptedGroup) -> Void = { _ in }) -> Bool {
        let (plan, actions) = scheduler.schedule(now: now)
        apply(actions)
        guard let plan else { return false }
        if keepsPlans { plans.append(plan) }
        check(plan)
        let sampled = run(plan)
        during(&self)
        apply(scheduler.stepFinished(plan.step, sampled: sampled, now: now))
        return true
    }

    /// A step that no rank finishes.
    mutating func failStep(now: Instant) {
        let (plan, actions) = scheduler.schedule(now: now)
        apply(actions)
        if let plan { apply(scheduler.stepFailed(plan.step, now: now)) }
    }

    mutating func takeDelivered() -> [SequenceDelivery] {
        defer { delivered = [] }
        return delivered
    }

    mutating func takeScores() -> [(SequenceID, firstIndex: Int, [TokenLogprobs])] {
        defer { freshScores = [] }
        return freshScores
    }

    mutating func takeFailures() -> [(RequestID, Attempt, RequestError)] {
        defer { failures = [] }
        return failures
    }

    private mutating func apply(_ actions: [BatchScheduler.Action]) {
        for action in actions {
            switch action {
            case .loadAdapter(let adapter, let slot):
                if slots[slot] != nil { faults.append("slot \(slot) is loaded before it was unmapped") }
                loading.append((adapter, slot))
            case .unmapAdapter(let slot): slots[slot] = nil
            case .deliver(let delivery):
                if released.contains(delivery.sequence) { faults.append("\(delivery.sequence) speaks after its end") }
                delivered.append(delivery)
            case .fail(let request, let attempt, let error): failures.append((request, attempt, error))
            case .release(let sequence):
                if released.contains(sequence) { faults.append("\(sequence) is released twice") }
                released.append(sequence)
            }
        }
    }

    private mutating func run(_ plan: StepPlan) -> [SampledToken] {
        for segment in plan.segments {
            for (offset, token) in segment.tokens.enumerated() {
                storage[place(segment, segment.firstPosition + offset)] = token
            }
        }
        for segment in plan.segments where segment.logits == .all { score(segment) }
        return plan.segments.compactMap { segment in
            guard segment.logits != .none else { return nil }
            let seen = (0..<segment.firstPosition + segment.tokens.count).map { storage[place(segment, $0)] }
            let adapter = segment.adapter.flatMap { slots[$0] }
            let choice = admitted[segment.sequence]?.choice ?? -1
            return SampledToken(segment.sequence, ScriptedModel.next(adapter: adapter, tokens: seen, choice: choice))
        }
    }

    /// The rows of a segment that wanted them all, as a worker reads them.
    private mutating func score(_ segment: StepPlan.Segment) {
        guard let request = admitted[segment.sequence], let first = request.scoredFrom else {
            return faults.append("\(segment.sequence) wants rows that nobody reads")
        }
        let seen = (0..<segment.firstPosition + segment.tokens.count).map { storage[place(segment, $0)] }
        let adapter = segment.adapter.flatMap { slots[$0] }
        let next = first + (scores[segment.sequence]?.count ?? 0)
        var fresh: [TokenLogprobs] = []
        for index in (segment.firstPosition + 1)...(segment.firstPosition + segment.tokens.count)
        where index == next + fresh.count && index < request.promptTokens.count {
            fresh.append(
                TokenLogprobs(
                    token: request.promptTokens[index],
                    logprob: ScriptedModel.logprob(adapter: adapter, before: seen[..<index]), top: []))
        }
        if fresh.isEmpty { faults.append("\(segment.sequence) wants rows that tell nothing") }
        scores[segment.sequence, default: []] += fresh
        freshScores.append((segment.sequence, next, fresh))
    }

    /// What is read was written in the same realm, and what is written is nobody else's; what was given up holds nothing.
    private mutating func checkBlocks(of plan: StepPlan) {
        for block in plan.givenUp {
            realms[block] = nil
            for offset in 0..<kvBlockTokens { storage[Int(block.index) * kvBlockTokens + offset] = -1 }
        }
        let written = plan.segments.flatMap { $0.blocks.dropFirst($0.firstPosition / kvBlockTokens) }
        if Set(written).count != written.count { faults.append("a block is written by two sequences") }
        for segment in plan.segments {
            runTokenCount += segment.tokens.count
            let whole = segment.blocks.prefix(segment.firstPosition / kvBlockTokens)
            if !Set(written).isDisjoint(with: whole) { faults.append("a block is written that another reads") }
            for block in segment.blocks.prefix(KVBlocks.blockCount(forTokens: segment.firstPosition))
            where realms[block] != segment.realm {
                faults.append("\(segment.sequence) reads another realm's block")
            }
            let tenant = admitted[segment.sequence]?.tenant
            if let other = tenants[segment.realm], other != tenant { faults.append("a realm of two tenants") }
            tenants[segment.realm] = tenant
        }
        for segment in plan.segments {
            for block in segment.blocks.dropFirst(segment.firstPosition / kvBlockTokens) {
                realms[block] = segment.realm
            }
        }
    }

    private func place(_ segment: StepPlan.Segment, _ position: Int) -> Int {
        Int(segment.blocks[position / kvBlockTokens].index) * kvBlockTokens + position % kvBlockTokens
    }

    /// What holds of every plan.
    private mutating func check(_ plan: StepPlan) {
        let limits = scheduler.limits
        if plan.rowCount > limits.stepTokenCountMax { faults.append("step \(plan.step) has \(plan.rowCount) rows") }
        let scored = plan.segments.reduce(0) { $0 + ($1.logits == .all ? $1.tokens.count : 0) }
        if scored > limits.scoredRowCountMax { faults.append("step \(plan.step) scores \(scored) rows") }
        if plan.segments.isEmpty { faults.append("step \(plan.step) is empty") }
        let order = plan.segments.map { ($0.adapter?.index ?? -1, $0.sequence) }
        for (left, right) in zip(order, order.dropFirst()) where left >= right {
            faults.append("segments out of order")
        }
        checkBlocks(of: plan)
        for segment in plan.segments {
            let end = segment.firstPosition + segment.tokens.count
            if segment.blocks.count != KVBlocks.blockCount(forTokens: end) { faults.append("wrong number of blocks") }
            if segment.tokens.isEmpty || segment.tokens.count > limits.chunkTokenCountMax {
                faults.append("a chunk of \(segment.tokens.count)")
            }
            let wanted = admitted[segment.sequence]?.adapter?.digest
            if segment.adapter.flatMap({ slots[$0] }) != wanted {
                faults.append("\(segment.sequence) has a wrong adapter")
            }
            if released.contains(segment.sequence) { faults.append("\(segment.sequence) runs after its end") }
        }
        let report = scheduler.report()
        let held = report.running.reduce(0) { $0 + $1.blockCount }
        if report.heldBlockCount > held || !limits.sharesPrefixes && report.heldBlockCount < held {
            faults.append("\(report.heldBlockCount) blocks for \(held) that are held")
        }
        if let memory = limits.memoryByteCountMax {
            let blocks = report.residentBlockCount * limits.blockByteCount
            if blocks + report.adapterBytes > memory {
                faults.append("\(blocks) + \(report.adapterBytes) of \(memory) bytes")
            }
        } else if report.heldBlockCount + report.freeBlockCount != report.blockCount {
            faults.append("blocks are lost")
        }
        if report.running.count > limits.runningCountMax { faults.append("too many run") }
        if report.waiting.contains(where: { $0.blockCount > 0 }) { faults.append("a waiting sequence holds blocks") }
        let pins = report.adapters.reduce(0) { $0 + $1.pinCount }
        let pinning = (report.running + report.waiting).filter { sequence in
            sequence.adapter != nil && sequence.state.holdsSlot
        }
        if pins < pinning.count { faults.append("\(pins) pins for \(pinning.count) sequences") }
    }
}

extension BatchReport.State {
    var holdsSlot: Bool {
        switch self {
        case .prefilling, .decoding, .waitingForAdapter, .waitingForBlocks, .waitingForMemory, .waitingForPrefix: true
        case .waitingForRunningCount, .waitingForAdapterSlot, .waitingForTurn: false
        }
    }
}
