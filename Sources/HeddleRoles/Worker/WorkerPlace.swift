import HeddleActors
import HeddleCluster
import HeddleCore
import HeddleEngine
import HeddleFiles

/// Where a rank stands: its group, its peers, and whom it reports to.
struct WorkerPlace: Sendable {
    let group: GroupName
    let model: ModelName
    let rank: Int
    /// The workers of the group, by rank.
    let ranks: [ActorIdentity]
    /// The adapter-cache of this rank's host.
    let cache: ActorIdentity
    /// The tenant-queue of the model.
    let queue: ActorIdentity
    let collective: ClusterConfiguration.Collective
    /// Whether the cluster file allows plain TCP beyond loopback.
    let allowsPlainTCP: Bool
    let runtimeDirectory: String
    /// Epochs grow from here: the wall clock's milliseconds when the process started, so that a group that forms anew after all
    /// its processes were replaced is seldom taken for an old one. It decides nothing else: where the clock was put back, the
    /// tenant-queue and the routers tell rank 0 which epoch they saw last.
    let epochFloor: Epoch
    let forward: ForwardLimits
    /// The model's tokenizer.json, which rank 0 reads when the first answer is constrained.
    let tokenizerPath: String

    var isFirst: Bool { rank == 0 }
}

/// Why a rank cannot do what another asked of it.
enum WorkerError: Error, CustomStringConvertible {
    case otherEpoch(GroupEpoch, present: GroupEpoch?)
    case notFirst(rank: Int)

    var description: String {
        switch self {
        case .otherEpoch(let wanted, let present):
            "the group is in \(present?.description ?? "no epoch"), not in \(wanted)"
        case .notFirst(let rank): "rank \(rank) does not plan"
        }
    }
}
