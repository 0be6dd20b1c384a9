import CZeroMQ
import Synchronization

/// Reads what libzmq tells of a socket's connections: how their ends are noticed at once.
final class SocketMonitor: IOSource {
    /// What happened to the connection with this descriptor; a finished handshake does not tell whose it was.
    enum Event {
        case accepted(Int32)
        case ready
        case disconnected(Int32)
    }

    private let socket: ZeroMQSocket
    private let onEvent: (Event) -> Void
    let descriptor: Int32
    let dueNanoseconds: UInt64 = .max
    var isMarked = true

    private static let numberLast = Atomic<UInt64>(0)

    init(of watched: borrowing ZeroMQSocket, context: ZeroMQContext, onEvent: @escaping (Event) -> Void)
        throws(TransportError)
    {
        let name = "inproc://heddle-monitor-\(Self.numberLast.add(1, ordering: .relaxed).newValue)"
        try watched.monitor(
            events: ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED, at: name)
        let socket = try ZeroMQSocket(context: context, type: ZMQ_PAIR)
        try socket.set(ZMQ_LINGER, name: "LINGER", to: 0)
        try socket.set(ZMQ_RCVHWM, name: "RCVHWM", to: 0)
        try socket.connect(try Endpoint(name))
        descriptor = try socket.descriptor()
        self.socket = socket
        self.onEvent = onEvent
    }

    func service(nowNanoseconds: UInt64) { drain() }

    /// Handles every event that is there.
    func drain() {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        while case .done = socket.receive(&message) {
            let frame = frameBytes(&message)
            var more = zmq_msg_more(&message) != 0
            while more {
                guard case .done = socket.receive(&message) else { return }
                more = zmq_msg_more(&message) != 0
            }
            guard frame.count == 6 else { continue }
            let number = Int32(frame[0]) | Int32(frame[1]) << 8
            let value = frame[2...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let descriptor = Int32(bitPattern: value)
            switch number {
            case ZMQ_EVENT_ACCEPTED: onEvent(.accepted(descriptor))
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: onEvent(.ready)
            case ZMQ_EVENT_DISCONNECTED: onEvent(.disconnected(descriptor))
            default: break
            }
        }
    }

    func close() {}
}
