/// What is known about one actor without asking it: its account is kept outside of it, so a stuck actor shows too.
public struct ActorReport: Hashable, Sendable {
    /// The actor's address in the mesh, as `heddle describe actor` takes it.
    public var id: String
    /// `router`, `tenant-queue`, `adapter-cache`, `gpu-worker`.
    public var role: String
    public var node: NodeName
    public var state: StateReport
    /// Calls that wait their turn, and the most that may.
    public var mailboxDepth: Int
    public var mailboxDepthMax: Int
    /// How long the oldest of them has waited; zero when none waits.
    public var oldestAge: Duration
    /// Calls begun and not ended, oldest first.
    public var calls: [CallReport]
    public var methods: [MethodReport]
    /// How many times it was started again after a failure.
    public var restarts: Int
    /// The role's own state.
    public var fields: [ReportField]
    public var tables: [ReportTable]

    public init(
        id: String, role: String, node: NodeName, state: StateReport, mailboxDepth: Int = 0, mailboxDepthMax: Int = 0,
        oldestAge: Duration = .zero, calls: [CallReport] = [], methods: [MethodReport] = [], restarts: Int = 0,
        fields: [ReportField] = [], tables: [ReportTable] = []
    ) {
        self.id = id
        self.role = role
        self.node = node
        self.state = state
        self.mailboxDepth = mailboxDepth
        self.mailboxDepthMax = mailboxDepthMax
        self.oldestAge = oldestAge
        self.calls = calls
        self.methods = methods
        self.restarts = restarts
        self.fields = fields
        self.tables = tables
    }

    /// A call that the actor has begun and not ended.
    public struct CallReport: Hashable, Sendable {
        public var method: String
        public var elapsed: Duration
        /// Who called: a node or an actor; empty where it is not known.
        public var caller: String

        public init(method: String, elapsed: Duration, caller: String = "") {
            self.method = method
            self.elapsed = elapsed
            self.caller = caller
        }
    }

    /// How often one method was called since the start, and how long it took.
    public struct MethodReport: Hashable, Sendable {
        public var method: String
        public var callCount: UInt64
        public var errorCount: UInt64
        /// Half of the recent calls took at most this long; zero before the first.
        public var p50: Duration
        /// 99 in 100 of the recent calls took at most this long.
        public var p99: Duration
        /// Recent calls a second.
        public var callsPerSecond: Double

        public init(
            method: String, callCount: UInt64, errorCount: UInt64 = 0, p50: Duration = .zero, p99: Duration = .zero,
            callsPerSecond: Double = 0
        ) {
            self.method = method
            self.callCount = callCount
            self.errorCount = errorCount
            self.p50 = p50
            self.p99 = p99
            self.callsPerSecond = callsPerSecond
        }
    }
}
