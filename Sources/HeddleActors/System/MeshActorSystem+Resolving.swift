import Distributed
import HeddleCore

/// How actors are found.
extension MeshActorSystem {
    /// The runtime asks: a local actor, nil for a reference to a remote one, or why neither is possible.
    public func resolve<Act: DistributedActor>(id: ActorIdentity, as actorType: Act.Type) throws -> Act?
    where Act.ID == ActorIdentity {
        guard id.node == node else {
            guard directory.contains(id.node) else { throw RemoteCallError.unknownNode(id.node) }
            return nil
        }
        if let wanted = id.incarnation, wanted != incarnation {
            throw RemoteCallError.staleIncarnation(wanted: wanted, present: incarnation)
        }
        guard let actor = hosted(LocalName(id))?.actor else { throw RemoteCallError.noActor(id) }
        guard let actor = actor as? Act else { throw RemoteCallError.wrongActorType(id, wanted: "\(Act.self)") }
        return actor
    }

    /// Every actor of the role, as the directory lists them.
    public func identities(of role: RoleName) -> [ActorIdentity] { directory.identities(of: role) }
}

extension DistributedActor where ActorSystem == MeshActorSystem {
    /// The first actor of the role in the directory.
    public static func resolve(role: RoleName, using system: MeshActorSystem) throws -> Self {
        guard let identity = system.identities(of: role).first else { throw RemoteCallError.noActorInRole(role) }
        return try resolve(id: identity, using: system)
    }

    /// Every actor of the role in the directory, in its order.
    public static func resolveAll(role: RoleName, using system: MeshActorSystem) throws -> [Self] {
        try system.identities(of: role).map { try resolve(id: $0, using: system) }
    }
}
