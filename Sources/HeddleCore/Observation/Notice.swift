/// One thing that a node has to tell a person: a line of its log. One that bears a kind is an event too, which programs match.
///
/// It never holds a prompt, a completion or a key.
public struct Notice: Hashable, Sendable {
    public var level: Level
    /// Nil for a line that is for people alone.
    public var kind: Kind?
    /// The actor that tells it, as `heddle describe actor` takes it; `NODE/node` where it is the process itself.
    public var actor: String
    /// What it is about: a node, a group, an adapter or a tenant; empty where the request says it all.
    public var subject: String
    public var request: RequestID?
    /// One sentence.
    public var text: String

    public init(
        _ level: Level, _ kind: Kind? = nil, actor: String, subject: String = "", request: RequestID? = nil,
        text: String
    ) {
        self.level = level
        self.kind = kind
        self.actor = actor
        self.subject = subject
        self.request = request
        self.text = text
    }

    /// How much it matters.
    public enum Level: String, CaseIterable, Hashable, Sendable {
        case info, warning, error
    }

    /// What happened.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case nodeStarted = "node-started"
        case nodeStopping = "node-stopping"
        case peerConnected = "peer-connected"
        case peerLost = "peer-lost"
        case peerRefused = "peer-refused"
        case peerUnreachable = "peer-unreachable"
        case epochBegan = "epoch-began"
        case epochEnded = "epoch-ended"
        case groupUp = "group-up"
        case groupLost = "group-lost"
        case routerLost = "router-lost"
        case adapterLoading = "adapter-loading"
        case adapterLoaded = "adapter-loaded"
        case adapterFailed = "adapter-failed"
        case adapterEvicted = "adapter-evicted"
        case requestRefused = "request-refused"
        case requestFailed = "request-failed"
        /// A request goes on elsewhere, or here again: a failover.
        case requestReplayed = "request-replayed"
        case sequencePreempted = "sequence-preempted"
    }
}

/// A notice as an inspector reads it.
public struct NoticeReport: Hashable, Sendable {
    /// Grows by one with each of its node's process.
    public var number: UInt64
    /// How long ago it was told.
    public var age: Duration
    public var notice: Notice

    public init(number: UInt64, age: Duration, notice: Notice) {
        self.number = number
        self.age = age
        self.notice = notice
    }
}
