import CZeroMQ
import Glibc

/// One socket for one thread that may wait: what a command-line client and a collective between hosts use.
public struct BlockingSocket: ~Copyable {
    /// Which of ZeroMQ's patterns it follows.
    public enum Kind: Sendable {
        case dealer, pair, push, pull
    }

    private let socket: ZeroMQSocket
    private let context: ZeroMQContext
    private let limits: LinkLimits
    private let allowsPlainTCP: Bool
    private var paths: [String] = []

    /// - Parameter context: shared where `inproc` is used; otherwise each socket has its own.
    public init(
        _ kind: Kind, context: ZeroMQContext = ZeroMQContext(), limits: LinkLimits = LinkLimits(),
        allowsPlainTCP: Bool = false
    ) throws(TransportError) {
        let type: Int32
        switch kind {
        case .dealer: type = ZMQ_DEALER
        case .pair: type = ZMQ_PAIR
        case .push: type = ZMQ_PUSH
        case .pull: type = ZMQ_PULL
        }
        self.context = context
        self.limits = limits
        self.allowsPlainTCP = allowsPlainTCP
        socket = try ZeroMQSocket(context: context, type: type)
    }

    deinit { for path in paths { unlink(path) } }

    /// Listens; returns the endpoint with the port that was really taken.
    @discardableResult
    public mutating func bind(_ endpoint: String) throws(TransportError) -> String {
        let checked = try Endpoint(endpoint)
        try checked.check(allowsPlainTCP: allowsPlainTCP)
        try socket.configure(limits, endpoint: checked)
        let bound = try socket.bind(checked)
        if case .ipc(let path) = checked.transport { paths.append(path) }
        return bound
    }

    /// Connects, in the background and for as long as the socket lives: a send waits until somebody is there.
    public func connect(_ endpoint: String) throws(TransportError) {
        let checked = try Endpoint(endpoint)
        try checked.check(allowsPlainTCP: allowsPlainTCP)
        try socket.configure(limits, endpoint: checked)
        try socket.connect(checked)
    }

    /// Sends one message; throws `timedOut` when no peer takes it within this time, and then nothing was sent.
    public func send(_ frames: [[UInt8]], timeout: Duration) throws(TransportError) {
        precondition(!frames.isEmpty, "a message has at least one frame")
        for (position, frame) in frames.enumerated() {
            let more = position + 1 < frames.count
            try send(timeout: timeout, isFirst: position == 0) { socket in
                frame.withUnsafeBytes { socket.send($0, more: more) }
            }
        }
    }

    /// Sends one message of one frame straight from memory.
    public func send(_ bytes: UnsafeRawBufferPointer, timeout: Duration) throws(TransportError) {
        try send(timeout: timeout, isFirst: true) { $0.send(bytes, more: false) }
    }

    /// Receives one message; nil when none came within this time.
    public func receive(timeout: Duration) throws(TransportError) -> [[UInt8]]? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard try receiveFrame(&message, timeout: timeout) else { return nil }
        var frames = [frameBytes(&message)]
        while zmq_msg_more(&message) != 0 {
            if case .failed(let error) = socket.receive(&message, wait: true) { throw error }
            frames.append(frameBytes(&message))
        }
        return frames
    }

    /// Receives one message of one frame into memory and returns its size, which must be at most the memory's; nil when none
    /// came within this time.
    public func receive(into bytes: UnsafeMutableRawBufferPointer, timeout: Duration) throws(TransportError) -> Int? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard try receiveFrame(&message, timeout: timeout) else { return nil }
        let size = zmq_msg_size(&message)
        let isWhole = zmq_msg_more(&message) == 0
        if isWhole, size <= bytes.count {
            if size > 0, let data = zmq_msg_data(&message) {
                bytes.baseAddress?.copyMemory(from: data, byteCount: size)
            }
            return size
        }
        while zmq_msg_more(&message) != 0, case .done = socket.receive(&message, wait: true) {}
        throw .messageTooLarge(byteCount: size, byteCountMax: bytes.count)
    }

    private func send(
        timeout: Duration, isFirst: Bool, _ body: (borrowing ZeroMQSocket) -> ZeroMQSocket.Outcome
    ) throws(TransportError) {
        while true {
            switch body(socket) {
            case .done: return
            case .unreachable: throw .unreachable
            case .failed(let error): throw error
            case .wouldBlock:
                guard isFirst, try socket.wait(toSend: true, timeout: timeout) else { throw .timedOut(after: timeout) }
            }
        }
    }

    private func receiveFrame(_ message: inout zmq_msg_t, timeout: Duration) throws(TransportError) -> Bool {
        while true {
            switch socket.receive(&message) {
            case .done: return true
            case .unreachable: throw .unreachable
            case .failed(let error): throw error
            case .wouldBlock: guard try socket.wait(toSend: false, timeout: timeout) else { return false }
            }
        }
    }
}
