import CZeroMQ

/// How a socket's multipart messages divide into ours.
enum Framing {
    /// One message of 1 to this many frames.
    case upTo(Int)
    /// One or more messages of two frames each: what waits for one peer leaves together, and wakes it once.
    case pairs

    /// The most that leaves together.
    static let batchMessagesMax = 64
    static let batchBytesMax = 64 << 10

    /// Reads the frames of one multipart message, of which `first` is already there, and hands on each message in it. Returns
    /// the number of frames when they do not divide as they must; messages before the fault were handed on.
    func read(
        _ message: inout zmq_msg_t, from socket: borrowing ZeroMQSocket, deliver: ([[UInt8]]) -> Void
    ) -> Int? {
        var frames: [[UInt8]] = []
        var frameCount = 0
        while true {
            frameCount += 1
            let isLast = zmq_msg_more(&message) == 0
            switch self {
            case .upTo(let max): if frameCount <= max { frames.append(frameBytes(&message)) }
            case .pairs:
                frames.append(frameBytes(&message))
                if frames.count == 2 {
                    deliver(frames)
                    frames.removeAll(keepingCapacity: true)
                }
            }
            if isLast { break }
            guard case .done = socket.receive(&message) else { return frameCount }
        }
        switch self {
        case .upTo(let max):
            guard frameCount <= max else { return frameCount }
            deliver(frames)
        case .pairs: guard frames.isEmpty else { return frameCount }
        }
        return nil
    }
}

/// Messages that wait for one peer, in order; their bytes are reserved in its budget.
struct Outbox {
    private var messages: [[[UInt8]]] = []
    private var first = 0

    var isEmpty: Bool { first == messages.count }

    mutating func append(_ frames: [[UInt8]]) { messages.append(frames) }

    /// Forgets everything and returns its bytes.
    mutating func removeAll() -> Int {
        let byteCount = messages[first...].reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
        self = Outbox()
        return byteCount
    }

    /// Sends until everything is gone or libzmq takes no more. `begin` sends what stands before the frames of a multipart
    /// message, a routing id, and is where libzmq refuses; what it began, it takes.
    mutating func flush(
        on socket: borrowing ZeroMQSocket, framing: Framing, budget: ByteBudget,
        begin: (borrowing ZeroMQSocket) -> ZeroMQSocket.Outcome
    ) -> ZeroMQSocket.Outcome {
        while !isEmpty {
            let end = endOfBatch(framing)
            let begun = begin(socket)
            guard case .done = begun else { return begun }
            for position in first..<end {
                let frames = messages[position]
                for (index, frame) in frames.enumerated() {
                    let more = position + 1 < end || index + 1 < frames.count
                    let outcome = send(frame, more: more, on: socket, budget: budget)
                    guard case .done = outcome else { return outcome }
                }
                messages[position] = []
            }
            first = end
            if first == messages.count {
                messages.removeAll(keepingCapacity: messages.count <= 1024)
                first = 0
            }
        }
        return .done
    }

    private func endOfBatch(_ framing: Framing) -> Int {
        guard case .pairs = framing else { return first + 1 }
        var end = first
        var byteCount = 0
        while end < messages.count, end - first < Framing.batchMessagesMax, byteCount < Framing.batchBytesMax {
            byteCount += messages[end].reduce(0) { $0 + $1.count }
            end += 1
        }
        return end
    }

    private func send(
        _ frame: [UInt8], more: Bool, on socket: borrowing ZeroMQSocket, budget: ByteBudget
    ) -> ZeroMQSocket.Outcome {
        guard frame.count <= ByteBudget.forgottenByteCountMax else {
            return socket.send(frame, more: more, releasing: budget)
        }
        let outcome = frame.withUnsafeBytes { socket.send($0, more: more) }
        if case .done = outcome { budget.release(frame.count) }
        return outcome
    }
}
