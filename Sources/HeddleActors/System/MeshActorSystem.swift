import Distributed
import HeddleCore
import HeddleTransport
import HeddleWire
import Synchronization

/// The distributed actor system of one node: hosts its actors, finds everybody else's, and carries the calls between them.
///
/// One I/O thread owns all of its sockets; `start` begins and `shutdown` ends everything. Whatever a remote call throws that
/// is not the method's own error is a `RemoteCallError`, or a `CancellationError` when the caller's task was cancelled.
public final class MeshActorSystem: DistributedActorSystem, @unchecked Sendable {
    public typealias ActorID = ActorIdentity
    public typealias SerializationRequirement = WireCodable
    public typealias InvocationEncoder = MeshInvocationEncoder
    public typealias InvocationDecoder = MeshInvocationDecoder
    public typealias ResultHandler = MeshResultHandler

    // Safety: everything is immutable, behind a lock or atomic, but `meshNode`, which is set in `init` and whose inside
    // belongs to the I/O thread.
    public let node: NodeName
    public let incarnation: Incarnation
    public let directory: Directory
    public let contracts: ContractTable
    public let limits: MeshLimits
    /// The thread that owns this node's sockets; `serve` on it opens further ones.
    public let io: IOThread

    let starting: StartingCall
    let counted = Locked(MeshCounters())
    let registry = Locked(Registry())
    let numberLast = Atomic<UInt64>(0)
    let onEvent: @Sendable (MeshEvent) -> Void
    private(set) var meshNode: MeshNode!

    struct Registry {
        var hosted: [LocalName: HostedActor] = [:]
        var threads: [DedicatedThreadExecutor] = []
        /// Every actor that was ever hosted: executors are referred to without being kept, and must outlive their jobs.
        var executors: [HostedActor] = []
        var anonymousLast: UInt64 = 0
        var isShutDown = false
    }

    /// A system that has not started: actors can be hosted, nothing is sent or received.
    ///
    /// - Parameters:
    ///   - directory: must hold this node; the same on every node.
    ///   - link: where it listens is the link's own; `ZeroMQLink` for processes, `InMemoryNetwork.link` within one.
    ///   - onEvent: what a log should know; called on the I/O thread, must not block.
    public init(
        node: NodeName, incarnation: Incarnation, directory: Directory, contracts: ContractTable, link: any Link,
        limits: MeshLimits = MeshLimits(), io: IOThread? = nil,
        onEvent: @escaping @Sendable (MeshEvent) -> Void = { _ in }
    ) {
        precondition(directory.contains(node), "the directory must hold the node “\(node)” itself")
        let io = io ?? IOThread(name: "io-\(node)")
        self.node = node
        self.incarnation = incarnation
        self.directory = directory
        self.contracts = contracts
        self.limits = limits
        self.io = io
        self.onEvent = onEvent
        starting = StartingCall(io: io)
        meshNode = MeshNode(
            name: node, incarnation: incarnation, directory: directory, contracts: contracts, limits: limits,
            link: link,
            system: self, onEvent: onEvent)
    }

    /// Listens and connects; throws `TransportError` when the node cannot listen where it should.
    public func start() async throws {
        _ = try await io.run { [self] in try meshNode.start() }
    }

    /// Where it really listens, with the port that a bind to port 0 took; nil if it does not. After `start`.
    public var endpoint: String? {
        get async throws { try await io.run { [self] in meshNode.link.endpointBound } ?? nil }
    }

    /// Tasks that prefer it run on the I/O thread, where remote calls cost least.
    public var taskExecutor: IOTaskExecutor { io.taskExecutor }

    /// What the connections have carried and refused.
    public var counters: MeshCounters { counted.withLock { $0 } }

    /// The account of every actor that others can call, by identity; from any thread, however busy the actors are.
    public func accounts() -> [ActorAccount] {
        let ledgers = registry.withLock { $0.hosted.values.map(\.ledger) }
        let now = MonotonicClock.nanoseconds()
        return ledgers.map { $0.account(now: now) }.sorted { $0.identity.description < $1.identity.description }
    }

    /// The account of one actor of this node.
    public func account(of identity: ActorIdentity) -> ActorAccount? {
        hosted(LocalName(identity))?.ledger.account(now: MonotonicClock.nanoseconds())
    }

    func hosted(_ name: LocalName) -> HostedActor? { registry.withLock { $0.hosted[name] } }

    public func makeInvocationEncoder() -> MeshInvocationEncoder { MeshInvocationEncoder() }
}
