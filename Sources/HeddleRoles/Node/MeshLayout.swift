import HeddleActors
import HeddleCluster
import HeddleCore

/// Who is where, as the cluster file says: the directory of nodes and actors, the same on every node.
struct MeshLayout: Sendable {
    let directory: Directory
    private let configuration: ClusterConfiguration

    init(_ configuration: ClusterConfiguration) {
        self.configuration = configuration
        var directory = Directory()
        for node in configuration.nodes { directory.add(node: node.name, endpoint: node.mesh) }
        for node in configuration.nodes(with: .router) { directory.add(actor: Self.router(node.name)) }
        for node in configuration.nodes(with: .tenantQueue) {
            for model in configuration.models { directory.add(actor: Self.queue(model.name, on: node.name)) }
        }
        for node in configuration.nodes(with: .adapterCache) { directory.add(actor: Self.cache(on: node.name)) }
        for group in configuration.groups {
            for actor in Self.ranks(of: group) { directory.add(actor: actor) }
        }
        self.directory = directory
    }

    static func router(_ node: NodeName) -> ActorIdentity { ActorIdentity(node: node, role: .router, name: .only) }

    static func cache(on node: NodeName) -> ActorIdentity { ActorIdentity(node: node, role: .adapterCache, name: .only) }

    static func queue(_ model: ModelName, on node: NodeName) -> ActorIdentity {
        ActorIdentity(node: node, role: .tenantQueue, name: ActorName(model.text))
    }

    /// The workers of a group, by rank.
    static func ranks(of group: ClusterConfiguration.Group) -> [ActorIdentity] {
        group.ranks.enumerated().map { rank, node in
            ActorIdentity(node: node, role: .gpuWorker, name: ActorName("\(group.name).\(rank)"))
        }
    }

    /// The tenant-queue of each model.
    var queues: [ModelName: ActorIdentity] {
        guard let node = configuration.nodes(with: .tenantQueue).first else { return [:] }
        return Dictionary(uniqueKeysWithValues: configuration.models.map { ($0.name, Self.queue($0.name, on: node.name)) })
    }

    /// Rank 0 of the groups of a model, or of all groups.
    func workers(of model: ModelName? = nil) -> [GroupName: ActorIdentity] {
        var workers: [GroupName: ActorIdentity] = [:]
        for group in configuration.groups where model == nil || group.model == model {
            workers[group.name] = Self.ranks(of: group).first
        }
        return workers
    }

    /// The adapter-cache that a node asks: its own host's, else any.
    func cache(for node: ClusterConfiguration.Node) -> ActorIdentity? {
        (configuration.adapterCacheNode(host: node.host) ?? configuration.nodes(with: .adapterCache).first)
            .map { Self.cache(on: $0.name) }
    }
}
