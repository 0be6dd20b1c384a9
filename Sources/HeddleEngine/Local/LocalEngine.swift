import HeddleCollective
import HeddleCore
import HeddleFiles

/// The engine without a mesh: the scheduler, and the ranks of one group as threads of this process.
///
/// What it generates is what a mesh generates: the same plans run by the same forward pass. One thread at a time uses it.
public final class LocalEngine {
    /// How the engine is made.
    public struct Options: Sendable {
        /// Ranks that the model is split over, 1 to 8.
        public var rankCount = 1
        /// How weights are held in memory.
        public var weightFormat = WeightFormat.auto
        /// Where packed shards may lie: those that are there are mapped, the others packed in memory. Nil packs all in memory.
        public var store: PackedShardStore?
        /// Sizes of each rank's forward pass; the scheduler's follow from them.
        public var forward = ForwardLimits()
        /// Rows of one sequence in one step.
        public var chunkTokenCountMax = 256
        /// Sequences that run at the same time.
        public var runningCountMax = 32
        /// Whether requests share what they begin with alike, also with earlier ones.
        public var sharesPrefixes = true
        /// One rank, one thread.
        public init() {}

        fileprivate func shard(of model: ModelFolder, digest: Digest?, plan: ShardPlan) throws -> PackedShard {
            if let store, let digest {
                let address = ShardAddress(model: digest, of: model, plan: plan, format: weightFormat)
                let found = try? store.open(
                    address, model: model, plan: plan, format: weightFormat, threadCount: forward.threadCount)
                if let found { return found }
            }
            return try PackedShard(model: model, plan: plan, format: weightFormat, threadCount: forward.threadCount)
        }
    }

    /// The base model's.
    public let configuration: ModelConfiguration
    /// The most tokens of one sequence, prompt and generated.
    public var sequenceTokenCountMax: Int { scheduler.limits.sequenceTokenCountMax }
    private let pass: CPUForwardPass
    private let others: [RankThread]
    private let collective: (any Collective)?
    private var adapters: [Digest: AdapterFolder] = [:]
    private var scheduler: BatchScheduler
    private var lastSequence: UInt64 = 0
    private let samplingMemory = SamplingMemory()

    /// Packs the model's shards, each on its rank's thread.
    public init(model: ModelFolder, options: Options = Options()) throws {
        configuration = model.configuration
        let rankCount = options.rankCount
        // Every plan is checked before a thread is started.
        let plans = try (0..<max(1, rankCount)).map {
            try ShardPlan(configuration: model.configuration, rank: $0, rankCount: rankCount)
        }
        let collectives = rankCount == 1 ? [] : try SharedMemoryCollective.threads(rankCount: rankCount)
        // A folder that was never packed has no remembered digest, and is not hashed for the chance.
        let digest = options.store?.digests.recalled(model)
        @Sendable func make(_ rank: Int) throws -> CPUForwardPass {
            try CPUForwardPass(
                shard: options.shard(of: model, digest: digest, plan: plans[rank]),
                collective: rankCount == 1 ? nil : collectives[rank], limits: options.forward)
        }
        others = try collectives.indices.dropFirst().map { rank in
            try RankThread(collective: collectives[rank], threadRefused: rankCount) { try make(rank) }
        }
        collective = collectives.first
        do {
            pass = try make(0)
            for other in others { try other.wait() }
        } catch {
            for other in others { other.send(.stop) }
            throw error
        }
        scheduler = BatchScheduler(
            limits: try BatchLimits(
                blockCount: options.forward.blockCount, sharesPrefixes: options.sharesPrefixes,
                dependence: configuration.kvDependence, runningCountMax: options.runningCountMax,
                stepTokenCountMax: min(options.forward.stepRowCountMax, max(options.runningCountMax, 512)),
                chunkTokenCountMax: options.chunkTokenCountMax, positionCountMax: pass.positionCountMax))
    }

    deinit {
        for other in others { other.send(.stop) }
    }

    /// Makes an adapter known; it is mapped when a request first needs it.
    public func add(_ adapter: AdapterFolder, named name: AdapterName) -> AdapterRef {
        adapters[adapter.digest] = adapter
        return AdapterRef(name: name, digest: adapter.digest, rank: adapter.rankMax)
    }

    /// Runs all requests together and returns how each ended, in their order.
    ///
    /// - Parameter onToken: hears of each token as it is sampled, with its request's index; it may end the request there.
    /// - Throws: `EngineError`, `PlanError` or `CollectiveError` when the engine itself failed; a request that cannot be run
    ///   has its `RequestError` in its result.
    public func generate(
        _ requests: [LocalRequest], onToken: (Int, TokenID) -> LocalDecision = { _, _ in .goOn }
    ) throws -> [LocalResult] {
        var run = LocalRun(requests, firstSequence: lastSequence + 1)
        lastSequence += UInt64(requests.count)
        for request in run.admissions { try carryOut(scheduler.admit(request, now: run.now), &run, onToken) }
        while !scheduler.isIdle {
            let (plan, actions) = scheduler.schedule(now: run.now)
            try carryOut(actions, &run, onToken)
            guard let plan else {
                precondition(!actions.isEmpty, "a scheduler that is not idle plans a step or asks for something")
                continue
            }
            let logits = try step(plan)
            let sampled = run.sample(plan, logits, samplingMemory)
            try carryOut(scheduler.stepFinished(plan.step, sampled: sampled, now: run.now), &run, onToken)
        }
        return run.results
    }

    private func carryOut(
        _ actions: [BatchScheduler.Action], _ run: inout LocalRun, _ onToken: (Int, TokenID) -> LocalDecision
    ) throws {
        for action in actions {
            switch action {
            case .loadAdapter(let adapter, let slot): try carryOut(load(adapter, into: slot), &run, onToken)
            case .unmapAdapter(let slot): try onEveryRank(.unmap(slot))
            case .deliver(let delivery):
                if run.deliver(delivery, onToken) == .stop {
                    try carryOut(scheduler.cancel(delivery.request), &run, onToken)
                }
            case .fail(let request, _, let error): run.fail(request, error)
            case .release: break
            }
        }
    }

    private func load(_ adapter: AdapterRef, into slot: AdapterSlot) -> [BatchScheduler.Action] {
        guard let folder = adapters[adapter.digest] else {
            return scheduler.adapterFailed(adapter.digest, reason: "it was not added")
        }
        do {
            try onEveryRank(.map(folder, slot))
            return scheduler.adapterReady(adapter.digest, bytes: folder.byteCount)
        } catch {
            return scheduler.adapterFailed(adapter.digest, reason: "\(error)")
        }
    }

    private func onEveryRank(_ command: RankThread.Command) throws {
        for other in others { other.send(command) }
        var failures: [any Error] = []
        do { try pass.obey(command) } catch { failures.append(error) }
        for other in others { do { try other.wait() } catch { failures.append(error) } }
        if let first = failures.first { throw first }
    }

    private func step(_ plan: StepPlan) throws -> Logits {
        for other in others { other.send(.run(plan)) }
        do {
            let logits = try pass.run(plan)
            for other in others { try other.wait() }
            return logits
        } catch {
            collective?.abort()
            throw error
        }
    }
}
