import HeddleCore
import HeddleWire

/// What an actor does: the first half of its name within a node.
public struct RoleName: WireName {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// Which of its role's actors on the node an actor is.
public struct ActorName: WireName {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// Names one actor of the mesh: its node, its role, its name there, and, where known, which start of the node it belongs to.
///
/// An identity without an incarnation means whichever start of the node is up; with one, calls to another start fail with
/// `RemoteCallError.staleIncarnation`. It is not Codable: `WireCodable` is the one way onto the wire.
public struct ActorIdentity: Hashable, Sendable {
    public var node: NodeName
    public var role: RoleName
    public var name: ActorName
    public var incarnation: Incarnation?

    public init(node: NodeName, role: RoleName, name: ActorName, incarnation: Incarnation? = nil) {
        self.node = node
        self.role = role
        self.name = name
        self.incarnation = incarnation
    }

    /// The same actor, whichever start of its node is up.
    public var anyIncarnation: ActorIdentity { ActorIdentity(node: node, role: role, name: name) }
}

extension ActorIdentity: CustomStringConvertible {
    /// `node/role/name`, as people write it.
    public var description: String { "\(node)/\(role)/\(name)" }

    /// Reads what `description` writes.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, NodeName.isValid(parts[0]), RoleName.isValid(parts[1]), ActorName.isValid(parts[2])
        else {
            return nil
        }
        self.init(node: NodeName(parts[0]), role: RoleName(parts[1]), name: ActorName(parts[2]))
    }
}

extension ActorIdentity: WireCodable {
    public static var wireByteCountMin: Int { 16 }

    public func encode(into writer: inout WireWriter) {
        node.encode(into: &writer)
        role.encode(into: &writer)
        name.encode(into: &writer)
        incarnation.encode(into: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let node = try NodeName(from: &reader)
        let role = try RoleName(from: &reader)
        let name = try ActorName(from: &reader)
        self.init(node: node, role: role, name: name, incarnation: try Incarnation?(from: &reader))
    }
}
