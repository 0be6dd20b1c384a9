/// Every maximum of the gateway that is not the router's, with its unit in the name.
package struct GatewayLimits: Hashable, Sendable {
    /// Bytes of a request's body.
    package var bodyByteCountMax = 4 << 20
    package var jsonDepthMax = 32
    /// Values in a body: the longest prompt of token ids, and room for the rest.
    package var jsonValueCountMax = 300_000
    /// Bytes of all header fields together.
    package var headerByteCountMax = 16 << 10
    package var headerCountMax = 100
    /// Connections that are open at once; more wait in the system's queue.
    package var connectionCountMax = 4096
    /// Prompts of one call of `/v1/completions`.
    package var promptCountMax = 16
    /// Choices of one call, of all its prompts.
    package var choiceCountMax = 64
    package var messageCountMax = 1024
    package var toolCountMax = 128
    /// Bytes of `user` and `safety_identifier`.
    package var labelByteCountMax = 512
    /// Bytes of `Idempotency-Key`, `x-request-id` and `Last-Event-ID`.
    package var identifierByteCountMax = 1024
    /// Tokens that the router may send ahead of what a stream's client has read.
    package var windowTokens = 256
    /// A stream with nothing to tell says at least this often that it lives.
    package var commentInterval: Duration = .seconds(10)
    /// A connection that asks nothing, or does not go on with what it asks, for so long is closed.
    package var idleMax: Duration = .seconds(60)

    package init() {}
}
