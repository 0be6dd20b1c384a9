/// Every maximum of the actor system.
public struct MeshLimits: Hashable, Sendable {
    /// Remote calls that may wait for one actor.
    public var mailboxDepthMax = 1024
    /// Remote calls of one actor that have not ended, waiting or not.
    public var callsPerActorMax = 8192
    /// Calls that this node has made and that have not ended.
    public var callsInFlightMax = 65536
    /// Calls that wait for a node's first appearance.
    public var callsParkedPerNodeMax = 1024
    /// Watches on one node's actors, and incarnations that are remembered as replaced, per node.
    public var watchesMax = 1024
    public var incarnationsRememberedMax = 64
    /// Connections that may exist at once, greeted or not.
    public var connectionsMax = 1024
    /// The deadline of a call whose task has none.
    public var deadlineDefault: Duration = .seconds(5)
    /// How long a shutdown waits for calls that were told to end.
    public var shutdownPatience: Duration = .seconds(2)

    public init() {}
}
