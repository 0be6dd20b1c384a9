import HeddleCore
import HeddleEngine
import HeddleFiles

/// What a rank holds for as long as its process lives: its part of the base model, packed.
struct Shard: Sendable {
    let configuration: ModelConfiguration
    let plan: ShardPlan
    let packed: PackedShard
    let digest: Digest

    /// Maps the rank's packed shard from the host's store. The first start packs it; where the store cannot be used, as on a disk
    /// that is full, the rank says so and packs in memory.
    init(
        _ model: ModelFolder, plan: ShardPlan, format: WeightFormat, store: PackedShardStore, threadCount: Int,
        log: RoleLog
    ) throws {
        let started = now()
        configuration = model.configuration
        self.plan = plan
        digest = store.digests.digest(of: model)
        let hashed = now()
        let address = ShardAddress(model: digest, of: model, plan: plan, format: format)
        let part = "rank \(plan.rank) of \(plan.rankCount)"
        func open() throws -> PackedShard {
            try store.open(address, model: model, plan: plan, format: format, threadCount: threadCount)
        }
        do {
            packed = try open()
            log.info(
                "\(part) has mapped its packed weights, \(packed.byteCount) bytes, in \(now().duration(since: started).formatted) "
                    + "(\(hashed.duration(since: started).formatted) for the model's digest)")
            return
        } catch let error as PackedFileError {
            if case .system("open", _, _, _) = error {
            } else if case .system("lstat", _, _, _) = error {
            } else {
                log.warn("\(part) packs its weights again: \(error)")
            }
        }
        log.info("\(part) packs its weights for this and later starts: \(store.path(of: address))")
        do {
            _ = try store.pack(address, model: model, plan: plan, format: format, threadCount: threadCount)
            packed = try open()
        } catch let error as PackedFileError {
            log.warn("\(part) keeps its packed weights in memory: \(error)")
            packed = try PackedShard(model: model, plan: plan, format: format, threadCount: threadCount)
        }
        log.info(
            "\(part) has packed its weights, \(packed.byteCount) bytes, in \(now().duration(since: hashed).formatted), "
                + "after \(hashed.duration(since: started).formatted) for the model's digest")
    }
}
