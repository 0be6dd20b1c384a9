/// What a node's connections have carried and refused since the start.
public struct MeshCounters: Hashable, Sendable {
    public var messagesSent: UInt64 = 0
    public var messagesReceived: UInt64 = 0
    /// Messages that are not two frames with an envelope and payload that can be read.
    public var messagesUnreadable: UInt64 = 0
    /// Messages of another incarnation than the connection's, or of a connection that was replaced.
    public var messagesStale: UInt64 = 0
    /// Messages on a connection that has not been greeted, or was refused.
    public var messagesUngreeted: UInt64 = 0
    /// Results and errors of calls that nobody waits for any more.
    public var repliesLate: UInt64 = 0
    /// Answers that did not fit into the peer's budget.
    public var repliesDropped: UInt64 = 0
    public var handshakesRefused: UInt64 = 0
    public var callsToUnknownMethods: UInt64 = 0
    public var callsToUnknownActors: UInt64 = 0
    public var callsRefused: UInt64 = 0
    public var deadlinesExceeded: UInt64 = 0
    public var nodesLost: UInt64 = 0

    public init() {}
}
