/// Every maximum of a link, and the times after which it gives a peer up.
public struct LinkLimits: Hashable, Sendable {
    /// The largest frame that is sent or accepted.
    public var frameBytesMax = 64 << 20
    /// Bytes that may wait for one peer before senders are refused.
    public var bytesQueuedMax = 16 << 20
    /// What urgent messages (answers, cancellations) may use beyond that.
    public var urgentBytesMax = 1 << 20
    /// Messages inside libzmq, for each direction of each connection; its high-water mark.
    public var messagesInsideMax = 128
    /// A connection must have finished ZMTP's handshake by then.
    public var handshakeTimeout: Duration = .seconds(1)
    /// libzmq asks a silent peer this often …
    public var heartbeatInterval: Duration = .milliseconds(250)
    /// … and gives it up after this silence.
    public var heartbeatTimeout: Duration = .seconds(1)
    /// Pauses between attempts to connect, from the first to the longest.
    public var reconnectPauseMin: Duration = .milliseconds(20)
    public var reconnectPauseMax: Duration = .milliseconds(500)

    public init() {}
}
