import HeddleCore
import HeddleTransport
import HeddleWire
import Synchronization

/// The router's side of its clients, those at the client socket and those in this process: hands messages on in the order in
/// which they came, and sends answers from any thread.
final class ClientPort: Sendable {
    /// What clients do. A routing id names one connection, or one client in this process.
    enum Event: Sendable {
        case message(ClientSessions.RoutingID, [[UInt8]])
        /// A client in this process says this.
        case said(ClientSessions.RoutingID, ClientMessage)
        case lost(ClientSessions.RoutingID)
    }

    /// What is heard; read by one router.
    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    let limits: ClientLimits
    private let socket = Locked<ServerSocket?>(nil)
    private let waitingBytes = Atomic<Int>(0)
    private let peers = Locked<[ClientSessions.RoutingID: PeerID]>([:])
    private let locals = Locked<[ClientSessions.RoutingID: LocalClient]>([:])

    /// How many messages wait for the router at most; whoever sends more is told to come again.
    static let depthMax = 8192

    /// Bytes of the messages that wait at most.
    static let byteCountMax = 256 << 20

    /// A message with more frames than it should have is still read, to be refused with a reason; beyond these it is dropped.
    private static let framesMax = 8

    init(limits: ClientLimits) {
        self.limits = limits
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.depthMax))
    }

    /// Listens; messages come as events from now on.
    func open(_ endpoint: String, on io: IOThread, isInsecure: Bool) throws(TransportError) {
        let server = try io.serve(
            endpoint: endpoint,
            limits: ServerLimits(
                frameBytesMax: limits.payloadByteCountMax, framesMax: Self.framesMax, peersMax: limits.clientCountMax),
            allowsPlainTCP: isInsecure,
            onMessage: { [weak self] peer, frames in self?.heard(frames, from: peer) },
            onGone: { [weak self] peer in self?.left(peer) })
        socket.withLock { $0 = server }
    }

    /// Queues a message for one connection; false when it is gone or does not read what it is sent.
    @discardableResult
    func send(to routingID: ClientSessions.RoutingID, _ reply: ClientReply) -> Bool {
        if let local = locals.withLock({ $0[routingID] }) {
            local.hear(.reply(reply))
            return true
        }
        guard let server = socket.withLock({ $0 }), let peer = peers.withLock({ $0[routingID] }) else { return false }
        do {
            try server.send(reply.frames(limits: limits), to: peer)
            return true
        } catch {
            return false
        }
    }

    /// Tells a client in this process that its request is another's now; the socket's protocol has no word for it.
    func detach(_ routingID: ClientSessions.RoutingID, _ request: RequestID) {
        locals.withLock { $0[routingID] }?.hear(.detached(request))
    }

    /// Waits until what is queued was sent, but no longer than this.
    func drain(within patience: Duration) async {
        guard let server = socket.withLock({ $0 }) else { return }
        let end = now().advanced(by: patience)
        while now() < end,
            peers.withLock({ Array($0.values) }).contains(where: { (server.bytesQueued(for: $0) ?? 0) > 0 })
        {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    func close() {
        continuation.finish()
        socket.withLock { $0 }?.close()
        socket.withLock { $0 = nil }
        for local in locals.withLock({ Array($0.values) }) { local.leave() }
    }

    /// The router has read this message.
    func took(_ frames: [[UInt8]]) {
        waitingBytes.subtract(frames.reduce(0) { $0 + $1.count }, ordering: .relaxed)
    }

    private func heard(_ frames: [[UInt8]], from peer: PeerID) {
        peers.withLock { $0[peer.bytes] = peer }
        let byteCount = frames.reduce(0) { $0 + $1.count }
        if waitingBytes.add(byteCount, ordering: .relaxed).newValue <= Self.byteCountMax,
            case .enqueued = continuation.yield(.message(peer.bytes, frames))
        {
            return
        }
        waitingBytes.subtract(byteCount, ordering: .relaxed)
        send(to: peer.bytes, ClientReply(id: nil, error: .busy(retryAfter: limits.heartbeatInterval)))
    }

    // MARK: Clients in this process

    /// A client of this process's own; the router knows it from its first message on.
    func connect() -> LocalClient {
        let client = LocalClient(port: self)
        locals.withLock { $0[client.routingID] = client }
        return client
    }

    /// False where too much waits for the router.
    func said(_ message: ClientMessage, by client: LocalClient) -> Bool {
        if case .enqueued = continuation.yield(.said(client.routingID, message)) { true } else { false }
    }

    func left(_ client: LocalClient) {
        locals.withLock { $0[client.routingID] = nil }
        // If there is no room for it, the router finds out when it has something to send.
        continuation.yield(.lost(client.routingID))
    }

    private func left(_ peer: PeerID) {
        peers.withLock { $0[peer.bytes] = nil }
        // If there is no room for it, the router finds out by the client's silence.
        continuation.yield(.lost(peer.bytes))
    }
}
