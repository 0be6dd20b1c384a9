import CZeroMQ

/// A DEALER on the I/O thread that connects to one endpoint and connects again for as long as it exists.
final class DialerSocket: IOSource {
    /// What the owner hears, in order, on the I/O thread.
    enum Event {
        case opened
        case message([[UInt8]])
        case closed
        case malformed(frameCount: Int)
    }

    let descriptor: Int32
    private(set) var dueNanoseconds: UInt64 = .max
    var isMarked = true
    private(set) var budget = ByteBudget()

    private let socket: ZeroMQSocket
    private let framing = Framing.pairs
    private var monitor: SocketMonitor?
    private var outbox = Outbox()
    private var isOpen = false
    private var onEvent: ((Event) -> Void)?

    private static let messagesPerTurnMax = 256
    private static let retryNanoseconds: UInt64 = 2_000_000

    /// Connects. On the I/O thread; `opened` may come before this returns where there is nothing to wait for (inproc).
    init(
        io: IOThread, endpoint: Endpoint, limits: LinkLimits, onEvent: @escaping (Event) -> Void
    ) throws(TransportError) {
        let context = try io.context()
        let socket = try ZeroMQSocket(context: context, type: ZMQ_DEALER)
        try socket.configure(limits, endpoint: endpoint)
        self.onEvent = onEvent
        var events: ((SocketMonitor.Event) -> Void)?
        if !endpoint.isInproc { monitor = try SocketMonitor(of: socket, context: context) { events?($0) } }
        try socket.connect(endpoint)
        descriptor = try socket.descriptor()
        self.socket = socket
        events = { [unowned self] in connectionChanged($0) }
        io.add(self)
        if let monitor { io.add(monitor) }
        // An inproc connection has no handshake and tells nothing.
        if endpoint.isInproc { io.later { [weak self] in self?.open() } }
    }

    /// Queues; leaves at the end of the thread's turn with whatever else waits. The bytes are reserved already.
    func send(_ frames: [[UInt8]]) throws(TransportError) {
        guard isOpen else { throw .unreachable }
        outbox.append(frames)
        isMarked = true
    }

    /// Ends with a receive that finds nothing: a send may have swallowed the descriptor's edge, and after that none is lost.
    func service(nowNanoseconds: UInt64) {
        var isWhole = true
        repeat {
            isMarked = false
            flush(now: nowNanoseconds)
            isWhole = drain()
        } while isWhole && isMarked
        if !isWhole { isMarked = true }
    }

    private func flush(now: UInt64) {
        guard !outbox.isEmpty else { return }
        switch outbox.flush(on: socket, framing: framing, budget: budget, begin: { _ in .done }) {
        case .done: dueNanoseconds = .max
        case .wouldBlock: dueNanoseconds = now &+ Self.retryNanoseconds
        case .unreachable, .failed:
            dueNanoseconds = .max
            budget.release(outbox.removeAll())
        }
    }

    func close() {
        onEvent = nil
        if monitor != nil { socket.stopMonitor() }
        monitor = nil
    }

    func close(leaving io: IOThread) {
        if let monitor { io.remove(monitor) }
        io.remove(self)
        close()
    }

    /// Reads what is there; false when there may be more.
    @discardableResult
    private func drain() -> Bool {
        var left = Self.messagesPerTurnMax
        while left > 0, receiveOne() { left -= 1 }
        return left > 0
    }

    private func receiveOne() -> Bool {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard case .done = socket.receive(&message) else { return false }
        // A message of a connection whose beginning is still unread: read that first.
        if !isOpen { monitor?.drain() }
        let fault = framing.read(&message, from: socket) { frames in if isOpen { onEvent?(.message(frames)) } }
        if let fault { onEvent?(.malformed(frameCount: fault)) }
        return true
    }

    private func connectionChanged(_ event: SocketMonitor.Event) {
        switch event {
        case .accepted: break
        case .ready:
            shut()
            open()
        // A dialer has one connection at a time, and its events come in order.
        case .disconnected:
            guard isOpen else { return }
            // Whatever the peer said before it left has arrived already.
            drain()
            shut()
        }
    }

    private func open() {
        budget = ByteBudget()
        isOpen = true
        onEvent?(.opened)
    }

    private func shut() {
        guard isOpen else { return }
        isOpen = false
        budget.release(outbox.removeAll())
        onEvent?(.closed)
    }
}
