/// One rank of a worker group as it announces itself: where it is, which start of its process, and what it holds.
public struct RankPresence: Hashable, Sendable {
    public var rank: Int
    public var node: NodeName
    public var incarnation: Incarnation
    public var capabilities: RankCapabilities

    public init(rank: Int, node: NodeName, incarnation: Incarnation, capabilities: RankCapabilities) {
        self.rank = rank
        self.node = node
        self.incarnation = incarnation
        self.capabilities = capabilities
    }
}

/// What must be equal on every rank, or the group's tokens would not be a function of the request (law 1).
public struct RankCapabilities: Hashable, Sendable {
    public var model: Digest
    /// The instruction-set class of the kernels, for instance `avx512`.
    public var instructionSet: String
    /// Hash of the table of remote methods and of step plans' layout.
    public var contract: UInt64
    /// Ranks of the group as this rank was configured.
    public var rankCount: Int

    public init(model: Digest, instructionSet: String, contract: UInt64, rankCount: Int) {
        self.model = model
        self.instructionSet = instructionSet
        self.contract = contract
        self.rankCount = rankCount
    }
}

/// Why a rank may not join its group.
public enum GroupFormationError: Error, Hashable, Sendable, CustomStringConvertible {
    case rankOutOfRange(rank: Int, rankCount: Int)
    case rankCount(rank: Int, rankCount: Int, groupRankCount: Int)
    /// `rank` differs from `other`, which was there first.
    case mismatch(field: String, rank: Int, value: String, other: Int, otherValue: String)
    /// This start of the process was replaced by a later one (law 4).
    case replaced(rank: Int, incarnation: Incarnation)

    public var description: String {
        switch self {
        case .rankOutOfRange(let rank, let count): "rank \(rank) is outside the group's ranks 0..<\(count)"
        case .rankCount(let rank, let count, let groupCount):
            "rank \(rank) is configured for \(count) ranks; the group has \(groupCount)"
        case .mismatch(let field, let rank, let value, let other, let otherValue):
            "rank \(rank) has \(field) \(value) and rank \(other) has \(otherValue); they must be equal"
        case .replaced(let rank, let incarnation):
            "rank \(rank) was restarted; its process of incarnation \(incarnation) no longer belongs to the group"
        }
    }
}

/// How far a group's forming is, for inspection.
public struct GroupFormationReport: Hashable, Sendable {
    public var group: GroupName
    public var rankCount: Int
    /// nil while the group is not formed.
    public var formed: GroupEpoch?
    /// When it formed, or was last dissolved, or was made.
    public var since: Instant
    public var lastDissolved: GroupFormation.DissolveReason?
    public var present: [RankPresence]
    /// Ranks that the group waits for.
    public var missing: [Int]
    /// What the last rank that was refused was told; cleared when the group forms.
    public var lastRefusal: GroupFormationError?

    /// What the group waits for and what went wrong last, in one line.
    public var reason: String {
        var parts: [String] = []
        if formed != nil {
            parts.append("the ranks meet")
        } else if missing.isEmpty {
            parts.append("all ranks are here")
        } else {
            parts.append("waits for rank\(missing.count == 1 ? "" : "s") \(missing.map(String.init).joined(separator: ", "))")
        }
        if let lastDissolved, formed == nil { parts.append("\(lastDissolved)") }
        if let lastRefusal { parts.append("\(lastRefusal)") }
        return parts.joined(separator: "; ")
    }
}
