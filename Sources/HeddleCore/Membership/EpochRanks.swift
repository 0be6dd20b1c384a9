/// Knows which starts of the ranks' processes are in an epoch, and so whose loss ends it.
///
/// A rank that comes back may be seen in its new start before the loss of the old one is heard of: that loss ended an
/// earlier epoch, not this one.
public struct EpochRanks: Hashable, Sendable {
    public let id: GroupEpoch
    /// By rank, of those that this rank depends on.
    private let incarnations: [Int: Incarnation]

    /// At rank 0, which depends on every member.
    public init(_ id: GroupEpoch, members: [RankPresence]) {
        self.id = id
        incarnations = Dictionary(members.map { ($0.rank, $0.incarnation) }) { first, _ in first }
    }

    /// At another rank, which depends on rank 0: it tells the others of every loss.
    public init(_ id: GroupEpoch, first: Incarnation) {
        self.id = id
        incarnations = [0: first]
    }

    /// Whether the loss of this start of the rank's process ends the epoch.
    public func end(withLossOf rank: Int, _ incarnation: Incarnation) -> Bool { incarnations[rank] == incarnation }
}
