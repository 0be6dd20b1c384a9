import Synchronization

/// The link between processes: one ROUTER that listens, one DEALER for each node that this one connects to.
public final class ZeroMQLink: Link {
    private enum Wire {
        case accepted(PeerID, ByteBudget)
        case dialed(DialID, DialerSocket)
    }

    private let endpoint: Endpoint?
    private let limits: LinkLimits
    private let allowsPlainTCP: Bool
    private var io: IOThread?
    private var deliver: ((LinkEvent) -> Void)?
    private var router: RouterSocket?
    private var dialers: [DialID: DialerSocket] = [:]
    private var wires: [ConnectionID: Wire] = [:]
    private var connectionOfPeer: [PeerID: ConnectionID] = [:]
    private var connectionOfDial: [DialID: ConnectionID] = [:]

    private static let numberLast = Atomic<UInt64>(0)
    private static let peersMax = 1024

    /// - Parameters:
    ///   - endpoint: where it listens; nil for a node that only connects.
    ///   - allowsPlainTCP: whether TCP beyond loopback is allowed though nothing protects it.
    public init(listeningOn endpoint: String?, limits: LinkLimits = LinkLimits(), allowsPlainTCP: Bool = false)
        throws(TransportError)
    {
        if let endpoint {
            let checked = try Endpoint(endpoint)
            try checked.check(allowsPlainTCP: allowsPlainTCP)
            self.endpoint = checked
        } else {
            self.endpoint = nil
        }
        self.limits = limits
        self.allowsPlainTCP = allowsPlainTCP
    }

    public func open(on io: IOThread, deliver: @escaping (LinkEvent) -> Void) throws(TransportError) {
        self.io = io
        self.deliver = deliver
        guard let endpoint else { return }
        router = try RouterSocket(
            io: io, endpoint: endpoint, limits: limits, framing: .pairs, peersMax: Self.peersMax,
            makeBudget: { [unowned self] in accepted($0) }, onEvent: { [unowned self] in routerSaid($0) })
    }

    public var endpointBound: String? { router?.endpoint }

    public func dial(_ endpoint: String) throws(TransportError) -> DialID {
        guard let io else { throw .closed }
        let checked = try Endpoint(endpoint)
        try checked.check(allowsPlainTCP: allowsPlainTCP)
        let dial = DialID(number: Self.nextNumber())
        dialers[dial] = try DialerSocket(io: io, endpoint: checked, limits: limits) { [unowned self] in
            dialerSaid($0, dial: dial)
        }
        return dial
    }

    public func send(_ message: LinkMessage, on connection: ConnectionID, isUrgent: Bool) throws(TransportError) {
        guard let wire = wires[connection] else { throw .unreachable }
        let largest = max(message.envelope.count, message.payload.count)
        guard largest <= limits.frameBytesMax else {
            throw .messageTooLarge(byteCount: largest, byteCountMax: limits.frameBytesMax)
        }
        let bytesMax = limits.bytesQueuedMax + (isUrgent ? limits.urgentBytesMax : 0)
        switch wire {
        case .accepted(let peer, let budget):
            try budget.reserve(message.byteCount, bytesMax: bytesMax)
            try router?.send([message.envelope, message.payload], to: peer)
        case .dialed(_, let dialer):
            try dialer.budget.reserve(message.byteCount, bytesMax: bytesMax)
            try dialer.send([message.envelope, message.payload])
        }
    }

    public func close() {
        deliver = nil
        guard let io else { return }
        router?.close(leaving: io)
        for dialer in dialers.values { dialer.close(leaving: io) }
        router = nil
        dialers = [:]
        wires = [:]
    }

    private func accepted(_ peer: PeerID) -> ByteBudget {
        let connection = ConnectionID(number: Self.nextNumber())
        let budget = ByteBudget()
        connectionOfPeer[peer] = connection
        wires[connection] = .accepted(peer, budget)
        deliver?(.opened(connection, dial: nil))
        return budget
    }

    private func routerSaid(_ event: RouterSocket.Event) {
        switch event {
        case .message(let peer, let frames):
            guard let connection = connectionOfPeer[peer] else { return }
            received(frames, on: connection)
        case .gone(let peer):
            guard let connection = connectionOfPeer.removeValue(forKey: peer) else { return }
            wires.removeValue(forKey: connection)
            deliver?(.closed(connection))
        case .malformed(let frameCount): deliver?(.malformed(frameCount: frameCount))
        }
    }

    private func dialerSaid(_ event: DialerSocket.Event, dial: DialID) {
        switch event {
        case .opened:
            guard let dialer = dialers[dial] else { return }
            let connection = ConnectionID(number: Self.nextNumber())
            connectionOfDial[dial] = connection
            wires[connection] = .dialed(dial, dialer)
            deliver?(.opened(connection, dial: dial))
        case .message(let frames):
            guard let connection = connectionOfDial[dial] else { return }
            received(frames, on: connection)
        case .closed:
            guard let connection = connectionOfDial.removeValue(forKey: dial) else { return }
            wires.removeValue(forKey: connection)
            deliver?(.closed(connection))
        case .malformed(let frameCount): deliver?(.malformed(frameCount: frameCount))
        }
    }

    private func received(_ frames: [[UInt8]], on connection: ConnectionID) {
        guard frames.count == 2 else { return deliver?(.malformed(frameCount: frames.count)) ?? () }
        deliver?(.received(connection, LinkMessage(envelope: frames[0], payload: frames[1])))
    }

    private static func nextNumber() -> UInt64 { numberLast.add(1, ordering: .relaxed).newValue }
}
