import CZeroMQ
import Foundation
import HeddleCore
import HeddleTransport
import HeddleWire

/// A ROUTER socket on a free port of loopback whose every answer is a closure: what a mesh does, as a script.
final class ScriptedRouter: @unchecked Sendable {
    // Safety: the socket belongs to the thread from `start` on; what others read is behind a lock.
    private let context: UnsafeMutableRawPointer
    private let socket: UnsafeMutableRawPointer
    private let isStopping = Locked(false)
    private let done = DispatchSemaphore(value: 0)
    let endpoint: String
    /// Every message that was read, in order.
    let heard = Locked<[ClientMessage]>([])

    struct Failed: Error {}

    /// What to send back to the sender of a message: raw frames, so that a script can also send garbage.
    typealias Script = @Sendable (_ peer: [UInt8], _ frames: [[UInt8]]) -> [[[UInt8]]]

    init(endpoint: String = "tcp://127.0.0.1:*", script: @escaping Script) throws {
        guard let context = zmq_ctx_new(), let socket = zmq_socket(context, ZMQ_ROUTER) else { throw Failed() }
        var milliseconds: Int32 = 20
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &milliseconds, MemoryLayout<Int32>.size)
        var zero: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &zero, MemoryLayout<Int32>.size)
        guard zmq_bind(socket, endpoint) == 0 else { throw Failed() }
        var name = [CChar](repeating: 0, count: 256)
        var size = name.count
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &name, &size)
        self.endpoint = String(decoding: name.prefix(while: { $0 != 0 }).map(UInt8.init(bitPattern:)), as: UTF8.self)
        (self.context, self.socket) = (context, socket)
        Thread.detachNewThread { [self] in run(script) }
    }

    /// Speaks the client's protocol; the script sees messages and answers with replies.
    convenience init(
        endpoint: String = "tcp://127.0.0.1:*", _ script: @escaping @Sendable (ClientMessage) -> [ClientReply]
    ) throws {
        let heardLater = Locked<Locked<[ClientMessage]>?>(nil)
        try self.init(
            endpoint: endpoint,
            script: { _, frames in
                guard let message = try? ClientMessage(frames: frames) else { return [] }
                heardLater.withLock { $0 }?.withLock { $0.append(message) }
                return script(message).map { $0.frames() }
            })
        heardLater.withLock { $0 = heard }
    }

    /// Closes the socket; whoever is connected sees the connection go.
    func stop() {
        guard
            isStopping.withLock({ was in
                defer { was = true }
                return !was
            })
        else { return }
        done.wait()
    }

    deinit { stop() }

    private func run(_ script: Script) {
        while !isStopping.withLock({ $0 }) {
            guard let frames = receive(), let peer = frames.first else { continue }
            for answer in script(peer, Array(frames.dropFirst())) { send([peer] + answer) }
        }
        zmq_close(socket)
        zmq_ctx_term(context)
        done.signal()
    }

    private func receive() -> [[UInt8]]? {
        var frames: [[UInt8]] = []
        var message = zmq_msg_t()
        while true {
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            guard zmq_msg_recv(&message, socket, 0) >= 0 else { return nil }
            frames.append(Array(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))))
            if zmq_msg_more(&message) == 0 { return frames }
        }
    }

    private func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            _ = frame.withUnsafeBytes {
                zmq_send(socket, $0.baseAddress, $0.count, index < frames.count - 1 ? ZMQ_SNDMORE : 0)
            }
        }
    }
}
