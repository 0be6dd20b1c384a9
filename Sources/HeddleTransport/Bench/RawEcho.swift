import CZeroMQ
import Glibc

/// The yardstick of `heddle bench calls`: the same bytes there and back over bare libzmq, each end one thread that blocks.
package enum RawEcho {
    /// One end that answers every message until it gets an empty one. Returns the endpoint at once; answers on its own thread.
    package static func serve(endpoint: String, context: ZeroMQContext = ZeroMQContext()) throws -> String {
        let checked = try Endpoint(endpoint)
        let bound = Locked<Result<String, TransportError>?>(nil)
        let ready = Signal()
        _ = NamedThread(name: "raw-echo") {
            do throws(TransportError) {
                let socket = try open(context)
                let endpoint = try socket.bind(checked)
                bound.withLock { $0 = .success(endpoint) }
                ready.raise()
                answer(on: socket)
                if case .ipc(let path) = checked.transport { unlink(path) }
            } catch {
                bound.withLock { $0 = .failure(error) }
                ready.raise()
            }
        }
        ready.wait()
        return try bound.withLock { $0 }?.get() ?? endpoint
    }

    /// The other end, for one thread.
    package struct Client: ~Copyable {
        private let socket: ZeroMQSocket
        private let payload: [UInt8]

        package init(endpoint: String, payloadBytes: Int, context: ZeroMQContext = ZeroMQContext()) throws {
            precondition(payloadBytes > 0, "an empty message ends the other side")
            let socket = try open(context)
            try socket.connect(try Endpoint(endpoint))
            self.socket = socket
            payload = [UInt8](repeating: 0x61, count: payloadBytes)
        }

        /// The time of each of `count` exchanges, one after the other, in nanoseconds.
        package func exchange(count: Int) -> [UInt64] {
            var times: [UInt64] = []
            times.reserveCapacity(count)
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            var before = MonotonicClock.nanoseconds()
            for _ in 0..<count {
                send()
                _ = socket.receive(&message, wait: true)
                let after = MonotonicClock.nanoseconds()
                times.append(after - before)
                before = after
            }
            return times
        }

        /// Exchanges a second with this many under way at once.
        package func rate(inFlight: Int, duration: Duration) -> Double {
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            let start = MonotonicClock.nanoseconds()
            let until = start.addingClamped(UInt64(nanosecondsOf: duration))
            for _ in 0..<inFlight { send() }
            var count = 0
            var now = start
            while now < until {
                for _ in 0..<64 {
                    _ = socket.receive(&message, wait: true)
                    send()
                }
                count += 64
                now = MonotonicClock.nanoseconds()
            }
            for _ in 0..<inFlight { _ = socket.receive(&message, wait: true) }
            return Double(count) * 1e9 / Double(now - start)
        }

        /// Ends the other side.
        package func stop() { _ = socket.send(UnsafeRawBufferPointer(start: nil, count: 0), more: false, wait: true) }

        private func send() { payload.withUnsafeBytes { _ = socket.send($0, more: false, wait: true) } }
    }

    private static func open(_ context: ZeroMQContext) throws(TransportError) -> ZeroMQSocket {
        let socket = try ZeroMQSocket(context: context, type: ZMQ_DEALER)
        try socket.set(ZMQ_LINGER, name: "LINGER", to: 100)
        return socket
    }

    private static func answer(on socket: borrowing ZeroMQSocket) {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        while case .done = socket.receive(&message, wait: true) {
            let size = zmq_msg_size(&message)
            guard size > 0 else { return }
            let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: size)
            _ = socket.send(bytes, more: false, wait: true)
        }
    }
}
