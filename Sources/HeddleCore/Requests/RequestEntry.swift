/// One request as its `RequestTable` keeps it.
struct RequestEntry: Sendable {
    var submission: Submission
    /// Order of acceptance, by which requests are visited.
    let order: UInt64
    var accepted: Instant
    var deadline: Instant
    var attempt = Attempt(1)
    var phase: Phase
    var since: Instant
    var choices: [Choice]
    var client: ClientRef?
    /// When the client went; nil while there is one.
    var clientGone: Instant?
    /// Tokens that the client allows to be sent.
    var credit: Int
    var lossCount = 0
    var refusalCount = 0
    var reportedTokenCount = 0

    /// Where the request is.
    enum Phase: Hashable, Sendable {
        case queued
        case running(GroupEpoch)
        /// Every choice has ended; tokens wait for credit or a client.
        case draining
        /// The one terminal event is decided. `ending` orders endings.
        case ended(Outcome, ending: UInt64)
    }

    enum Outcome: Hashable, Sendable {
        case finished
        case failed(RequestError)
        /// Cancelled because its client went: taken up again when it is submitted again.
        case abandoned
    }

    /// One choice: its tokens, how far they may be and were sent, and how it ended.
    struct Choice: Sendable {
        var tokens: [TokenID] = []
        var logprobs: [TokenLogprobs] = []
        /// Tokens that hold no part of a stop string.
        var safeCount = 0
        var sentCount = 0
        var finish: FinishReason?
        var isFinishSent = false
    }
}
