/// Every maximum of the client socket, with its unit in the name; a router and its clients agree on them by version.
public struct ClientLimits: Hashable, Sendable {
    public var request = RequestLimits()
    /// Bytes of one payload frame; libzmq drops a connection that sends a longer one.
    public var payloadByteCountMax = 2 << 20
    public var keyByteCountMax = 256
    /// `base:adapter`, two names.
    public var modelByteCountMax = 257
    /// Tokens of a prompt that is sent as token ids.
    public var promptTokenCountMax = 1 << 18
    /// Credit in one message, and credit that a request may hold.
    public var creditTokensMax = 1 << 20
    /// Tokens in one message to a client.
    public var messageTokenCountMax = 1024
    /// Text in one message to a client.
    public var messageTextByteCountMax = 1 << 20
    /// The longest sentence in a failure.
    public var failureByteCountMax = 2048
    /// Connections that a router listens to.
    public var clientCountMax = 4096
    /// A client with open requests says at least this often that it lives, and a router answers.
    public var heartbeatInterval: Duration = .seconds(1)
    /// After this long without a frame, either side takes the other for gone.
    public var silenceMax: Duration = .seconds(5)

    public init() {}
}
