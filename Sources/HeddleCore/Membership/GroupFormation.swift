/// Decides when a worker group is a group: all ranks present, equal in what must be equal, under an epoch that only grows.
///
/// One rank lost ends the epoch for all of them; the group forms again, under the next epoch, when every rank is present.
/// Ranks announce themselves again and again while they are in no epoch, so a group that waits needs no clock of its own.
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
        /// The ranks did not meet.
        case couldNotForm
        /// A step did not run on every rank, and none is known to be lost.
        case stepFailed
        /// The tenant-queue was out of reach and took the epoch for lost.
        case queueReturned
        /// The queue, or a router, holds the epoch for over.
        case overElsewhere

        public var description: String {
            switch self {
            case .rankLost(let rank): "rank \(rank) is lost"
            case .rankRestarted(let rank): "rank \(rank) was restarted"
            case .couldNotForm: "the ranks did not meet"
            case .stepFailed: "a step failed"
            case .queueReturned: "the tenant-queue was out of reach"
            case .overElsewhere: "the epoch is over for others"
            }
        }

        /// What it is for the requests that ran.
        public var end: EpochEnd {
            switch self {
            case .rankLost, .rankRestarted, .couldNotForm, .stepFailed: .lost
            case .queueReturned, .overElsewhere: .givenUp
            }
        }
    }

    /// Starts of a rank's process that are remembered as replaced; older ones are long dead.
    public static let replacedCountMax = 16
    public static let rankCountMax = 64
    /// The pause after ranks did not meet; it doubles with each time that follows.
    public static let backOff: Duration = .milliseconds(200)
    public static let backOffMax: Duration = .seconds(5)

    public let group: GroupName
    public let rankCount: Int
    /// The present forming; nil while ranks are missing.
    public private(set) var formed: GroupEpoch?
    private var lastEpoch: Epoch
    /// Times in a row that the ranks did not meet.
    private var failureCount = 0
    /// No forming before this.
    private var retryAt: Instant
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
        retryAt = now
        present = Array(repeating: nil, count: rankCount)
        replaced = Array(repeating: [], count: rankCount)
    }

    /// A rank announces itself, once or, until the group has formed, again and again.
    public mutating func rankPresent(_ presence: RankPresence, now: Instant) -> [Action] {
        guard present.indices.contains(presence.rank) else {
            return refuse(presence, .rankOutOfRange(rank: presence.rank, rankCount: rankCount))
        }
        guard !replaced[presence.rank].contains(presence.incarnation) else {
            return refuse(presence, .replaced(rank: presence.rank, incarnation: presence.incarnation))
        }
        var actions: [Action] = []
        if let older = present[presence.rank] {
            if older == presence { return form(now: now) }
            if older.incarnation != presence.incarnation { fence(older) }
            present[presence.rank] = nil
            actions += dissolve(.rankRestarted(rank: presence.rank), now: now)
        }
        if let error = disagreement(of: presence) { return actions + refuse(presence, error) }
        present[presence.rank] = presence
        return actions + form(now: now)
    }

    /// The ranks have met. False when the epoch is over already, so that they part again.
    public mutating func met(_ epoch: GroupEpoch) -> Bool {
        guard formed == epoch else { return false }
        failureCount = 0
        return true
    }

    /// The process of this incarnation is dead or cannot be reached. It may come back, under a later epoch.
    public mutating func rankLost(_ rank: Int, incarnation: Incarnation, now: Instant) -> [Action] {
        guard present.indices.contains(rank), present[rank]?.incarnation == incarnation else { return [] }
        present[rank] = nil
        return dissolve(.rankLost(rank: rank), now: now)
    }

    /// An epoch of this group was seen elsewhere: the next forming is later than that.
    public mutating func observed(_ epoch: Epoch) { lastEpoch = max(lastEpoch, epoch) }

    /// The epoch is over though no rank is known to be lost: each announces itself anew, as it does once it has left.
    public mutating func ended(_ epoch: GroupEpoch, because reason: DissolveReason, now: Instant) -> [Action] {
        guard formed == epoch else { return [] }
        if reason == .couldNotForm {
            var pause = Self.backOff
            for _ in 0..<min(failureCount, 16) { pause = min(pause * 2, Self.backOffMax) }
            failureCount += 1
            retryAt = now.advanced(by: pause)
        }
        present = Array(repeating: nil, count: rankCount)
        return dissolve(reason, now: now)
    }

    /// Who is here, who is missing, what went wrong last.
    public func report() -> GroupFormationReport {
        GroupFormationReport(
            group: group, rankCount: rankCount, formed: formed, since: since, lastDissolved: lastDissolved,
            present: present.compactMap(\.self), missing: present.indices.filter { present[$0] == nil },
            lastRefusal: lastRefusal)
    }

    /// Begins the next epoch when every rank is present and the last failure is long enough ago.
    private mutating func form(now: Instant) -> [Action] {
        let members = present.compactMap(\.self)
        guard formed == nil, members.count == rankCount, now >= retryAt else { return [] }
        lastEpoch = lastEpoch.next
        let epoch = GroupEpoch(group: group, epoch: lastEpoch)
        formed = epoch
        since = now
        lastRefusal = nil
        return [.form(epoch, members: members)]
    }

    private mutating func dissolve(_ reason: DissolveReason, now: Instant) -> [Action] {
        guard let epoch = formed else { return [] }
        formed = nil
        since = now
        lastDissolved = reason
        return [.dissolve(epoch, reason: reason)]
    }

    /// A rank that is refused asks again several times a second: it is told once.
    private mutating func refuse(_ presence: RankPresence, _ error: GroupFormationError) -> [Action] {
        guard lastRefusal != error else { return [] }
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
