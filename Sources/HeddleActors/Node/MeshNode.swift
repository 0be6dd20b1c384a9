import HeddleCore
import HeddleTransport
import HeddleWire

/// One node's side of every connection: who is up, which calls are under way in both directions, who watches whom.
///
/// All of it is touched on the node's I/O thread alone, and nothing here waits.
final class MeshNode: IOSource {
    let name: NodeName
    let incarnation: Incarnation
    let directory: Directory
    let contracts: ContractTable
    let limits: MeshLimits
    let link: any Link
    unowned let system: MeshActorSystem
    private let onEvent: @Sendable (MeshEvent) -> Void

    var connections: [ConnectionID: MeshConnection] = [:]
    var dials: [DialID: NodeName] = [:]
    var peers: [NodeName: MeshPeer] = [:]
    var outgoing: [UInt64: OutgoingCall] = [:]
    var incoming: [IncomingCall.Key: IncomingCall] = [:]
    /// Streams of this node's watchers, by what they watch.
    var watches: [WatchTarget: [UInt64: AsyncStream<WatchEvent>.Continuation]] = [:]
    /// Connections whose nodes watch an actor of ours.
    var watchers: [LocalName: Set<ConnectionID>] = [:]
    var isClosing = false
    /// Continuations of a shutdown that waits for the incoming calls to end.
    var onIdle: [() -> Void] = []

    // IOSource: no descriptor, only moments at which calls are due.
    let descriptor: Int32 = -1
    var dueNanoseconds: UInt64 = .max
    var isMarked = false

    init(
        name: NodeName, incarnation: Incarnation, directory: Directory, contracts: ContractTable, limits: MeshLimits,
        link: any Link, system: MeshActorSystem, onEvent: @escaping @Sendable (MeshEvent) -> Void
    ) {
        self.name = name
        self.incarnation = incarnation
        self.directory = directory
        self.contracts = contracts
        self.limits = limits
        self.link = link
        self.system = system
        self.onEvent = onEvent
        for peer in directory.endpoints.keys where peer != name { peers[peer] = MeshPeer() }
    }

    /// Listens, and connects to the nodes that it is this node's turn to connect to.
    func start() throws(TransportError) {
        system.io.add(self)
        try link.open(on: system.io) { [unowned self] in happened($0) }
        for peer in peers.keys.sorted() where directory.connects(name, to: peer) {
            guard let endpoint = directory.endpoint(of: peer) else { continue }
            let dial = try link.dial(endpoint)
            dials[dial] = peer
        }
    }

    func tell(_ event: MeshEvent) { onEvent(event) }

    func count(_ change: (inout MeshCounters) -> Void) { system.counted.withLock { change(&$0) } }

    /// An event of the link.
    func happened(_ event: LinkEvent) {
        switch event {
        case .opened(let id, let dial): opened(id, dial: dial)
        case .received(let id, let message): received(message, on: id)
        case .closed(let id): closed(id)
        case .malformed(let frameCount): unreadable("a message of \(frameCount) frames")
        }
    }

    func unreadable(_ reason: String) {
        var total: UInt64 = 0
        count {
            $0.messagesUnreadable += 1
            total = $0.messagesUnreadable
        }
        if total & (total - 1) == 0 { tell(.messagesUnreadable(count: total, reason: reason)) }
    }

    private func received(_ message: LinkMessage, on id: ConnectionID) {
        count { $0.messagesReceived += 1 }
        let envelope: MeshEnvelope
        do throws(WireError) {
            envelope = try MeshEnvelope(unpacking: message.envelope)
        } catch {
            return unreadable("envelope: \(error)")
        }
        guard let connection = connections[id] else { return count { $0.messagesStale += 1 } }
        switch envelope.kind {
        case .hello: return greeted(envelope, message.payload, on: id)
        case .refused: return refusedByPeer(message.payload, on: id)
        default: break
        }
        guard envelope.version == WireVersion.current else { return unreadable("version \(envelope.version)") }
        guard case .up(let peer, let incarnation) = connection.state else {
            return count { $0.messagesUngreeted += 1 }
        }
        guard envelope.incarnation == incarnation, peers[peer]?.connection == id else {
            return count { $0.messagesStale += 1 }
        }
        switch envelope.kind {
        case .hello, .refused: break
        case .call: called(envelope, message.payload, from: peer, on: id)
        case .reply: answered(envelope.call, on: id, .success(message.payload))
        case .failure: answered(envelope.call, on: id, .failure(contracts.errors.error(of: message.payload)))
        case .cancel: incoming[IncomingCall.Key(connection: id, number: envelope.call)]?.task?.cancel()
        case .watch: watched(LocalName(role: envelope.role, name: envelope.name), by: id)
        case .ended: endedRemotely(envelope, peer: peer, incarnation: incarnation)
        }
    }

    /// Sends what must not be lost to a full budget.
    func sendUrgent(
        _ kind: MeshEnvelope.Kind, on connection: ConnectionID, call: UInt64 = 0, name: LocalName? = nil,
        payload: [UInt8] = []
    ) {
        let envelope = MeshEnvelope(
            kind: kind, incarnation: incarnation, call: call, role: name?.role ?? "", name: name?.name ?? "")
        do throws(TransportError) {
            try link.send(LinkMessage(envelope: envelope.packed(), payload: payload), on: connection, isUrgent: true)
            count { $0.messagesSent += 1 }
        } catch {
            count { $0.repliesDropped += 1 }
        }
    }

    func service(nowNanoseconds: UInt64) { if dueNanoseconds <= nowNanoseconds { expire(now: nowNanoseconds) } }

    func close() {
        link.close()
        for resume in onIdle { resume() }
        onIdle = []
    }
}

/// What one connection has come to.
struct MeshConnection {
    enum State {
        /// Its first message has not come.
        case greeting
        case up(NodeName, Incarnation)
        case refused
    }

    /// The node that was meant when we connected; nil where the peer connected.
    let dialed: NodeName?
    var state: State
}

/// What is known of another node.
struct MeshPeer {
    enum State {
        case neverSeen
        case up(ConnectionID, Incarnation)
        case lost
        case refused(ConnectionID, MeshRefusal)
    }

    var state = State.neverSeen
    /// The incarnation that was up last, and those that it and its predecessors replaced.
    var incarnationLast: Incarnation?
    var incarnationsReplaced: [Incarnation] = []
    /// Numbers of calls that wait for the node's first appearance, in order.
    var parked: [UInt64] = []

    var connection: ConnectionID? {
        guard case .up(let connection, _) = state else { return nil }
        return connection
    }
}

/// An actor within its node.
struct LocalName: Hashable, Sendable {
    let role: String
    let name: String

    init(role: String, name: String) {
        self.role = role
        self.name = name
    }

    init(_ identity: ActorIdentity) { self.init(role: identity.role.text, name: identity.name.text) }
}

/// What a watch is on: a node, or one of its actors.
struct WatchTarget: Hashable, Sendable {
    let node: NodeName
    let actor: LocalName?
}
