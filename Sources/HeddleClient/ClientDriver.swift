import HeddleCore
import HeddleTransport
import HeddleWire

/// Carries out what `ClientCore` decides, on the client's I/O thread.
final class ClientDriver: @unchecked Sendable {
    // Safety: everything mutable is touched on `io` alone, where every method runs.
    private let io: IOThread
    private let endpoints: [String]
    private let limits: MeshClientLimits
    private var context: DealerContext?
    private var core: ClientCore
    private var socket: DealerSocket?
    private var endpointIndex = 0
    private var buffers: [RequestID: AnswerBuffer] = [:]
    private var ticker: TickSource?

    /// How often time is looked at while requests are open.
    private static let tickNanoseconds: UInt64 = 100_000_000

    init(io: IOThread, endpoints: [String], limits: MeshClientLimits) throws(TransportError) {
        self.io = io
        self.endpoints = endpoints
        self.limits = limits
        context = try DealerContext()
        core = ClientCore(limits: limits, endpointCount: endpoints.count)
    }

    func open() throws(TransportError) {
        try connect()
        let ticker = TickSource(periodNanoseconds: Self.tickNanoseconds) { [unowned self] now in
            perform(core.ticked(at: Instant(nanoseconds: now)))
        }
        io.add(ticker)
        self.ticker = ticker
    }

    func submit(_ submission: ClientSubmission, into buffer: AnswerBuffer) throws(RequestFailure) {
        guard socket != nil else { throw RequestFailure(id: submission.id, .shuttingDown) }
        let actions = try core.submitted(submission, at: now)
        buffers[submission.id] = buffer
        perform(actions)
    }

    /// The buffer says who asks: an id may have been submitted again since.
    func cancel(_ id: RequestID, of buffer: AnswerBuffer) {
        if buffers[id] === buffer { perform(core.cancelled(id, at: now)) }
    }

    func taken(_ id: RequestID, of buffer: AnswerBuffer, tokenCount: Int) {
        if buffers[id] === buffer { perform(core.taken(id, tokenCount: tokenCount, at: now)) }
    }

    /// Cancels what is open and closes the socket; what was said still goes out before this returns.
    func close() {
        for id in buffers.keys.sorted() { perform(core.cancelled(id, at: now)) }
        if let ticker { io.remove(ticker) }
        ticker = nil
        socket?.leave()
        socket = nil
        context = nil
    }

    private var now: Instant { Instant(nanoseconds: MonotonicClock.nanoseconds()) }

    private func connect() throws(TransportError) {
        guard let context else { throw .closed }
        let endpoint = endpoints[endpointIndex % endpoints.count]
        socket = try DealerSocket(io: io, context: context, endpoint: endpoint) { [unowned self] frames in
            received(frames)
        }
    }

    private func received(_ frames: [[UInt8]]) {
        do throws(ClientFrameError) {
            perform(core.received(try ClientReply(frames: frames, limits: limits.socket), at: now))
        } catch {
            perform(core.receivedGarbage(error.error, at: now))
        }
    }

    private func perform(_ actions: [ClientCore.Action]) {
        for action in actions {
            switch action {
            case .send(let message): send(message)
            case .deliver(let id, let event): buffers[id]?.add(event)
            case .end(let id, let failure): buffers.removeValue(forKey: id)?.end(failure)
            case .reconnect: reconnect()
            }
        }
        if buffers.isEmpty { ticker?.switchOff() } else { ticker?.switchOn() }
    }

    private func send(_ message: ClientMessage) {
        // A socket that is full or closed is noticed as silence, which the core answers by itself.
        try? socket?.send(message.frames())
    }

    private func reconnect() {
        socket?.leave()
        endpointIndex += 1
        do throws(TransportError) {
            try connect()
        } catch {
            // The endpoints were connected to before; if the system refuses another socket, the silence goes on.
            socket = nil
        }
    }
}
