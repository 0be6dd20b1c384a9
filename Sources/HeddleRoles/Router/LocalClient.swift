import HeddleCore
import HeddleTransport
import HeddleWire

/// A client of the router that lives in its process: it says and hears what a program at the client socket does, as values.
///
/// The HTTP gateway makes one for each of its requests. How much waits here to be read is bounded as at the socket: by the
/// credit that was given, and a prompt's log-probabilities by their own limit.
public final class LocalClient: Sendable {
    /// What is heard.
    public enum Event: Sendable {
        case reply(ClientReply)
        /// Another client took the request up; nothing more of it comes here.
        case detached(RequestID)
        /// Somebody wants the reader to have something to do.
        case nudged
    }

    /// Ends when the client has left, or the router has.
    public let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    let routingID: ClientSessions.RoutingID
    private let port: ClientPort
    private let hasLeft = Locked(false)

    init(port: ClientPort) {
        self.port = port
        // Longer than what libzmq names connections by, and not to be guessed by one that names itself.
        var generator = SystemRandomNumberGenerator()
        routingID = [0] + Incarnation(using: &generator).description.utf8
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Whether the client has left, or the router has.
    public var isGone: Bool { hasLeft.withLock { $0 } }

    /// Asks for a request; what the client socket's limits forbid is refused here, as its reader would.
    public func submit(_ submission: ClientSubmission) throws(RequestError) {
        if let error = submission.firstError(limits: port.limits) { throw error }
        guard say(.submit(submission)) else { throw .busy(retryAfter: port.limits.heartbeatInterval) }
    }

    /// The router may send so many more tokens.
    public func grant(_ tokenCount: Int, to request: RequestID) {
        if tokenCount > 0 { _ = say(.credit(request, tokenCount: tokenCount)) }
    }

    /// Gives the reader a `nudged`.
    public func nudge() { continuation.yield(.nudged) }

    /// Ends the client; what it had open is given up, and can be taken up by another.
    public func leave() {
        hasLeft.withLock { hasLeft in
            if !hasLeft { port.left(self) }
            hasLeft = true
        }
        continuation.finish()
    }

    /// Nothing is said after the leave: the router would take it for a new client, which never leaves.
    private func say(_ message: ClientMessage) -> Bool {
        hasLeft.withLock { hasLeft in !hasLeft && port.said(message, by: self) }
    }

    func hear(_ event: Event) { continuation.yield(event) }
}
