/// One request for inspection: where it is, why, and since when. Never its prompt or its tokens.
public struct RequestReport: Hashable, Sendable {
    public var request: RequestID
    public var tenant: TenantName
    public var model: ModelName
    public var adapter: AdapterRef?
    public var attempt: Attempt
    public var lossCount: Int
    public var state: State
    public var since: Instant
    public var accepted: Instant
    public var deadline: Instant
    public var promptTokenCount: Int
    /// By choice.
    public var generatedTokenCounts: [Int]
    /// By choice.
    public var sentTokenCounts: [Int]
    public var credit: Int
    public var hasClient: Bool

    /// Whether its terminal event is still to come.
    public var isOpen: Bool {
        switch state {
        case .queued, .refused, .running, .waitingForCredit: true
        case .finished, .failed, .abandoned: false
        }
    }

    public enum State: Hashable, Sendable {
        case queued
        /// The group that it was assigned to did not take it; it is queued again then.
        case refused(until: Instant)
        case running(GroupEpoch)
        /// All tokens are generated; the client's credit is used up.
        case waitingForCredit
        case finished
        case failed(RequestError)
        /// Its client went; it is taken up again when it is submitted again.
        case abandoned
    }
}
