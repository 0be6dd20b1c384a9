import CZeroMQ
import Glibc

/// Owns one libzmq socket and closes it at its end. Only one thread uses it.
struct ZeroMQSocket: ~Copyable {
    // Safety: the handle is valid from init to deinit and never leaves this type's methods.
    private let handle: UnsafeMutableRawPointer
    /// Keeps the context alive for as long as the socket.
    private let context: ZeroMQContext

    /// How a send or a receive ended.
    enum Outcome {
        case done
        case wouldBlock
        case unreachable
        case failed(TransportError)
    }

    init(context: ZeroMQContext, type: Int32) throws(TransportError) {
        guard let handle = zmq_socket(context.handle, type) else { throw Self.lastError("zmq_socket") }
        self.handle = handle
        self.context = context
    }

    deinit { zmq_close(handle) }

    /// Sets an option and reads it back: libzmq takes some values without keeping them.
    func set(_ option: Int32, name: String, to value: Int) throws(TransportError) {
        var narrow = Int32(clamping: value)
        guard zmq_setsockopt(handle, option, &narrow, MemoryLayout<Int32>.size) == 0 else {
            throw Self.lastError("zmq_setsockopt(\(name))")
        }
        var actual: Int32 = 0
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(handle, option, &actual, &size) == 0 else {
            throw Self.lastError("zmq_getsockopt(\(name))")
        }
        guard actual == narrow else { throw .optionNotTaken(name: name, wanted: value, actual: Int(actual)) }
    }

    /// As `set`, for options of 64 bits.
    func set(wide option: Int32, name: String, to value: Int) throws(TransportError) {
        var wide = Int64(value)
        guard zmq_setsockopt(handle, option, &wide, MemoryLayout<Int64>.size) == 0 else {
            throw Self.lastError("zmq_setsockopt(\(name))")
        }
        var actual: Int64 = 0
        var size = MemoryLayout<Int64>.size
        guard zmq_getsockopt(handle, option, &actual, &size) == 0 else {
            throw Self.lastError("zmq_getsockopt(\(name))")
        }
        guard actual == wide else { throw .optionNotTaken(name: name, wanted: value, actual: Int(actual)) }
    }

    /// Sets an option that libzmq does not tell again.
    func set(writeOnly option: Int32, name: String, to value: Int) throws(TransportError) {
        var narrow = Int32(clamping: value)
        guard zmq_setsockopt(handle, option, &narrow, MemoryLayout<Int32>.size) == 0 else {
            throw Self.lastError("zmq_setsockopt(\(name))")
        }
    }

    /// What every socket of Heddle has set.
    func configure(_ limits: LinkLimits, endpoint: Endpoint) throws(TransportError) {
        try set(wide: ZMQ_MAXMSGSIZE, name: "MAXMSGSIZE", to: limits.frameBytesMax)
        try set(ZMQ_LINGER, name: "LINGER", to: 0)
        try set(ZMQ_IMMEDIATE, name: "IMMEDIATE", to: 1)
        try set(ZMQ_SNDHWM, name: "SNDHWM", to: limits.messagesInsideMax)
        try set(ZMQ_RCVHWM, name: "RCVHWM", to: limits.messagesInsideMax)
        try set(ZMQ_HANDSHAKE_IVL, name: "HANDSHAKE_IVL", to: milliseconds(limits.handshakeTimeout))
        try set(ZMQ_HEARTBEAT_IVL, name: "HEARTBEAT_IVL", to: milliseconds(limits.heartbeatInterval))
        try set(ZMQ_HEARTBEAT_TIMEOUT, name: "HEARTBEAT_TIMEOUT", to: milliseconds(limits.heartbeatTimeout))
        try set(ZMQ_RECONNECT_IVL, name: "RECONNECT_IVL", to: milliseconds(limits.reconnectPauseMin))
        try set(ZMQ_RECONNECT_IVL_MAX, name: "RECONNECT_IVL_MAX", to: milliseconds(limits.reconnectPauseMax))
        if endpoint.needsIPv6 { try set(ZMQ_IPV6, name: "IPV6", to: 1) }
    }

    private func milliseconds(_ duration: Duration) -> Int {
        Int(clamping: UInt64(nanosecondsOf: duration) / 1_000_000)
    }

    /// The descriptor that becomes readable, once, when something happened.
    func descriptor() throws(TransportError) -> Int32 {
        var descriptor: Int32 = -1
        var size = MemoryLayout<Int32>.size
        guard zmq_getsockopt(handle, ZMQ_FD, &descriptor, &size) == 0 else {
            throw Self.lastError("zmq_getsockopt(FD)")
        }
        return descriptor
    }

    /// Listens; returns the endpoint with the port that was really taken.
    func bind(_ endpoint: Endpoint) throws(TransportError) -> String {
        var text = endpoint.text
        if case .tcp(let host, 0) = endpoint.transport { text = "tcp://\(host):*" }
        if case .ipc(let path) = endpoint.transport {
            try SocketFolder.prepare(forSocketAt: path)
            try SocketFolder.claim(path: path, endpoint: endpoint.text)
        }
        guard zmq_bind(handle, text) == 0 else {
            if zmq_errno() == EADDRINUSE { throw .addressInUse(endpoint: endpoint.text) }
            throw Self.lastError("zmq_bind(\(endpoint))")
        }
        var bytes = [CChar](repeating: 0, count: 1024)
        var size = bytes.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &bytes, &size) == 0 else {
            throw Self.lastError("zmq_getsockopt(LAST_ENDPOINT)")
        }
        return String(decoding: bytes.prefix(max(0, size - 1)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func connect(_ endpoint: Endpoint) throws(TransportError) {
        guard zmq_connect(handle, endpoint.text) == 0 else { throw Self.lastError("zmq_connect(\(endpoint))") }
    }

    /// Tells connections' beginnings and ends on an inproc endpoint.
    func monitor(events: Int32, at name: String) throws(TransportError) {
        guard zmq_socket_monitor(handle, name, events) == 0 else { throw Self.lastError("zmq_socket_monitor") }
    }

    func stopMonitor() { zmq_socket_monitor(handle, nil, 0) }

    /// Sends one frame from memory, which libzmq copies.
    func send(_ bytes: UnsafeRawBufferPointer, more: Bool, wait: Bool = false) -> Outcome {
        let flags = (more ? ZMQ_SNDMORE : 0) | (wait ? 0 : ZMQ_DONTWAIT)
        while zmq_send(handle, bytes.baseAddress, bytes.count, flags) < 0 {
            if zmq_errno() != EINTR { return Self.outcome("zmq_send") }
        }
        return .done
    }

    /// Sends one frame whose bytes count against the budget until libzmq has really written them.
    func send(_ bytes: [UInt8], more: Bool, releasing budget: ByteBudget) -> Outcome {
        guard let copy = malloc(bytes.count) else {
            return .failed(.systemError(call: "malloc", code: ENOMEM, text: "\(bytes.count) bytes"))
        }
        bytes.withUnsafeBytes { if let start = $0.baseAddress { copy.copyMemory(from: start, byteCount: $0.count) } }
        let hold = Unmanaged.passRetained(BudgetHold(budget: budget, byteCount: bytes.count))
        var message = zmq_msg_t()
        let made = zmq_msg_init_data(
            &message, copy, bytes.count,
            { data, hint in
                free(data)
                // Safety: retained when the message was made; libzmq calls this exactly once.
                if let hint { Unmanaged<BudgetHold>.fromOpaque(hint).takeRetainedValue().release() }
            }, hold.toOpaque())
        guard made == 0 else {
            free(copy)
            hold.release()
            return Self.outcome("zmq_msg_init_data")
        }
        while zmq_msg_send(&message, handle, (more ? ZMQ_SNDMORE : 0) | ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() != EINTR else { continue }
            let outcome = Self.outcome("zmq_msg_send")
            // Not sent: the bytes stay queued with us, so their budget must not be given back by the callback.
            hold.takeUnretainedValue().isVoid = true
            zmq_msg_close(&message)
            return outcome
        }
        return .done
    }

    /// Receives one frame into `message`, which must be initialised; nil when nothing is there.
    func receive(_ message: inout zmq_msg_t, wait: Bool = false) -> Outcome {
        while zmq_msg_recv(&message, handle, wait ? 0 : ZMQ_DONTWAIT) < 0 {
            if zmq_errno() != EINTR { return Self.outcome("zmq_msg_recv") }
        }
        return .done
    }

    /// Waits until the socket can receive or send; false after the timeout.
    func wait(toSend: Bool, timeout: Duration) throws(TransportError) -> Bool {
        let until = MonotonicClock.nanoseconds().addingClamped(UInt64(nanosecondsOf: timeout))
        var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(toSend ? ZMQ_POLLOUT : ZMQ_POLLIN), revents: 0)
        while true {
            let now = MonotonicClock.nanoseconds()
            let left = until > now ? Int(clamping: (until - now) / 1_000_000 + 1) : 0
            let ready = zmq_poll(&item, 1, left)
            if ready > 0 { return true }
            if ready < 0, zmq_errno() != EINTR { throw Self.lastError("zmq_poll") }
            if left == 0 { return false }
        }
    }

    private static func outcome(_ call: String) -> Outcome {
        switch zmq_errno() {
        case EAGAIN: .wouldBlock
        case EHOSTUNREACH: .unreachable
        default: .failed(lastError(call))
        }
    }

    static func lastError(_ call: String) -> TransportError {
        let code = zmq_errno()
        return .systemError(call: call, code: code, text: zmq_strerror(code).map { String(cString: $0) } ?? "")
    }
}

/// The bytes of a received frame.
func frameBytes(_ message: inout zmq_msg_t) -> [UInt8] {
    let byteCount = zmq_msg_size(&message)
    guard byteCount > 0, let data = zmq_msg_data(&message) else { return [] }
    return [UInt8](unsafeUninitializedCapacity: byteCount) { storage, initialized in
        if let start = storage.baseAddress {
            UnsafeMutableRawPointer(start).copyMemory(from: data, byteCount: byteCount)
            initialized = byteCount
        }
    }
}
