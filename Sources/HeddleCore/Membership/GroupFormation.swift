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

    /// Starts of a rank's process that are remembered as replaced; older ones are long dead.
    public static let replacedCountMax = 16
    public static let rankCountMax = 64

    public let group: GroupName
    public let rankCount: Int
    /// The present forming; nil while ranks are missing.
    public private(set) var formed: GroupEpoch?
    private var lastEpoch: Epoch
    private var isDrained = false
    private var since: Instant
    private var lastDissolved: DissolveReason?
    private var lastRefusal: GroupFormationError?
    /// By rank.
    private var present: [RankPresence?]
    /// By rank, the oldest first.
    private var replaced: [[Incarnation]]

    /// - Parameter lastEpoch: Epochs grow from here. The shell passes what outlives its process, for instance the wall
    ///   clock's milliseconds, so that a group that is formed anew is not taken for an old one.
    public init(group: GroupName, rankCount: Int, after lastEpoch: Epoch, now: Instant) {
        precondition((1...Self.rankCountMax).contains(rankCount), "a group has 1 to 64 ranks")
        self.group = group
        self.rankCount = rankCount
        self.lastEpoch = lastEpoch
        since = now
        present = Array(repeating: nil, count: rankCount)
        replaced = Array(repeating: [], count: rankCount)
    }

    /// A rank announces itself, once or, until the group has formed, again and again.
    public mutating func rankPresent(_ presence: RankPresence, now: Instant) -> [Action] {
        guard !isDrained else { return [] }
        guard present.indices.contains(presence.rank) else {
            return refuse(presence, .rankOutOfRange(rank: presence.rank, rankCount: rankCount))
        }
        guard !replaced[presence.rank].contains(presence.incarnation) else {
            return refuse(presence, .replaced(rank: presence.rank, incarnation: presence.incarnation))
        }
        var actions: [Action] = []
        if let older = present[presence.rank] {
            if older == presence { return [] }
            if older.incarnation != presence.incarnation { fence(older) }
            present[presence.rank] = nil
            actions += dissolve(.rankRestarted(rank: presence.rank), now: now)
        }
        if let error = disagreement(of: presence) { return actions + refuse(presence, error) }
        present[presence.rank] = presence
        let members = present.compactMap(\.self)
        guard members.count == rankCount else { return actions }
        lastEpoch = lastEpoch.next
        let epoch = GroupEpoch(group: group, epoch: lastEpoch)
        formed = epoch
        since = now
        lastRefusal = nil
        return actions + [.form(epoch, members: members)]
    }

    /// The process of this incarnation is dead or cannot be reached. It may come back, under a later epoch.
    public mutating func rankLost(_ rank: Int, incarnation: Incarnation, now: Instant) -> [Action] {
        guard present.indices.contains(rank), present[rank]?.incarnation == incarnation else { return [] }
        present[rank] = nil
        return dissolve(.rankLost(rank: rank), now: now)
    }

    /// An epoch of this group was seen elsewhere: the next forming is later than that.
    public mutating func observed(_ epoch: Epoch) { lastEpoch = max(lastEpoch, epoch) }

    /// Ends the group for good.
    public mutating func drain(now: Instant) -> [Action] {
        isDrained = true
        return dissolve(.drained, now: now)
    }

    /// Who is here, who is missing, what went wrong last.
    public func report() -> GroupFormationReport {
        GroupFormationReport(
            group: group, rankCount: rankCount, formed: formed, since: since, lastDissolved: lastDissolved,
            present: present.compactMap(\.self), missing: present.indices.filter { present[$0] == nil },
            lastRefusal: lastRefusal)
    }

    private mutating func dissolve(_ reason: DissolveReason, now: Instant) -> [Action] {
        guard let epoch = formed else { return [] }
        formed = nil
        since = now
        lastDissolved = reason
        return [.dissolve(epoch, reason: reason)]
    }

    private mutating func refuse(_ presence: RankPresence, _ error: GroupFormationError) -> [Action] {
        lastRefusal = error
        return [.refuse(presence, error)]
    }

    private mutating func fence(_ older: RankPresence) {
        replaced[older.rank].append(older.incarnation)
        if replaced[older.rank].count > Self.replacedCountMax { replaced[older.rank].removeFirst() }
    }

    /// What this rank and the lowest one that is here do not agree on.
    private func disagreement(of presence: RankPresence) -> GroupFormationError? {
        let mine = presence.capabilities
        guard mine.rankCount == rankCount else {
            return .rankCount(rank: presence.rank, rankCount: mine.rankCount, groupRankCount: rankCount)
        }
        guard let other = present.lazy.compactMap(\.self).first(where: { $0.rank != presence.rank }) else { return nil }
        let theirs = other.capabilities
        func mismatch(_ field: String, _ value: String, _ otherValue: String) -> GroupFormationError {
            .mismatch(field: field, rank: presence.rank, value: value, other: other.rank, otherValue: otherValue)
        }
        if mine.model != theirs.model { return mismatch("model", mine.model.description, theirs.model.description) }
        if !mine.instructionSet.utf8.elementsEqual(theirs.instructionSet.utf8) {
            return mismatch("instruction set", mine.instructionSet, theirs.instructionSet)
        }
        if mine.contract != theirs.contract {
            return mismatch("contract", hexadecimal(mine.contract), hexadecimal(theirs.contract))
        }
        return nil
    }
}
