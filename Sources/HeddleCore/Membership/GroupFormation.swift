/// Decides when a worker group is a group: all ranks present, equal in what must be equal, under an epoch that only grows.
///
/// One rank lost ends the epoch for all of them; the group forms again, under the next epoch, when every rank is present.
public struct GroupFormation: Sendable {
    /// What the group's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Start the group: members by rank.
        case form(GroupEpoch, members: [RankPresence])
        /// End the group: every survivor leaves the collective at once.
        case dissolve(GroupEpoch, reason: DissolveReason)
        /// The rank may not join.
        case refuse(RankPresence, GroupFormationError)
    }

    /// What ended an epoch.
    public enum DissolveReason: Hashable, Sendable, CustomStringConvertible {
        case rankLost(rank: Int)
        /// Another start of the rank's process announced itself.
        case rankRestarted(rank: Int)
        case drained

        public var description: String {
            switch self {
            case .rankLost(let rank): "rank \(rank) is lost"
            case .rankRestarted(let rank): "rank \(rank) was restarted"
            case .drained: "the group is drained"
            }
        }
    }

    public let group: GroupName
    public let rankCount: Int
    var lastEpoch: Epoch
    var isFormed = false
    var isDrained = false
    var since: Instant
    /// By rank.
    var present: [RankPresence?]
    /// By rank, the oldest first.
    var replaced: [[Incarnation]]

    /// Starts of a rank's process that are remembered as replaced; older ones are long dead.
    public static let replacedCountMax = 16

    /// - Parameter lastEpoch: Epochs grow from here. The shell passes what outlives its process, for instance the wall
    ///   clock's milliseconds, so that a group that is formed anew is not taken for an old one.
    public init(group: GroupName, rankCount: Int, after lastEpoch: Epoch, now: Instant) {
        precondition((1...64).contains(rankCount), "a group has 1 to 64 ranks")
        self.group = group
        self.rankCount = rankCount
        self.lastEpoch = lastEpoch
        since = now
        present = Array(repeating: nil, count: rankCount)
        replaced = Array(repeating: [], count: rankCount)
    }
}
