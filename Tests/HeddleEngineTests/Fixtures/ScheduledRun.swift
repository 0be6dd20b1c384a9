import HeddleCore
import HeddleEngine
import HeddleFiles

/// The scheduler over real ranks: sequences whose tokens are known, and the logits that each of their positions was given.
struct ScheduledRun {
    var scheduler: BatchScheduler
    private let golden: Golden
    private let group: RankGroup
    private let rankCount: Int
    /// Of each sequence which of the golden's it is, and the logits by position.
    private var indexes: [SequenceID: Int] = [:]
    private(set) var logits: [SequenceID: [Int: [UInt32]]] = [:]
    private(set) var ended: [SequenceID] = []
    private(set) var cachedTokenCounts: [SequenceID: Int] = [:]
    private(set) var failures: [RequestError] = []
    private(set) var rowCount = 0
    private var last: UInt64 = 0

    init(_ golden: Golden, rankCount: Int = 1, limits: BatchLimits) throws {
        self.golden = golden
        self.rankCount = rankCount
        var forward = ForwardLimits()
        forward.blockCount = limits.blockCount
        group = try RankGroup(golden, rankCount: rankCount, limits: forward)
        scheduler = BatchScheduler(limits: limits)
    }

    /// Admits one of the golden's sequences, its first `replayed` tokens as if generated before.
    @discardableResult
    mutating func admit(_ index: Int, tenant: String = "a", replayed: Int = 0) throws -> SequenceID {
        last += 1
        let sequence = golden.sequences[index]
        let adapter = sequence.adapter.flatMap { name in
            golden.adapters[name].map { AdapterRef(name: AdapterName(name), digest: $0.digest, rank: $0.rankMax) }
        }
        indexes[SequenceID(last)] = index
        try carryOut(
            scheduler.admit(
                SequenceRequest(
                    sequence: SequenceID(last), request: RequestID(high: 0, low: last), attempt: Attempt(1), choice: 0,
                    tenant: TenantName(tenant), adapter: adapter, promptTokens: sequence.prompt,
                    replayedTokens: Array(sequence.tokens[..<replayed]),
                    tokenCountMax: sequence.tokens.count - replayed), now: Instant(nanoseconds: 0)))
        return SequenceID(last)
    }

    /// One turn of the loop; false when nothing ran.
    mutating func step() throws -> Bool {
        let (plan, actions) = scheduler.schedule(now: Instant(nanoseconds: 0))
        try carryOut(actions)
        guard let plan else { return !actions.isEmpty }
        let rows = try group.run(plan)
        rowCount += plan.rowCount
        var row = 0
        var sampled: [SampledToken] = []
        for segment in plan.segments where segment.logits != .none {
            guard let index = indexes[segment.sequence] else { continue }
            let position = segment.firstPosition + segment.tokens.count - 1
            logits[segment.sequence, default: [:]][position] = rows[row].map(\.bitPattern)
            row += 1
            let fed = golden.sequences[index].fed
            sampled.append(SampledToken(segment.sequence, position + 1 < fed.count ? fed[position + 1] : 0))
        }
        try carryOut(scheduler.stepFinished(plan.step, sampled: sampled, now: Instant(nanoseconds: 0)))
        return true
    }

    private mutating func carryOut(_ actions: [BatchScheduler.Action]) throws {
        for action in actions {
            switch action {
            case .loadAdapter(let adapter, let slot):
                guard let folder = golden.adapters.values.first(where: { $0.digest == adapter.digest }) else {
                    continue
                }
                for rank in 0..<rankCount {
                    let pass = group.pass(rank)
                    try pass.mapAdapter(PackedAdapter(folder: folder, for: pass.shard.shape), slot: slot)
                }
                try carryOut(scheduler.adapterReady(adapter.digest, bytes: folder.byteCount))
            case .unmapAdapter(let slot):
                for rank in 0..<rankCount { try group.pass(rank).unmapAdapter(slot) }
            case .deliver(let delivery): cachedTokenCounts[delivery.sequence] = delivery.cachedTokenCount
            case .fail(_, _, let error): failures.append(error)
            case .release(let sequence): ended.append(sequence)
            }
        }
    }
}
