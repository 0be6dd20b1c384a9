/// What one process of the mesh tells about itself and about all that it hosts: the answer on the inspection socket.
///
/// It never holds a prompt or a completion.
public struct NodeReport: Hashable, Sendable {
    public var name: NodeName
    public var incarnation: Incarnation
    public var processID: UInt64
    /// Heddle's version.
    public var version: String
    public var host: String
    /// The roles that the cluster file gives this node.
    public var roles: [String]
    public var state: StateReport
    public var uptime: Duration
    public var endpoints: [Endpoint]
    public var peers: [PeerReport]
    /// Processor time used since the start, all threads together.
    public var processorTime: Duration
    public var residentBytes: UInt64
    public var actors: [ActorReport]
    public var tenants: [TenantReport]
    public var adapters: [AdapterReport]
    public var workers: [WorkerReport]
    public var requests: [OpenRequestReport]
    /// Only where they were asked for, as `lines` and `spans` too.
    public var events: [NoticeReport]
    public var lines: [NoticeReport]
    public var spans: [SpanReport]
    /// Events or lines behind the number that was asked for which are no longer kept.
    public var missedCount: UInt64
    /// Entries of the lists above that exist and were left out because a reply is bounded.
    public var omittedCount: Int

    public init(
        name: NodeName, incarnation: Incarnation, processID: UInt64, version: String, host: String, roles: [String],
        state: StateReport, uptime: Duration, endpoints: [Endpoint] = [], peers: [PeerReport] = [],
        processorTime: Duration = .zero, residentBytes: UInt64 = 0, actors: [ActorReport] = [],
        tenants: [TenantReport] = [], adapters: [AdapterReport] = [], workers: [WorkerReport] = [],
        requests: [OpenRequestReport] = [], events: [NoticeReport] = [], lines: [NoticeReport] = [],
        spans: [SpanReport] = [], missedCount: UInt64 = 0, omittedCount: Int = 0
    ) {
        self.name = name
        self.incarnation = incarnation
        self.processID = processID
        self.version = version
        self.host = host
        self.roles = roles
        self.state = state
        self.uptime = uptime
        self.endpoints = endpoints
        self.peers = peers
        self.processorTime = processorTime
        self.residentBytes = residentBytes
        self.actors = actors
        self.tenants = tenants
        self.adapters = adapters
        self.workers = workers
        self.requests = requests
        self.events = events
        self.lines = lines
        self.spans = spans
        self.missedCount = missedCount
        self.omittedCount = omittedCount
    }

    /// A socket that the node is bound to.
    public struct Endpoint: Hashable, Sendable {
        /// `client`, `mesh`, `inspect`, `collective`.
        public var purpose: String
        public var address: String

        public init(purpose: String, address: String) {
            self.purpose = purpose
            self.address = address
        }
    }

    /// Another node as this one sees it.
    public struct PeerReport: Hashable, Sendable {
        public var node: NodeName
        public var state: StateReport

        public init(node: NodeName, state: StateReport) {
            self.node = node
            self.state = state
        }
    }
}
