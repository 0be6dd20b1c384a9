import CZeroMQ
import Glibc

/// Owns the libzmq context of a client's sockets; when it goes, messages that still wait get `DealerSocket.lingerMilliseconds`.
public final class DealerContext: @unchecked Sendable {
    // Safety: libzmq's contexts may be used from every thread; the pointer never changes.
    fileprivate let pointer: UnsafeMutableRawPointer

    public init() throws(TransportError) {
        guard let pointer = zmq_ctx_new() else { throw DealerSocket.systemError("zmq_ctx_new") }
        self.pointer = pointer
    }

    deinit { zmq_ctx_term(pointer) }
}

/// A client's socket on an I/O thread: messages of a few frames to one endpoint and back, connecting again by itself.
///
/// Everything but `init` is called on the thread, and messages are delivered there. The socket has no name of its own:
/// the other side knows each connection by a fresh number, so that a connection that hangs never stands in its way.
public final class DealerSocket: IOSource {
    private let io: IOThread
    private let endpoint: String
    /// Kept until the socket is closed: a context must not end before its sockets.
    private let context: DealerContext
    private var socket: UnsafeMutableRawPointer?
    private var outbound: [[[UInt8]]] = []
    private var outboundByteCount = 0
    private let deliver: ([[UInt8]]) -> Void

    package let descriptor: Int32
    package var dueNanoseconds: UInt64 { .max }
    package var isMarked = true

    /// Bytes that may wait for the other side before `send` is refused.
    public static let outboundByteCountMax = 64 << 20
    /// Bytes of one frame; libzmq drops a connection that sends a longer one.
    public static let frameByteCountMax = 8 << 20
    /// Frames of one message that are kept; a message with more is delivered with one too many.
    public static let frameCountMax = 8
    /// Messages inside libzmq, each way.
    public static let messageCountMax: Int32 = 1000
    /// How long what was sent may still go out after `close`.
    public static let lingerMilliseconds: Int32 = 250
    /// Messages that are read before other sockets of the thread get their turn.
    static let messagesPerTurnMax = 256

    /// Opens the socket and begins to connect; whether anybody is there shows only in what comes back.
    public init(
        io: IOThread, context: DealerContext, endpoint: String, deliver: @escaping ([[UInt8]]) -> Void
    ) throws(TransportError) {
        precondition(io.isCurrent, "a dealer socket belongs to the I/O thread")
        guard let socket = zmq_socket(context.pointer, ZMQ_DEALER) else { throw Self.systemError("zmq_socket") }
        do throws(TransportError) {
            try Self.set(socket, ZMQ_LINGER, "ZMQ_LINGER", Self.lingerMilliseconds)
            try Self.set(socket, ZMQ_SNDHWM, "ZMQ_SNDHWM", Self.messageCountMax)
            try Self.set(socket, ZMQ_RCVHWM, "ZMQ_RCVHWM", Self.messageCountMax)
            try Self.set(socket, ZMQ_HANDSHAKE_IVL, "ZMQ_HANDSHAKE_IVL", 1000)
            try Self.set(socket, ZMQ_HEARTBEAT_IVL, "ZMQ_HEARTBEAT_IVL", 1000)
            try Self.set(socket, ZMQ_HEARTBEAT_TIMEOUT, "ZMQ_HEARTBEAT_TIMEOUT", 3000)
            try Self.set(socket, ZMQ_RECONNECT_IVL, "ZMQ_RECONNECT_IVL", 50)
            try Self.set(socket, ZMQ_RECONNECT_IVL_MAX, "ZMQ_RECONNECT_IVL_MAX", 1000)
            var frameByteCountMax = Int64(Self.frameByteCountMax)
            guard zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frameByteCountMax, MemoryLayout<Int64>.size) == 0 else {
                throw Self.systemError("zmq_setsockopt(ZMQ_MAXMSGSIZE)")
            }
            guard zmq_connect(socket, endpoint) == 0 else {
                let code = zmq_errno()
                throw code == EINVAL || code == EPROTONOSUPPORT || code == ENODEV
                    ? .endpointInvalid(endpoint: endpoint, reason: String(cString: zmq_strerror(code)))
                    : Self.systemError("zmq_connect")
            }
            var descriptor: Int32 = -1
            var size = MemoryLayout<Int32>.size
            guard zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size) == 0 else {
                throw Self.systemError("zmq_getsockopt(ZMQ_FD)")
            }
            self.descriptor = descriptor
        } catch {
            zmq_close(socket)
            throw error
        }
        self.socket = socket
        self.io = io
        self.context = context
        self.endpoint = endpoint
        self.deliver = deliver
        io.add(self)
    }

    /// Queues one message. It goes out when somebody is connected.
    public func send(_ frames: [[UInt8]]) throws(TransportError) {
        guard socket != nil else { throw .closed }
        let byteCount = frames.reduce(0) { $0 + $1.count }
        guard outboundByteCount + byteCount <= Self.outboundByteCountMax else {
            throw .backPressure(bytesQueued: outboundByteCount, bytesMax: Self.outboundByteCountMax)
        }
        outbound.append(frames)
        outboundByteCount += byteCount
        sendWaiting()
        // Sending may swallow the edge by which the descriptor would tell of something to read.
        isMarked = true
    }

    /// Closes the socket; nothing is delivered after it.
    package func close() {
        guard let socket else { return }
        self.socket = nil
        outbound = []
        zmq_close(socket)
    }

    /// Closes the socket and leaves the thread.
    public func leave() {
        io.remove(self)
        close()
    }

    package func service(nowNanoseconds: UInt64) {
        var count = 0
        while socket != nil {
            sendWaiting()
            guard let frames = receive() else { break }
            deliver(frames)
            count += 1
            if count == Self.messagesPerTurnMax {
                isMarked = true
                return
            }
        }
        guard let socket else { return }
        // The descriptor tells of changes only: ask once more, so that none is missed before the thread sleeps.
        var events: Int32 = 0
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 else { return }
        if events & ZMQ_POLLIN != 0 || (events & ZMQ_POLLOUT != 0 && !outbound.isEmpty) { isMarked = true }
    }

    private func sendWaiting() {
        var sentCount = 0
        defer { if sentCount > 0 { outbound.removeFirst(sentCount) } }
        while let socket, sentCount < outbound.count {
            let frames = outbound[sentCount]
            for (index, frame) in frames.enumerated() {
                let flags = ZMQ_DONTWAIT | (index < frames.count - 1 ? ZMQ_SNDMORE : 0)
                // Only the first frame can be refused: libzmq takes or leaves a message whole.
                guard frame.withUnsafeBytes({ zmq_send(socket, $0.baseAddress, $0.count, flags) }) >= 0 else { return }
            }
            outboundByteCount -= frames.reduce(0) { $0 + $1.count }
            sentCount += 1
        }
    }

    private func receive() -> [[UInt8]]? {
        var frames: [[UInt8]] = []
        var message = zmq_msg_t()
        while let socket {
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            guard zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
            if frames.count <= Self.frameCountMax {
                // Safety: libzmq holds `size` bytes at `data` until the message is closed.
                frames.append(
                    Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))))
            }
            if zmq_msg_more(&message) == 0 { return frames }
        }
        return nil
    }

    fileprivate static func systemError(_ call: String) -> TransportError {
        let code = zmq_errno()
        return .systemError(call: call, code: code, text: String(cString: zmq_strerror(code)))
    }

    private static func set(
        _ socket: UnsafeMutableRawPointer, _ option: Int32, _ name: String, _ wanted: Int32
    ) throws(TransportError) {
        var value = wanted
        var size = MemoryLayout<Int32>.size
        guard zmq_setsockopt(socket, option, &value, size) == 0, zmq_getsockopt(socket, option, &value, &size) == 0
        else {
            throw systemError("zmq_setsockopt(\(name))")
        }
        guard value == wanted else { throw .optionNotTaken(name: name, wanted: Int(wanted), actual: Int(value)) }
    }
}
