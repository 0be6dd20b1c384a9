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
    private let framesMax: Int
    private var monitor: SocketMonitor?
    private var outbox = Outbox()
    private var connection: Int32?
    private var isOpen = false
    private var onEvent: ((Event) -> Void)?

    private static let messagesPerTurnMax = 256
    private static let retryNanoseconds: UInt64 = 2_000_000

    /// Connects. On the I/O thread; `opened` may come before this returns where there is nothing to wait for (inproc).
    init(
        io: IOThread, endpoint: Endpoint, limits: LinkLimits, framesMax: Int, onEvent: @escaping (Event) -> Void
    ) throws(TransportError) {
        let context = io.context
        let socket = try ZeroMQSocket(context: context, type: ZMQ_DEALER)
        try socket.configure(limits, endpoint: endpoint)
        self.framesMax = framesMax
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

    /// Sends, or keeps until libzmq takes it; the bytes are reserved already.
    func send(_ frames: [[UInt8]]) throws(TransportError) {
        guard isOpen else { throw .unreachable }
        guard outbox.isEmpty else { return outbox.append(frames) }
        isMarked = true
        switch sendFrames(frames, on: socket, budget: budget) {
        case .done: return
        case .wouldBlock:
            outbox.append(frames)
            dueNanoseconds = MonotonicClock.nanoseconds() &+ Self.retryNanoseconds
        case .unreachable: throw .unreachable
        case .failed(let error): throw error
        }
    }

    func service(nowNanoseconds: UInt64) {
        drain()
        loop: while let frames = outbox.next {
            isMarked = true
            switch sendFrames(frames, on: socket, budget: budget) {
            case .done: outbox.removeNext()
            case .wouldBlock:
                isMarked = false
                break loop
            case .unreachable, .failed: budget.release(outbox.removeAll())
            }
        }
        dueNanoseconds = outbox.isEmpty ? .max : nowNanoseconds &+ Self.retryNanoseconds
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

    private func drain() {
        var left = Self.messagesPerTurnMax
        while left > 0, receiveOne() { left -= 1 }
        if left == 0 { isMarked = true }
    }

    private func receiveOne() -> Bool {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        var frames: [[UInt8]] = []
        var frameCount = 0
        repeat {
            guard case .done = socket.receive(&message) else { return frameCount > 0 }
            frameCount += 1
            if frameCount <= framesMax { frames.append(frameBytes(&message)) }
        } while zmq_msg_more(&message) != 0
        // A message of a connection whose beginning is still unread: read that first.
        if !isOpen { monitor?.drain() }
        guard isOpen else { return true }
        onEvent?(frameCount <= framesMax ? .message(frames) : .malformed(frameCount: frameCount))
        return true
    }

    private func connectionChanged(_ event: SocketMonitor.Event) {
        switch event {
        case .accepted: break
        case .ready(let descriptor):
            shut()
            connection = descriptor
            open()
        case .disconnected(let descriptor):
            guard descriptor == connection else { return }
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
        connection = nil
        guard isOpen else { return }
        isOpen = false
        budget.release(outbox.removeAll())
        onEvent?(.closed)
    }
}
