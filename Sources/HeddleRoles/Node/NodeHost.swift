import Distributed
import Foundation
import HeddleActors
import HeddleCluster
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleTransport
import Logging

/// One process of the mesh: hosts the roles that the cluster file gives its node, and ends them in order.
public final class NodeHost: Sendable {
    public let name: NodeName
    public let incarnation: Incarnation
    private let system: MeshActorSystem
    private let hosted: Hosted
    private let inspection: InspectionPort
    private let log: RoleLog
    private let inspector: NodeInspector
    private let exporting: Task<Void, Never>

    /// What an HTTP gateway needs of this node's router; nil where the node has none.
    public var front: RouterFront? { hosted.front }

    /// The roles of this node.
    struct Hosted: Sendable {
        var router: Router?
        /// The router's clients.
        var client: ClientPort?
        var front: RouterFront?
        var queues: [TenantQueue] = []
        var cache: AdapterCache?
        var worker: GPUWorker?
    }

    /// Starts the node: binds its sockets, loads what its roles need and hosts them. When it returns, the node serves.
    ///
    /// - Throws: a `TransportError` that names a socket that cannot be bound, or what is wrong with a model's files.
    public static func start(
        _ configuration: ClusterConfiguration, node name: NodeName, version: String, logger: Logger
    ) async throws -> NodeHost {
        guard let node = configuration.node(name) else { throw NodeError.unknownNode(name, in: configuration.path) }
        let layout = MeshLayout(configuration)
        var generator = SystemRandomNumberGenerator()
        let incarnation = Incarnation(using: &generator)
        let journal = Journal(
            exporter: configuration.traces.flatMap(URL.init(string:)).map { endpoint in
                let epoch = Int64(Date().timeIntervalSince1970 * 1e9) - Int64(clamping: now().nanoseconds)
                return TraceExporter(
                    endpoint: endpoint,
                    document: TraceDocument(
                        node: name, incarnation: incarnation, version: version, epochOffset: epoch))
            })
        var logger = logger
        logger[metadataKey: "incarnation"] = "\(incarnation)"
        let log = RoleLog(logger, actor: "\(name)/node", journal: journal)
        let board = InspectionBoard()
        let peers = PeerBook()
        let link = try ZeroMQLink(listeningOn: node.mesh, allowsPlainTCP: configuration.isInsecure)
        let system = MeshActorSystem(
            node: name, incarnation: incarnation, directory: layout.directory, contracts: heddleContracts, link: link,
            onEvent: { event in
                peers.note(event)
                log.note(event)
            })
        do {
            try await system.start()
            let inspector = NodeInspector(
                configuration: configuration, node: node, incarnation: incarnation, version: version, system: system,
                board: board, peers: peers, journal: journal)
            let inspection = try InspectionPort.open(
                node.inspect, on: system.io, isInsecure: configuration.isInsecure,
                answer: inspector.answer)
            let builder = RoleBuilder(
                configuration: configuration, node: node, layout: layout, system: system, board: board, peers: peers,
                journal: journal, logger: logger)
            let hosted = try await builder.build()
            let host = NodeHost(
                name: name, incarnation: incarnation, system: system, hosted: hosted, inspection: inspection, log: log,
                inspector: inspector)
            try await host.begin()
            log.info(
                .nodeStarted, about: name.text,
                "node \(name) serves: \(node.roles.map(\.rawValue).joined(separator: ", "))")
            return host
        } catch {
            await system.shutdown()
            throw error
        }
    }

    private init(
        name: NodeName, incarnation: Incarnation, system: MeshActorSystem, hosted: Hosted, inspection: InspectionPort,
        log: RoleLog, inspector: NodeInspector
    ) {
        self.name = name
        self.incarnation = incarnation
        self.system = system
        self.hosted = hosted
        self.inspection = inspection
        self.inspector = inspector
        let exporter = inspector.journal.exporter
        exporting = Task.detached { await exporter?.run() }
        self.log = log
    }

    private func begin() async throws {
        _ = try await hosted.cache?.whenLocal { try $0.begin() }
        for queue in hosted.queues { await queue.whenLocal { $0.begin() } }
        await hosted.worker?.whenLocal { $0.begin() }
        await hosted.router?.whenLocal { $0.begin() }
    }

    /// The node's numbers as Prometheus reads them. Asks no actor, so that a busy or stuck one is counted like the others.
    public func metricsText() -> String { inspector.metricsText() }

    /// Ends the node: clients are told, ranks leave their group, sockets close. Takes a few seconds at most.
    public func stop() async {
        log.info(.nodeStopping, about: name.text, "node \(name) stops")
        await hosted.router?.whenLocal { $0.stop() }
        await hosted.client?.drain(within: .milliseconds(500))
        for queue in hosted.queues { await queue.whenLocal { $0.stop() } }
        await hosted.worker?.whenLocal { $0.stop() }
        await hosted.cache?.whenLocal { $0.stop() }
        hosted.client?.close()
        inspection.close()
        exporting.cancel()
        await inspector.journal.exporter?.flush()
        await system.shutdown()
    }
}

/// Why a node cannot start, where the cluster file is not to blame.
public enum NodeError: Error, CustomStringConvertible {
    case unknownNode(NodeName, in: String)

    public var description: String {
        switch self {
        case .unknownNode(let name, let path): "\(path) has no node “\(name)”"
        }
    }
}
