/// Decides which epoch of a group the loss of a process ends: the one that this very process announced, however late the
/// loss is heard of.
public struct GroupPresence: Sendable {
    private struct Present {
        let epoch: GroupEpoch
        let incarnation: Incarnation
    }

    private var groups: [GroupName: Present] = [:]

    public init() {}

    /// Rank 0, a process of this incarnation, announced the epoch. An earlier epoch says nothing any more.
    public mutating func up(_ epoch: GroupEpoch, incarnation: Incarnation) {
        if let present = groups[epoch.group], present.epoch.epoch > epoch.epoch { return }
        groups[epoch.group] = Present(epoch: epoch, incarnation: incarnation)
    }

    /// The epoch is over.
    public mutating func ended(_ epoch: GroupEpoch) {
        if groups[epoch.group]?.epoch == epoch { groups[epoch.group] = nil }
    }

    /// The epoch that ends with this process; nil where another process is rank 0 by now.
    public mutating func lost(_ incarnation: Incarnation, of group: GroupName) -> GroupEpoch? {
        guard let present = groups[group], present.incarnation == incarnation else { return nil }
        groups[group] = nil
        return present.epoch
    }
}
