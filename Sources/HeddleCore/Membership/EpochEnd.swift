/// Tells what the end of a group's epoch means for the requests that ran in it.
public enum EpochEnd: UInt8, Hashable, Sendable {
    /// A process is lost, or a step failed: any of the requests may be to blame, so each has lost a group.
    case lost = 1
    /// Somebody was out of reach for a moment, and the group forms anew: no request is to blame.
    case givenUp = 2
}
