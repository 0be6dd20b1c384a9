import Foundation
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles

/// Ranks of one model as threads of the test, each with its own forward pass, run in step with each other.
final class RankGroup: @unchecked Sendable {
    // Safety: each rank's forward pass is used by one thread at a time: `onEveryRank` waits for all before it returns.
    private let passes: [CPUForwardPass]

    /// - Parameter store: where packed shards are made and mapped; nil packs in memory.
    init(
        _ golden: Golden, rankCount: Int = 1, limits: ForwardLimits = ForwardLimits(), format: WeightFormat = .auto,
        store: PackedShardStore? = nil
    ) throws {
        let collectives: [SharedMemoryCollective] =
            rankCount == 1 ? [] : try SharedMemoryCollective.threads(rankCount: rankCount)
        passes = try (0..<rankCount).map { rank in
            let plan = try ShardPlan(configuration: golden.model.configuration, rank: rank, rankCount: rankCount)
            let shard =
                try store?.packed(golden.model, plan: plan, format: format)
                ?? PackedShard(model: golden.model, plan: plan, format: format)
            let pass = try CPUForwardPass(
                shard: shard, collective: rankCount == 1 ? nil : collectives[rank], limits: limits)
            for (index, sequence) in golden.sequences.enumerated() {
                if let name = sequence.adapter, let folder = golden.adapters[name], let slot = golden.slot(index) {
                    try pass.mapAdapter(
                        PackedAdapter(folder: folder, for: shard.shape), slot: slot)
                }
            }
            return pass
        }
    }

    /// One rank, for calls between steps.
    func pass(_ rank: Int) -> CPUForwardPass { passes[rank] }

    /// Runs a step on every rank and returns rank 0's logits, row by row.
    func run(_ plan: StepPlan) throws -> [[Float]] {
        if passes.count == 1 { return try Self.rows(passes[0].run(plan)) }
        let results = Results(count: passes.count)
        let group = DispatchGroup()
        for rank in passes.indices {
            group.enter()
            Thread.detachNewThread {
                results[rank] = Result { try Self.rows(self.passes[rank].run(plan)) }
                group.leave()
            }
        }
        group.wait()
        for rank in passes.indices.dropFirst() { _ = try results[rank]?.get() }
        return try results[0]?.get() ?? []
    }

    private static func rows(_ logits: Logits) -> [[Float]] { (0..<logits.rowCount).map { logits.row($0) } }

    /// Safety: each thread writes its own element, under a lock.
    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var results: [Result<[[Float]], any Error>?]
        init(count: Int) { results = Array(repeating: nil, count: count) }
        subscript(_ rank: Int) -> Result<[[Float]], any Error>? {
            get { lock.withLock { results[rank] } }
            set { lock.withLock { results[rank] = newValue } }
        }
    }
}

extension PackedShardStore {
    func address(_ model: ModelFolder, _ plan: ShardPlan, _ format: WeightFormat) -> ShardAddress {
        ShardAddress(model: model.digest(), of: model, plan: plan, format: format)
    }

    /// Packs a shard into the store and maps it from there.
    func packed(_ model: ModelFolder, plan: ShardPlan, format: WeightFormat) throws -> PackedShard {
        let address = address(model, plan, format)
        _ = try pack(address, model: model, plan: plan, format: format)
        return try open(address, model: model, plan: plan, format: format)
    }
}
