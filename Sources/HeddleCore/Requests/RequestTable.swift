/// Owns every request that a router accepted, from submission to its one terminal event, and decides all that happens
/// to it: queueing, dispatch, replay after a loss, what reaches the client and when, cancelling, deadlines, resume.
///
/// Everyone else may forget a request (law 3). What comes from an older attempt, or from another group than the
/// attempt's, is counted and dropped (law 4).
///
/// A client that is gone means cancelled, after `clientGrace`. A request that was cancelled for that reason is
/// remembered like a finished one; submitted again it goes on as the next attempt from the tokens it had.
public struct RequestTable: Sendable {
    /// What the router's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Tell the client that its submission is accepted, or that an earlier one under the same id goes on.
        case accept(ClientRef, RequestID, resumed: Bool)
        /// Tell the client that this submission is not accepted; whatever runs under its id is untouched.
        case refuse(ClientRef, RequestID, error: RequestError)
        /// Another client took the request over: tell this one nothing more.
        case detach(ClientRef, RequestID)

        /// Ask the tenant queue for a group.
        case enqueue(Ticket)
        /// Tell a tenant queue that came back what already runs where.
        case reregister(Ticket, running: GroupEpoch)
        /// Send the attempt to the group's rank 0.
        case dispatch(Assignment, to: GroupEpoch)
        /// Tell the tenant queue that this and every earlier attempt no longer waits or runs, and how many tokens all
        /// choices have.
        case endAtQueue(RequestID, Attempt, generatedTokenCount: Int)
        /// Cancel all choices of this and every earlier attempt, or only one choice.
        case cancelAtWorker(GroupEpoch, RequestID, Attempt, choice: Int?)
        /// Tell the group that this epoch is over here, and that only one after `last` is taken.
        case outdate(GroupEpoch, last: Epoch)
        /// Tell the tenant queue how many tokens all choices have, for its counters.
        case report(RequestID, Attempt, generatedTokenCount: Int)

        /// New tokens that may hold a stop string: answer with `scanned` or `stopMatched`. When `isLast`, no more come,
        /// and the answer must cover all of them.
        case scan(RequestID, choice: Int, firstIndex: Int, tokens: [TokenID], isLast: Bool)
        /// Stream these tokens to the client. `finish` is set with the choice's last ones.
        case send(ClientRef, Chunk)
        /// The terminal event of a request that finished; every choice has been sent with its reason.
        case finish(ClientRef, RequestID, usage: Usage)
        /// The terminal event of a request that did not.
        case fail(ClientRef, RequestID, error: RequestError)
        /// The request has ended: write it to the ledger. Exactly once a request, and once more, with what was used
        /// since, each time that it was taken up again after its client had gone.
        case settle(Settlement)
        /// The request is no longer remembered: drop its detokenisers and texts, which a client that resumes needs.
        case forget(RequestID)
    }

    /// Consecutive tokens of one choice on their way to the client.
    public struct Chunk: Hashable, Sendable {
        public var request: RequestID
        public var choice: Int
        public var firstIndex: Int
        public var tokens: [TokenID]
        /// One a token when the request asked for them, else empty.
        public var logprobs: [TokenLogprobs]
        public var finish: FinishReason?

        public init(
            request: RequestID, choice: Int, firstIndex: Int, tokens: [TokenID], logprobs: [TokenLogprobs] = [],
            finish: FinishReason? = nil
        ) {
            self.request = request
            self.choice = choice
            self.firstIndex = firstIndex
            self.tokens = tokens
            self.logprobs = logprobs
            self.finish = finish
        }
    }

    /// Events since the table was made, and what was dropped (law 4).
    public struct Counts: Hashable, Sendable {
        public var accepted = 0
        public var resumed = 0
        public var refused = 0
        public var finished = 0
        public var failed = 0
        /// Cancelled because their clients went.
        public var abandoned = 0
        public var losses = 0
        /// Deliveries, failures and assignments of an attempt, group or request that is not the present one.
        public var stale = 0
        /// Deliveries of tokens that are already here, or for a choice that has ended.
        public var duplicates = 0
        /// Deliveries that skip tokens or contradict the request; the attempt is given up and replayed.
        public var gaps = 0
        public init() {}
    }

    public let limits: RequestTableLimits
    public let router: RouterRef
    var entries: [RequestID: RequestEntry] = [:]
    var acceptances: UInt64 = 0
    /// Ended requests in the order in which they ended.
    var remembered: [RequestID] = []
    var rememberedTokenCount = 0
    var inFlightByTenant: [TenantName: Int] = [:]
    /// Of each group, the latest epoch that is known to be over: the tenant queue may hear of it later and still assign to it.
    var overEpochs: [GroupName: Epoch] = [:]
    public internal(set) var counts = Counts()

    public init(limits: RequestTableLimits, router: RouterRef) {
        self.limits = limits
        self.router = router
    }

    /// Requests that have not ended.
    public var requestCount: Int { entries.count - remembered.count }

    /// What was submitted under an id that is still remembered.
    public func submission(_ request: RequestID) -> Submission? { entries[request]?.submission }

    /// What a choice has generated so far; empty where nothing is known of it.
    public func tokens(of request: RequestID, choice: Int) -> [TokenID] {
        guard let choices = entries[request]?.choices, choices.indices.contains(choice) else { return [] }
        return choices[choice].tokens
    }

    /// Requests of one tenant that have not ended.
    public func requestCount(of tenant: TenantName) -> Int { inFlightByTenant[tenant] ?? 0 }
}
