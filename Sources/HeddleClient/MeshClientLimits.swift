import HeddleCore

/// Every maximum of a client, with its unit in the name.
public struct MeshClientLimits: Hashable, Sendable {
    public var socket = ClientLimits()
    /// Tokens of one request that may be on their way or wait for the program to take them.
    public var windowTokens = 1024
    /// Requests of one client that have not ended.
    public var requestCountMax = 1024
    /// How often a request that meets a busy router is submitted again before the program hears of it.
    public var busyCountMax = 5
    /// How often a request is taken up again because a router skipped tokens or ends, before that is an error.
    public var gapCountMax = 3
    /// Where there are several endpoints, how long one may take to say its first word before the next is tried.
    public var firstAnswerMax: Duration = .seconds(2)
    /// A request fails when no router has said anything for this long.
    public var unreachableAfter: Duration = .seconds(15)
    /// What a request gets beyond its deadline before the client ends it by itself: the router answers first if it lives.
    public var deadlineGrace: Duration = .seconds(1)

    public init() {}
}
