/// A link whose wire is a call into another link's I/O thread; budgets and order are those of a real one.
public final class InMemoryLink: Link, @unchecked Sendable {
    // Safety: `connections`, `deliver` and `isClosed` belong to the I/O thread; `io` is behind a lock because peers on other
    // threads ask for it.
    private struct Wire {
        let peer: InMemoryLink
        let peerConnection: ConnectionID
        let dial: DialID?
        let endpoint: String
        /// Bytes that the peer's thread has not taken yet.
        let bytesQueued: Locked<Int>
    }

    private let network: InMemoryNetwork
    private let endpoint: String?
    private let limits: LinkLimits
    private let io = Locked<IOThread?>(nil)
    private var connections: [ConnectionID: Wire] = [:]
    private var deliver: ((LinkEvent) -> Void)?

    init(network: InMemoryNetwork, endpoint: String?, limits: LinkLimits) {
        self.network = network
        self.endpoint = endpoint
        self.limits = limits
    }

    public func open(on io: IOThread, deliver: @escaping (LinkEvent) -> Void) throws(TransportError) {
        self.io.withLock { $0 = io }
        self.deliver = deliver
        if let endpoint { try network.listen(self, endpoint: endpoint) }
    }

    public var endpointBound: String? { endpoint }

    public func dial(_ endpoint: String) throws(TransportError) -> DialID { network.dial(self, endpoint: endpoint) }

    public func send(_ message: LinkMessage, on connection: ConnectionID, isUrgent: Bool) throws(TransportError) {
        guard let wire = connections[connection] else { throw .unreachable }
        let largest = max(message.envelope.count, message.payload.count)
        guard largest <= limits.frameBytesMax else {
            throw .messageTooLarge(byteCount: largest, byteCountMax: limits.frameBytesMax)
        }
        let bytesMax = limits.bytesQueuedMax + (isUrgent ? limits.urgentBytesMax : 0)
        let byteCount = message.byteCount
        try wire.bytesQueued.withLock { queued throws(TransportError) in
            guard queued + byteCount <= bytesMax else {
                throw TransportError.backPressure(bytesQueued: queued, bytesMax: bytesMax)
            }
            queued += byteCount
        }
        let budget = wire.bytesQueued
        let peerConnection = wire.peerConnection
        wire.peer.onThread { peer in
            budget.withLock { $0 -= byteCount }
            guard peer.connections[peerConnection] != nil else { return }
            peer.deliver?(.received(peerConnection, message))
        }
    }

    public func close() {
        network.leave(self)
        deliver = nil
        for (_, wire) in connections { wire.peer.onThread { $0.closed(wire.peerConnection) } }
        connections = [:]
    }

    /// Runs on this link's thread; nothing happens before `open` or after the thread's end.
    func onThread(_ body: @escaping @Sendable (InMemoryLink) -> Void) {
        io.withLock { $0 }?.post { body(self) }
    }

    func opened(
        _ connection: ConnectionID, peer: InMemoryLink, peerConnection: ConnectionID, dial: DialID?, endpoint: String
    ) {
        guard let deliver else { return }
        connections[connection] = Wire(
            peer: peer, peerConnection: peerConnection, dial: dial, endpoint: endpoint, bytesQueued: Locked(0))
        deliver(.opened(connection, dial: dial))
    }

    func cutConnections(endpoint: String) {
        for (connection, wire) in connections where wire.endpoint == endpoint {
            wire.peer.onThread { $0.closed(wire.peerConnection) }
            closed(connection)
        }
    }

    private func closed(_ connection: ConnectionID) {
        guard let wire = connections.removeValue(forKey: connection) else { return }
        deliver?(.closed(connection))
        if let dial = wire.dial, deliver != nil { network.connect(self, dial: dial, endpoint: wire.endpoint) }
    }
}
