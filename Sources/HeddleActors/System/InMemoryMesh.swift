import HeddleCore
import HeddleTransport

/// Several nodes in one process, connected in memory: what tests of roles run on, through the same code as sockets.
public struct InMemoryMesh: Sendable {
    public let network: InMemoryNetwork
    /// One system for each node, in the order of the names.
    public let systems: [MeshActorSystem]

    /// Makes the systems and starts them. `actors` is what the directory says; their actors are the caller's to host.
    public init(
        nodes: [NodeName], actors: [ActorIdentity] = [], contracts: ContractTable, limits: MeshLimits = MeshLimits(),
        linkLimits: LinkLimits = LinkLimits(), onEvent: @escaping @Sendable (NodeName, MeshEvent) -> Void = { _, _ in }
    ) async throws {
        let network = InMemoryNetwork(limits: linkLimits)
        var directory = Directory(actors: actors)
        for node in nodes { directory.add(node: node, endpoint: "memory:\(node)") }
        var generator = SystemRandomNumberGenerator()
        var systems: [MeshActorSystem] = []
        for node in nodes {
            systems.append(
                MeshActorSystem(
                    node: node, incarnation: Incarnation(using: &generator), directory: directory, contracts: contracts,
                    link: network.link(listeningOn: "memory:\(node)"), limits: limits,
                    onEvent: { onEvent(node, $0) }))
        }
        self.network = network
        self.systems = systems
        for system in systems { try await system.start() }
    }

    /// Two connected nodes, `a` and `b`.
    public static func pair(contracts: ContractTable, limits: MeshLimits = MeshLimits()) async throws -> InMemoryMesh {
        try await InMemoryMesh(nodes: [NodeName("a"), NodeName("b")], contracts: contracts, limits: limits)
    }

    /// Cuts a node's connections as if its process had died; they come back at once.
    public func cut(_ node: NodeName) { network.cut(endpoint: "memory:\(node)") }

    /// Shuts every system down.
    public func shutdown() async { for system in systems { await system.shutdown() } }
}
