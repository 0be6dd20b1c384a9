import HeddleCore

/// Who is where: every node with its endpoint and every actor that has a name, given at the start and the same everywhere.
public struct Directory: Hashable, Sendable {
    /// Nodes with the endpoint they listen on; a node without one only connects to others.
    public private(set) var endpoints: [NodeName: String?]
    /// Identities without incarnation, in the order in which they were given.
    public private(set) var actors: [ActorIdentity]

    public init(nodes: [NodeName: String?] = [:], actors: [ActorIdentity] = []) {
        endpoints = nodes
        self.actors = actors.map(\.anyIncarnation)
    }

    /// Adds a node, or replaces its endpoint.
    public mutating func add(node: NodeName, endpoint: String?) { endpoints[node] = .some(endpoint) }

    /// Adds an actor, whose node must be there too before anyone can call it.
    public mutating func add(actor: ActorIdentity) { actors.append(actor.anyIncarnation) }

    public func contains(_ node: NodeName) -> Bool { endpoints[node] != nil }

    public func endpoint(of node: NodeName) -> String? { endpoints[node] ?? nil }

    /// Every actor of the role, in the order in which they were given.
    public func identities(of role: RoleName) -> [ActorIdentity] { actors.filter { $0.role == role } }

    /// Whether `node` connects to `peer` (and not the other way round), so that a pair has one connection: the node that
    /// does not listen does; where both listen, the one whose name sorts first.
    func connects(_ node: NodeName, to peer: NodeName) -> Bool {
        guard node != peer, endpoint(of: peer) != nil else { return false }
        return endpoint(of: node) == nil || node < peer
    }
}
