/// How a router's socket names one connection of a client: the routing id of its frames.
///
/// It names a connection, not a person: a client that reconnects has another.
public struct ClientRef: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let routingID: [UInt8]

    public init(routingID: [UInt8]) { self.routingID = routingID }

    public static func < (left: Self, right: Self) -> Bool { left.routingID.lexicographicallyPrecedes(right.routingID) }
    /// Hexadecimal digits.
    public var description: String {
        routingID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Knows which client waits for which request, and decides when a client is gone.
///
/// The router's shell feeds it every frame and a clock; it never touches a socket. A request belongs to one client at a
/// time: whoever submitted its id last, so that a reconnected client takes its streams with it. Whether that one may
/// (the same tenant) is the router's to check before `opened`.
public struct ClientSessions: Sendable {
    private let limits: ClientLimits
    private var sessions: [ClientRef: Session] = [:]
    private var owners: [RequestID: ClientRef] = [:]

    private struct Session {
        var lastHeard: Instant
        /// Sorted, so that what is told about a client does not depend on hashes.
        var requests: [RequestID] = []
    }

    /// What `opened` found.
    public enum Opening: Hashable, Sendable {
        case new
        /// The same client had the request open already.
        case again
        /// Another connection had it open; that one hears no more of it.
        case moved(from: ClientRef)
        case refused(RequestError)
    }

    /// A client that is not there any more, and what it had open: to be cancelled.
    public struct Gone: Hashable, Sendable {
        public var client: ClientRef
        /// Sorted.
        public var requests: [RequestID]

        public init(client: ClientRef, requests: [RequestID]) {
            self.client = client
            self.requests = requests
        }
    }

    public init(limits: ClientLimits = ClientLimits()) { self.limits = limits }

    public var clientCount: Int { sessions.count }
    public var openRequestCount: Int { owners.count }

    public func openRequestCount(of client: ClientRef) -> Int { sessions[client]?.requests.count ?? 0 }
    public func client(of request: RequestID) -> ClientRef? { owners[request] }

    /// A frame came, of whatever kind. The error is for a client that there is no room to listen to.
    public mutating func heard(_ client: ClientRef, at now: Instant) -> RequestError? {
        if sessions[client] != nil {
            sessions[client]?.lastHeard = now
            return nil
        }
        if sessions.count >= limits.clientCountMax {
            // A connection that has nothing open loses nothing when it is forgotten.
            guard let idle = sessions.filter({ $0.value.requests.isEmpty }).min(by: {
                ($0.value.lastHeard, $0.key) < ($1.value.lastHeard, $1.key)
            }) else { return .busy(retryAfter: limits.heartbeatInterval) }
            sessions[idle.key] = nil
        }
        sessions[client] = Session(lastHeard: now)
        return nil
    }

    /// The client submitted this request. It is open until `ended`, or until the client is gone.
    public mutating func opened(_ request: RequestID, by client: ClientRef, at now: Instant) -> Opening {
        if let error = heard(client, at: now) { return .refused(error) }
        let owner = owners[request]
        if owner == client { return .again }
        if openRequestCount(of: client) >= limits.clientRequestCountMax {
            return .refused(.busy(retryAfter: limits.heartbeatInterval))
        }
        if let owner { forget(request, of: owner) }
        owners[request] = client
        if var session = sessions.removeValue(forKey: client) {
            let index = session.requests.firstIndex { request < $0 } ?? session.requests.endIndex
            session.requests.insert(request, at: index)
            sessions[client] = session
        }
        return owner.map { .moved(from: $0) } ?? .new
    }

    /// The request had its one terminal event; returns whom to tell, nil where nobody waits.
    public mutating func ended(_ request: RequestID) -> ClientRef? {
        guard let owner = owners.removeValue(forKey: request) else { return nil }
        forget(request, of: owner)
        return owner
    }

    /// The socket says that the connection does not exist; nil where it had nothing open.
    public mutating func lost(_ client: ClientRef) -> Gone? {
        guard let session = sessions.removeValue(forKey: client), !session.requests.isEmpty else { return nil }
        for request in session.requests { owners[request] = nil }
        return Gone(client: client, requests: session.requests)
    }

    /// Time passed: forgets who has been silent for `silenceMax`, and returns those who had requests open, in order.
    public mutating func ticked(at now: Instant) -> [Gone] {
        let silent = sessions.filter { now.duration(since: $0.value.lastHeard) >= limits.silenceMax }.keys.sorted()
        return silent.compactMap { lost($0) }
    }

    private mutating func forget(_ request: RequestID, of client: ClientRef) {
        guard var session = sessions.removeValue(forKey: client) else { return }
        session.requests.removeAll { $0 == request }
        sessions[client] = session
    }
}
