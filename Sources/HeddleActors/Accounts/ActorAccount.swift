import HeddleCore

/// What one actor is doing at a moment, read without asking it: a busy or stuck actor shows as it is.
///
/// Remote calls are counted by method. Calls from the same node do not pass through the actor system, so they show only as
/// jobs of the actor's executor: in `jobsQueued` while they wait, in `jobRunning` while they run, and in `jobsRun`.
public struct ActorAccount: Hashable, Sendable {
    public var identity: ActorIdentity
    public var typeName: String
    public var place: String
    /// Remote calls that arrived and have not begun to run on the actor.
    public var mailboxDepth: Int
    public var mailboxDepthMax: Int
    /// How long the first of them has waited.
    public var oldestWaiting: Duration?
    /// Pieces of work, of remote and local calls alike, that wait for the actor's executor.
    public var jobsQueued: Int
    /// How long the piece that runs now has run; long means stuck or computing.
    public var jobRunning: Duration?
    /// The method whose first piece runs now, if it is a remote call's.
    public var methodRunning: String?
    public var jobsRun: UInt64
    /// Remote calls that have not ended, oldest first.
    public var callsInFlight: [CallInFlight]
    /// Only methods that were called.
    public var methods: [MethodAccount]
    /// Remote calls that were refused because a limit was reached.
    public var callsRefused: UInt64
    public var callsPerSecond: Double

    /// One remote call that has not ended.
    public struct CallInFlight: Hashable, Sendable {
        public var method: String
        public var caller: NodeName
        /// Since it arrived.
        public var age: Duration
        /// Since it began to run on the actor; nil while it waits.
        public var running: Duration?
    }

    /// One method's history since the actor was hosted.
    public struct MethodAccount: Hashable, Sendable {
        public var index: UInt32
        public var method: String
        public var callsEnded: UInt64
        /// Ended by throwing, cancellation apart.
        public var errors: UInt64
        public var cancelled: UInt64
        /// From arrival to the end.
        public var latencyMedian: Duration?
        public var latency99: Duration?
        public var callsPerSecond: Double
    }
}
