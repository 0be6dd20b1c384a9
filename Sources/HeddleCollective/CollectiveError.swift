/// Why the ranks of a group cannot go on together. After any of these the group forms again under a higher epoch.
public enum CollectiveError: Error, Hashable, Sendable {
    /// A rank gave the group up, or left it.
    case aborted
    /// The process of a rank ended, or its connection did.
    case rankLost(Int)
    /// A rank that lives did not come to the same call in time.
    case timedOut(operation: String, rank: Int, after: Duration)
    /// The ranks made different calls.
    case disagreement(rank: Int, expected: String, found: String)
    /// The other side of the handshake is not what this one was told to join.
    case mismatch(field: String, expected: String, found: String)
    /// Somebody holds this rank already.
    case rankTaken(Int)
    case broadcastTooLarge(byteCount: Int, byteCountMax: Int)
    /// The system or libzmq refused a call.
    case system(call: String, code: Int32, reason: String)
}

extension CollectiveError: CustomStringConvertible {
    /// One sentence that names what is wrong.
    public var description: String {
        switch self {
        case .aborted: "the group was aborted"
        case .rankLost(let rank): "rank \(rank) of the group is lost"
        case .timedOut(let operation, let rank, let after): "rank \(rank) did not come to \(operation) within \(after)"
        case .disagreement(let rank, let expected, let found): "rank \(rank) made the call \(found), not \(expected)"
        case .mismatch(let field, let expected, let found): "the group's \(field) is \(found), not \(expected)"
        case .rankTaken(let rank): "rank \(rank) is held by another process already"
        case .broadcastTooLarge(let count, let max): "a broadcast of \(count) bytes is above the limit of \(max)"
        case .system(let call, let code, let reason): "\(call) failed with error \(code): \(reason)"
        }
    }
}
