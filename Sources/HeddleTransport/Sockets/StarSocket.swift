import CZeroMQ
import Glibc

/// A star of blocking sockets: one hub binds, spokes connect, each end of a connection is noticed, and a wait can be
/// interrupted.
///
/// What the ranks of a group on different hosts use: one thread at a time calls it and may wait, only `Interrupt` may
/// be used by others. The hub numbers its peers in the order in which they first speak and never gives a number twice;
/// to a spoke the hub is peer 0 of each connection.
package struct StarSocket: ~Copyable {
    /// What a wait ended with.
    package enum Arrival {
        case message(from: Int, frames: [[UInt8]])
        /// The peer's connection is gone; nothing more comes from it.
        case gone(Int)
        case interrupted
        case timedOut
    }

    /// Ends a wait of the star's thread, now or the next time; from any thread.
    package final class Interrupt: Sendable {
        fileprivate let descriptor: Int32

        fileprivate init() {
            descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
            precondition(descriptor >= 0, "the system refuses an eventfd (error \(errno)): too many open files")
        }

        deinit { close(descriptor) }

        package func raise() {
            var one: UInt64 = 1
            _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
        }

        fileprivate func take() -> Bool {
            var count: UInt64 = 0
            return read(descriptor, &count, MemoryLayout<UInt64>.size) > 0
        }
    }

    /// Frames of a message, without the routing id.
    private static let framesMax = 4
    /// Peers that a hub has talked to; more are not listened to.
    private static let peersMax = 1024
    /// How long unsent messages outlive the socket: a last word should still arrive.
    private static let lingerMilliseconds = 200

    package let interrupt: Interrupt
    /// The endpoint, with the port that was really taken.
    package let endpoint: String
    private let socket: ZeroMQSocket
    private let monitor: SocketMonitor
    private let monitorEvents: MonitorEvents
    private let context: ZeroMQContext
    private let descriptor: Int32
    private let isHub: Bool
    private var path: String?
    private var numbers: [PeerID: Int] = [:]
    private var peers: [PeerID] = []
    /// The hub's peers by the descriptor of their connection.
    private var connections: [Int32: Int] = [:]
    private var pending: [Arrival] = []

    private final class MonitorEvents {
        var closed: [Int32] = []
    }

    /// Binds the hub.
    package init(hubAt endpoint: String, limits: LinkLimits, allowsPlainTCP: Bool) throws(TransportError) {
        try self.init(endpoint, isHub: true, limits: limits, allowsPlainTCP: allowsPlainTCP)
    }

    /// Connects a spoke, in the background and for as long as the socket lives.
    package init(spokeTo endpoint: String, limits: LinkLimits, allowsPlainTCP: Bool) throws(TransportError) {
        try self.init(endpoint, isHub: false, limits: limits, allowsPlainTCP: allowsPlainTCP)
    }

    private init(_ text: String, isHub: Bool, limits: LinkLimits, allowsPlainTCP: Bool) throws(TransportError) {
        let checked = try Endpoint(text)
        try checked.check(allowsPlainTCP: allowsPlainTCP)
        let context = ZeroMQContext()
        let socket = try ZeroMQSocket(context: context, type: isHub ? ZMQ_ROUTER : ZMQ_DEALER)
        try socket.configure(limits, endpoint: checked)
        try socket.set(ZMQ_LINGER, name: "LINGER", to: Self.lingerMilliseconds)
        if isHub { try socket.set(writeOnly: ZMQ_ROUTER_MANDATORY, name: "ROUTER_MANDATORY", to: 1) }
        let events = MonitorEvents()
        let monitor = try SocketMonitor(of: socket, context: context) { event in
            if case .disconnected(let descriptor) = event { events.closed.append(descriptor) }
        }
        let bound: String
        if isHub {
            bound = try socket.bind(checked)
        } else {
            try socket.connect(checked)
            bound = text
        }
        let descriptor = try socket.descriptor()
        if isHub, case .ipc(let path) = checked.transport { self.path = path } else { path = nil }
        endpoint = bound
        monitorEvents = events
        self.monitor = monitor
        self.descriptor = descriptor
        self.context = context
        self.isHub = isHub
        self.socket = socket
        interrupt = Interrupt()
    }

    deinit {
        socket.stopMonitor()
        if let path { unlink(path) }
    }

    /// Waits for the next message, end of a connection or interruption; nil waits without a limit.
    package mutating func receive(timeout: Duration?) throws(TransportError) -> Arrival {
        let until = timeout.map { MonotonicClock.nanoseconds().addingClamped(UInt64(nanosecondsOf: $0)) }
        while true {
            if interrupt.take() { return .interrupted }
            // Messages first: what a peer said before its connection ended counts. Every look also clears the
            // descriptors' edges, which a send may have swallowed, so it is safe to sleep on them after.
            if let arrival = try receiveNow() { return arrival }
            monitor.drain()
            noteClosed()
            if let arrival = try receiveNow() { return arrival }
            if !pending.isEmpty { return pending.removeFirst() }
            var limitMilliseconds: Int32 = -1
            if let until {
                let now = MonotonicClock.nanoseconds()
                guard until > now else { return .timedOut }
                limitMilliseconds = Int32(clamping: (until - now) / 1_000_000 + 1)
            }
            var descriptors = [descriptor, monitor.descriptor, interrupt.descriptor].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            _ = poll(&descriptors, nfds_t(descriptors.count), limitMilliseconds)
        }
    }

    /// Sends one message; throws `timedOut` when the peer takes nothing within this time, `unreachable` when it is
    /// gone.
    ///
    /// - Parameter payload: empty for a message of the header alone.
    package func send(
        _ header: [UInt8], _ payload: RawSpan, to peer: Int, timeout: Duration
    ) throws(TransportError) {
        let hasPayload = payload.byteCount > 0
        let until = MonotonicClock.nanoseconds().addingClamped(UInt64(nanosecondsOf: timeout))
        var pauseMicroseconds: UInt32 = 20
        while true {
            let outcome =
                isHub
                ? peers[peer].withBytes { socket.send($0, more: true) }
                : header.withUnsafeBytes { socket.send($0, more: hasPayload) }
            switch outcome {
            case .done:
                // The rest of a message always fits once its first frame did.
                if isHub { try finish(header.withUnsafeBytes { socket.send($0, more: hasPayload, wait: true) }) }
                if hasPayload { try finish(payload.withUnsafeBytes { socket.send($0, more: false, wait: true) }) }
                return
            case .unreachable: throw .unreachable
            case .failed(let error): throw error
            case .wouldBlock:
                guard MonotonicClock.nanoseconds() < until else { throw .timedOut(after: timeout) }
                // A router tells of no single peer that it takes again, and this is rare: a peer that is far behind.
                usleep(pauseMicroseconds)
                pauseMicroseconds = min(2 * pauseMicroseconds, 2000)
            }
        }
    }

    private func finish(_ outcome: ZeroMQSocket.Outcome) throws(TransportError) {
        switch outcome {
        case .done: return
        case .unreachable, .wouldBlock: throw .unreachable
        case .failed(let error): throw error
        }
    }

    private mutating func noteClosed() {
        for descriptor in monitorEvents.closed {
            if !isHub {
                pending.append(.gone(0))
            } else if let peer = connections.removeValue(forKey: descriptor) {
                pending.append(.gone(peer))
            }
        }
        monitorEvents.closed.removeAll()
    }

    private mutating func receiveNow() throws(TransportError) -> Arrival? {
        while true {
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            switch socket.receive(&message) {
            case .done: break
            case .wouldBlock: return nil
            case .unreachable: throw .unreachable
            case .failed(let error): throw error
            }
            var peer: Int? = 0
            if isHub {
                let id = PeerID(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
                peer = number(of: id, connection: zmq_msg_get(&message, ZMQ_SRCFD))
            }
            var frames = isHub ? [] : [frameBytes(&message)]
            while zmq_msg_more(&message) != 0 {
                if case .failed(let error) = socket.receive(&message, wait: true) { throw error }
                if frames.count <= Self.framesMax { frames.append(frameBytes(&message)) }
            }
            guard let peer, (1...Self.framesMax).contains(frames.count) else { continue }
            return .message(from: peer, frames: frames)
        }
    }

    private mutating func number(of id: PeerID, connection: Int32) -> Int? {
        if let number = numbers[id] { return number }
        guard peers.count < Self.peersMax else { return nil }
        peers.append(id)
        numbers[id] = peers.count - 1
        connections[connection] = peers.count - 1
        return peers.count - 1
    }
}
