/// Knows the connections of a router's client socket, numbers them, and decides when a client is gone.
///
/// The router's shell feeds it every frame's routing id and a clock; it never touches a socket. What a client has open is
/// the `RequestTable`'s; a connection that is gone and comes back is another client to it, under another number.
public struct ClientSessions: Sendable {
    private let limits: ClientLimits
    private var sessions: [RoutingID: Session] = [:]
    private var routingIDs: [ClientRef: RoutingID] = [:]
    private var numberLast: UInt64 = 0

    /// How the socket names one connection: the first frame of each message.
    public typealias RoutingID = [UInt8]

    private struct Session {
        let client: ClientRef
        var lastHeard: Instant
        let mayBeSilent: Bool
    }

    /// What a frame is to the router.
    public enum Hearing: Hashable, Sendable {
        case known(ClientRef)
        /// The first frame of a connection.
        case new(ClientRef)
        /// There is no room to listen to another client.
        case refused(RequestError)
    }

    public init(limits: ClientLimits = ClientLimits()) { self.limits = limits }

    public var clientCount: Int { sessions.count }

    /// Where to send what this client is to hear; nil when it is gone.
    public func routingID(of client: ClientRef) -> RoutingID? { routingIDs[client] }

    /// A frame came, of whatever kind: a sign of life.
    ///
    /// - Parameter mayBeSilent: it is a client in this process, which needs to give no signs of life: it goes by `lost` alone.
    public mutating func heard(_ routingID: RoutingID, at now: Instant, mayBeSilent: Bool = false) -> Hearing {
        if let client = sessions[routingID]?.client {
            sessions[routingID]?.lastHeard = now
            return .known(client)
        }
        guard sessions.count < limits.clientCountMax else {
            return .refused(.busy(retryAfter: limits.heartbeatInterval))
        }
        numberLast += 1
        let client = ClientRef(numberLast)
        sessions[routingID] = Session(client: client, lastHeard: now, mayBeSilent: mayBeSilent)
        routingIDs[client] = routingID
        return .new(client)
    }

    /// The socket says that nobody is there any more; returns who is gone, nil where nobody was known.
    public mutating func lost(_ routingID: RoutingID) -> ClientRef? {
        guard let session = sessions.removeValue(forKey: routingID) else { return nil }
        routingIDs[session.client] = nil
        return session.client
    }

    /// Time passed: forgets and returns, in the order of their numbers, the clients that were silent for `silenceMax`.
    public mutating func ticked(at now: Instant) -> [ClientRef] {
        let silent = sessions.filter { _, session in
            !session.mayBeSilent && now.duration(since: session.lastHeard) >= limits.silenceMax
        }
        return silent.sorted { $0.value.client < $1.value.client }.compactMap { lost($0.key) }
    }
}
