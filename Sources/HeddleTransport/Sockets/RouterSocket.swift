import CZeroMQ
import Glibc

/// A bound ROUTER on the I/O thread: many peers, each with its own budget, each one's end noticed.
///
/// A routing id is given out by libzmq for each connection, so a peer that connects again is another peer. Which peer a lost
/// connection was is known by its descriptor: each peer's first message carries it, and the monitor's events name it.
final class RouterSocket: IOSource {
    /// What the owner hears, in order, on the I/O thread.
    enum Event {
        case message(PeerID, [[UInt8]])
        /// The peer's connection is gone; nothing more comes from it.
        case gone(PeerID)
        /// A message with too many frames, or from one peer too many, was dropped.
        case malformed(frameCount: Int)
    }

    private final class Peer {
        let budget: ByteBudget
        let connection: Int32
        var outbox = Outbox()
        init(budget: ByteBudget, connection: Int32) {
            self.budget = budget
            self.connection = connection
        }
    }

    let endpoint: String
    let descriptor: Int32
    private(set) var dueNanoseconds: UInt64 = .max
    var isMarked = true

    private let socket: ZeroMQSocket
    private let path: String?
    private let framing: Framing
    private let peersMax: Int
    private var monitor: SocketMonitor?
    private var peers: [PeerID: Peer] = [:]
    private var peersByConnection: [Int32: Set<PeerID>] = [:]
    private var connectionsClosed: Set<Int32> = []
    private var departing: [PeerID] = []
    /// Peers whose outboxes hold something.
    private var waiting: [PeerID] = []
    private var onEvent: ((Event) -> Void)?
    /// Makes the budget of a new peer; the owner keeps it where senders on other threads find it.
    private let makeBudget: (PeerID) -> ByteBudget
    /// The owner lets go of the socket here, which closes it.
    var onClose: (() -> Void)?

    /// Messages that are read before others get their turn.
    private static let messagesPerTurnMax = 256
    /// While a peer takes nothing, its outbox is tried again this often: libzmq's one descriptor may not tell.
    private static let retryNanoseconds: UInt64 = 2_000_000

    /// Binds. On the I/O thread.
    init(
        io: IOThread, endpoint: Endpoint, limits: LinkLimits, framing: Framing, peersMax: Int,
        makeBudget: @escaping (PeerID) -> ByteBudget, onEvent: @escaping (Event) -> Void
    ) throws(TransportError) {
        let context = try io.context()
        let socket = try ZeroMQSocket(context: context, type: ZMQ_ROUTER)
        try socket.configure(limits, endpoint: endpoint)
        try socket.set(writeOnly: ZMQ_ROUTER_MANDATORY, name: "ROUTER_MANDATORY", to: 1)
        self.framing = framing
        self.peersMax = peersMax
        self.makeBudget = makeBudget
        self.onEvent = onEvent
        if case .ipc(let path) = endpoint.transport { self.path = path } else { path = nil }
        var events: ((SocketMonitor.Event) -> Void)?
        monitor = try SocketMonitor(of: socket, context: context) { events?($0) }
        self.endpoint = try socket.bind(endpoint)
        descriptor = try socket.descriptor()
        self.socket = socket
        events = { [unowned self] in connectionChanged($0) }
        io.add(self)
        if let monitor { io.add(monitor) }
    }

    /// Queues; leaves at the end of the thread's turn with whatever else waits for the peer. The bytes are reserved already.
    func send(_ frames: [[UInt8]], to id: PeerID) throws(TransportError) {
        guard let peer = peers[id] else { throw .unreachable }
        if peer.outbox.isEmpty { waiting.append(id) }
        peer.outbox.append(frames)
        isMarked = true
    }

    /// Ends with a receive that finds nothing: a send may have swallowed the descriptor's edge, and after that none is lost.
    func service(nowNanoseconds: UInt64) {
        var left = Self.messagesPerTurnMax
        repeat {
            flush(now: nowNanoseconds)
            while left > 0, receiveOne() { left -= 1 }
        } while left > 0 && isMarked && clearMark()
        if left == 0 {
            isMarked = true
        } else if !departing.isEmpty {
            // Whatever a departed peer still said has been read.
            let gone = departing
            departing = []
            for id in gone { forget(id) }
        }
    }

    /// Sends went into outboxes while messages were read: another round.
    private func clearMark() -> Bool {
        isMarked = false
        return true
    }

    func close() {
        onEvent = nil
        if monitor != nil { socket.stopMonitor() }
        monitor = nil
        if let path { unlink(path) }
        onClose?()
        onClose = nil
    }

    /// Leaves the I/O thread and closes. On the I/O thread.
    func close(leaving io: IOThread) {
        if let monitor { io.remove(monitor) }
        io.remove(self)
        close()
    }

    private func receiveOne() -> Bool {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard case .done = socket.receive(&message), zmq_msg_more(&message) != 0 else { return false }
        let id = PeerID(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
        guard case .done = socket.receive(&message) else { return true }
        var isKnown = peers[id] != nil
        if !isKnown, peers.count < peersMax {
            meet(id, connection: zmq_msg_get(&message, ZMQ_SRCFD))
            isKnown = true
        }
        let fault = framing.read(&message, from: socket) { frames in
            onEvent?(isKnown ? .message(id, frames) : .malformed(frameCount: frames.count))
        }
        if let fault { onEvent?(.malformed(frameCount: fault)) }
        return true
    }

    /// A peer speaks for the first time.
    private func meet(_ id: PeerID, connection: Int32) {
        // The descriptor may have belonged to a connection whose end is still unread: those peers depart first.
        monitor?.drain()
        peers[id] = Peer(budget: makeBudget(id), connection: connection)
        guard connection >= 0 else { return }
        peersByConnection[connection, default: []].insert(id)
        if connectionsClosed.contains(connection) {
            departing.append(id)
            isMarked = true
        }
    }

    private func connectionChanged(_ event: SocketMonitor.Event) {
        switch event {
        case .accepted(let connection): connectionsClosed.remove(connection)
        case .ready: break
        case .disconnected(let connection):
            connectionsClosed.insert(connection)
            departing.append(contentsOf: peersByConnection.removeValue(forKey: connection) ?? [])
            isMarked = true
        }
    }

    private func forget(_ id: PeerID) {
        guard let peer = peers.removeValue(forKey: id) else { return }
        peersByConnection[peer.connection]?.remove(id)
        peer.budget.release(peer.outbox.removeAll())
        onEvent?(.gone(id))
    }

    /// Sends what waits; a peer that takes nothing now is tried again soon.
    private func flush(now: UInt64) {
        guard !waiting.isEmpty else { return }
        let tried = waiting
        waiting = []
        for id in tried {
            guard let peer = peers[id] else { continue }
            let outcome = peer.outbox.flush(on: socket, framing: framing, budget: peer.budget) { socket in
                id.withBytes { socket.send($0, more: true) }
            }
            switch outcome {
            case .done: break
            case .wouldBlock: waiting.append(id)
            case .unreachable, .failed:
                peer.budget.release(peer.outbox.removeAll())
                departing.append(id)
            }
        }
        dueNanoseconds = waiting.isEmpty ? .max : now &+ Self.retryNanoseconds
    }
}
