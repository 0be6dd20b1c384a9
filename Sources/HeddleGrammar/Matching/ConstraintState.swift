/// How far an answer has come in its constraint: a function of the constraint and of the answer's tokens, and of nothing else, so
/// that a sequence that was preempted, moved or replayed goes on as if nothing had happened.
public struct ConstraintState: Hashable, Sendable {
    /// One value that has begun and not ended.
    struct Frame: Hashable, Sendable {
        var node: Int32
        var counter: Int32
    }

    /// One way to read the answer so far.
    struct Reading: Hashable, Sendable {
        /// The outermost value's first; none where the answer is complete.
        var frames: [Frame]
        /// White space just before.
        var spaceCount: Int32
    }

    /// At least one.
    var readings: [Reading]

    /// Whether the answer may end here.
    public var isComplete: Bool { readings.contains { $0.frames.isEmpty } }
}
