import HeddleCore
import HeddleTransport
import HeddleWire
import Synchronization

/// The router's side of the client socket: hands messages on in the order in which they came, and sends answers from any
/// thread.
final class ClientPort: Sendable {
    /// What happens on the socket. A routing id names one connection.
    enum Event: Sendable {
        case message(ClientSessions.RoutingID, [[UInt8]])
        case lost(ClientSessions.RoutingID)
    }

    /// What is heard; read by one router.
    let events: AsyncStream<Event>
    /// Messages that were dropped because the router was too far behind; their clients were told to come again.
    let dropped = Atomic<Int>(0)
    private let continuation: AsyncStream<Event>.Continuation
    private let limits: ClientLimits
    private let socket = Mutex<ServerSocket?>(nil)

    /// How many messages wait for the router at most.
    static var depthMax: Int { 8192 }

    init(limits: ClientLimits) {
        self.limits = limits
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.depthMax))
    }
}
