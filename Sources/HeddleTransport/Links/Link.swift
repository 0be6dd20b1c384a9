/// Carries messages of two frames between nodes, over ZeroMQ or within the process.
///
/// Everything but `init` is called on the I/O thread that `open` was given, and events are delivered there. A connection
/// is one life of one wire between two nodes: after a reconnection it is another one, with another id.
public protocol Link: AnyObject {
    /// Starts to listen where the link was told to, and delivers events from now on.
    func open(on io: IOThread, deliver: @escaping (LinkEvent) -> Void) throws(TransportError)

    /// Where it really listens, with the port that a bind to port 0 took; nil if it does not. After `open`.
    var endpointBound: String? { get }

    /// Connects to a listening link, and connects again whenever the connection is lost. Each success is an `opened`.
    func dial(_ endpoint: String) throws(TransportError) -> DialID

    /// Queues one message; messages of a connection arrive in order. An urgent one may use the reserve behind the budget.
    func send(_ message: LinkMessage, on connection: ConnectionID, isUrgent: Bool) throws(TransportError)

    /// Closes every connection; no event is delivered after it.
    func close()
}

/// One message: an envelope and what it carries.
public struct LinkMessage: Hashable, Sendable {
    public var envelope: [UInt8]
    public var payload: [UInt8]

    public init(envelope: [UInt8], payload: [UInt8]) {
        self.envelope = envelope
        self.payload = payload
    }

    var byteCount: Int { envelope.count + payload.count }
}

/// One life of one wire, unique within the process.
public struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64
    public var description: String { "connection \(number)" }
}

/// One endpoint that a link keeps connecting to.
public struct DialID: Hashable, Sendable {
    let number: UInt64
}

/// What happens on a link, in order.
public enum LinkEvent: Sendable {
    /// A connection is there: ours if it has a dial, a peer's otherwise.
    case opened(ConnectionID, dial: DialID?)
    case received(ConnectionID, LinkMessage)
    case closed(ConnectionID)
    /// A message with the wrong number of frames was dropped.
    case malformed(frameCount: Int)
}
