import HeddleActors
import HeddleCore
import HeddleTransport

extension MeshActorSystem {
    /// What happens to a node; this node itself is up for as long as it lives.
    func events(of node: NodeName) -> AsyncStream<WatchEvent> {
        guard node == self.node else { return watch(node: node) }
        let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
        continuation.yield(.up(incarnation))
        return stream
    }
}

extension WatchEvent {
    /// Whether the process of this incarnation is gone: lost, or another one is there. A watch that begins after a loss
    /// hears only of the other.
    func isEnd(of incarnation: Incarnation) -> Bool {
        switch self {
        case .lost(let lost): lost == incarnation
        case .up(let present): present != incarnation
        }
    }
}

/// Tells a node that comes back from one that is new: after a pause or a broken connection it is the same process, and both
/// ends have meanwhile given up what depended on the other.
struct Absence {
    private var lost: Incarnation?

    /// Takes in what happened; true where the same process is there again.
    mutating func isReturn(_ event: WatchEvent) -> Bool {
        switch event {
        case .lost(let incarnation):
            lost = incarnation
            return false
        case .up(let incarnation):
            defer { lost = nil }
            return lost == incarnation
        }
    }
}

/// Remembers which other nodes are connected, and since when, for inspection.
final class PeerBook: Sendable {
    private let peers = Locked<[NodeName: (state: String, reason: String, since: Instant)]>([:])

    /// The state of a node that can be called.
    static let connected = "connected"

    func note(_ event: MeshEvent) {
        switch event {
        case .nodeUp(let node, let incarnation): set(node, Self.connected, "incarnation \(incarnation)")
        case .nodeLost(let node, _): set(node, "lost", "the connection ended")
        case .handshakeRefused(let refusal, let node?, _): set(node, "refused", "\(refusal)")
        case .dialFailed(let node, let error): set(node, "unreachable", "\(error)")
        case .handshakeRefused, .messagesUnreadable, .threadsLeftBehind: break
        }
    }

    private func set(_ node: NodeName, _ state: String, _ reason: String) {
        let moment = now()
        peers.withLock { $0[node] = (state, reason, moment) }
    }

    var report: [NodeReport.PeerReport] {
        let moment = now()
        return peers.withLock { peers in
            peers.sorted { $0.key < $1.key }.map { node, peer in
                NodeReport.PeerReport(
                    node: node,
                    state: StateReport(peer.state, reason: peer.reason, since: moment.duration(since: peer.since)))
            }
        }
    }
}

extension RoleLog {
    /// Writes what happened to the node's connections.
    func note(_ event: MeshEvent) {
        switch event {
        case .nodeUp(let node, let incarnation):
            info(.peerConnected, about: node.text, "node \(node) is connected, incarnation \(incarnation)")
        case .nodeLost(let node, let incarnation):
            warn(.peerLost, about: node.text, "node \(node) is lost, incarnation \(incarnation)")
        case .handshakeRefused(let refusal, let node, let byPeer):
            error(
                .peerRefused, about: node?.text ?? "",
                "the handshake with \(node?.text ?? "a stranger") was refused\(byPeer ? " by it" : ""): \(refusal)")
        case .messagesUnreadable(let count, let reason):
            warn("\(count) unreadable messages so far, the last: \(reason)")
        case .dialFailed(let node, let why):
            warn(.peerUnreachable, about: node.text, "node \(node) cannot be reached: \(why)")
        case .threadsLeftBehind(let names): warn("threads did not end: \(names.joined(separator: ", "))")
        }
    }
}
