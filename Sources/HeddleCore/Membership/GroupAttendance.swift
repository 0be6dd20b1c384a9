/// Decides, at a rank other than 0, which epoch of its group it opens, is in, or leaves: the latest that a rank 0 asked it to
/// join, until the epoch or that rank 0 is lost.
public struct GroupAttendance: Sendable {
    /// What the rank's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Meet the others; answer with `opened` or `openFailed`.
        case open(GroupEpoch)
        /// Stop waiting for the others of this epoch. Its `openFailed` may come after the next epoch has begun.
        case interrupt(GroupEpoch)
        /// Leave the collective of this epoch.
        case leave(GroupEpoch, reason: LeaveReason)
        /// The rank is already in this epoch, or in a later one.
        case refuse(present: GroupEpoch)
    }

    /// What ended an epoch for this rank.
    public enum LeaveReason: Hashable, Sendable, CustomStringConvertible {
        case epochBegins(Epoch)
        case firstLost

        public var description: String {
            switch self {
            case .epochBegins(let epoch): "epoch \(epoch) begins"
            case .firstLost: "rank 0 is lost"
            }
        }
    }

    private enum State {
        case away
        case opening(EpochRanks)
        case inside(EpochRanks)
    }

    private var state = State.away

    public init() {}

    /// The epoch that this rank is in or opens.
    public var present: GroupEpoch? { ranks?.id }

    /// Rank 0, in this start of its process, asks the rank to an epoch.
    public mutating func asked(toJoin group: GroupEpoch, by first: Incarnation) -> [Action] {
        if let present, present >= group { return [.refuse(present: present)] }
        let actions = leave(.epochBegins(group.epoch))
        state = .opening(EpochRanks(group, first: first))
        return actions + [.open(group)]
    }

    /// The ranks of the epoch have met. False when it is over here already, so that the rank leaves again.
    public mutating func opened(_ group: GroupEpoch) -> Bool {
        guard case .opening(let ranks) = state, ranks.id == group else { return false }
        state = .inside(ranks)
        return true
    }

    /// The ranks of the epoch have not met.
    public mutating func openFailed(_ group: GroupEpoch) {
        if case .opening(let ranks) = state, ranks.id == group { state = .away }
    }

    /// The collective of the epoch has ended. False when the rank is no longer in it.
    public mutating func ended(_ group: GroupEpoch) -> Bool {
        guard case .inside(let ranks) = state, ranks.id == group else { return false }
        state = .away
        return true
    }

    /// This start of rank 0's process is dead or cannot be reached.
    public mutating func firstLost(_ incarnation: Incarnation) -> [Action] {
        guard let ranks, ranks.end(withLossOf: 0, incarnation) else { return [] }
        return leave(.firstLost)
    }

    private var ranks: EpochRanks? {
        switch state {
        case .away: nil
        case .opening(let ranks), .inside(let ranks): ranks
        }
    }

    private mutating func leave(_ reason: LeaveReason) -> [Action] {
        defer { state = .away }
        switch state {
        case .away: return []
        case .opening(let ranks): return [.interrupt(ranks.id)]
        case .inside(let ranks): return [.leave(ranks.id, reason: reason)]
        }
    }
}
