import HeddleCore
import HeddleTransport
import HeddleWire

/// What a node's log should know about its connections.
public enum MeshEvent: Hashable, Sendable {
    case nodeUp(NodeName, Incarnation)
    case nodeLost(NodeName, Incarnation)
    /// A handshake failed: refused by us, or by the peer.
    case handshakeRefused(MeshRefusal, node: NodeName?, byPeer: Bool)
    /// Told at the first, second, fourth, eighth … of them.
    case messagesUnreadable(count: UInt64, reason: String)
    case dialFailed(NodeName, TransportError)
    /// Threads that did not end with the system: an actor on them is stuck.
    case threadsLeftBehind(names: [String])
}

/// What a watch on a node or an actor tells.
public enum WatchEvent: Hashable, Sendable {
    /// The node is connected, in this incarnation.
    case up(Incarnation)
    /// The node, or the actor, of this incarnation is gone; for an actor the node may still be there.
    case lost(Incarnation)
}
