// The events of all cores, so that shells can be written against them; each is replaced by its body.

extension BatchScheduler {
    /// Takes a sequence in, or answers with `.fail` when it can never fit or too many wait. A sequence of an attempt that
    /// is here already is dropped; one of a newer attempt replaces the older attempt's sequences.
    public mutating func admit(_ request: SequenceRequest, now: Instant) -> [Action] { fatalError() }
    /// Ends the request's sequences of `attempt` and earlier ones (all when nil), or only one choice's. A sequence in the
    /// step in flight leaves with it.
    public mutating func cancel(_ request: RequestID, attempt: Attempt? = nil, choice: Int? = nil) -> [Action] {
        fatalError()
    }
    /// Every rank has mapped the adapter; it costs one rank these bytes.
    public mutating func adapterReady(_ digest: Digest, bytes: Int) -> [Action] { fatalError() }
    /// The adapter cannot be mapped: all requests that wait for it fail with `adapterInvalid`.
    public mutating func adapterFailed(_ digest: Digest, reason: String) -> [Action] { fatalError() }
    /// Makes a running sequence give up its blocks; it runs again from position 0 with what it generated.
    public mutating func preempt(_ sequence: SequenceID) { fatalError() }
    /// Decides the next step. The plan is nil when nothing can run now. Never called while a step is in flight.
    public mutating func schedule(now: Instant) -> (plan: StepPlan?, actions: [Action]) { fatalError() }
    /// The step has run; one sampled token for each segment that wanted logits.
    public mutating func stepFinished(_ step: UInt64, sampled: [SampledToken], now: Instant) -> [Action] { fatalError() }
    /// The step did not run on every rank: its requests end with `workerLost`, which their router replays.
    public mutating func stepFailed(_ step: UInt64, now: Instant) -> [Action] { fatalError() }
    public func report() -> BatchReport { fatalError() }
}

extension TenantQueueCore {
    /// Adds a tenant or changes its share. A tenant without a share is unknown.
    public mutating func setShare(_ share: TenantShare) throws(LimitsError) { fatalError() }
    /// A router asks for a group. The same attempt again is answered again; an older one is dropped.
    public mutating func enqueue(_ ticket: Ticket, now: Instant) -> [Action] { fatalError() }
    /// A router tells a queue that was restarted what runs where.
    public mutating func reregister(_ ticket: Ticket, running group: GroupEpoch, now: Instant) -> [Action] { fatalError() }
    /// The router no longer wants a group for this or any earlier attempt. Nothing is answered to it.
    public mutating func cancel(_ request: RequestID, attempt: Attempt, now: Instant) -> [Action] { fatalError() }
    public mutating func groupUp(_ group: GroupEpoch, capacity: GroupCapacity, model: ModelName, now: Instant) -> [Action] {
        fatalError()
    }
    public mutating func groupLost(_ group: GroupEpoch, now: Instant) -> [Action] { fatalError() }
    /// Tokens of all choices so far, earlier attempts' included.
    public mutating func progressed(_ request: RequestID, attempt: Attempt, generatedTokenCount: Int) { fatalError() }
    /// The request has ended at its router, however.
    public mutating func finished(
        _ request: RequestID, attempt: Attempt, generatedTokenCount: Int, now: Instant
    ) -> [Action] { fatalError() }
    public mutating func routerLost(_ router: RouterRef, now: Instant) -> [Action] { fatalError() }
    /// Ends what is past its deadline. To be called at `nextTick`, or every half second.
    public mutating func tick(now: Instant) -> [Action] { fatalError() }
    /// The earliest deadline of a waiting ticket.
    public var nextTick: Instant? { fatalError() }
}

extension RequestTable {
    /// A client submits, or comes back: the same id with the same content attaches the client to the request, which is
    /// run once. `resumeFrom` names, by choice, the first token that the client lacks.
    ///
    /// - Parameter tenantRequestCountMax: Requests of the tenant that may be here at the same time.
    public mutating func submit(
        _ submission: Submission, client: ClientRef, credit: Int, resumeFrom: [Int] = [], tenantRequestCountMax: Int,
        now: Instant
    ) -> [Action] { fatalError() }
    /// The tenant queue has found a group.
    public mutating func assigned(_ request: RequestID, attempt: Attempt, to group: GroupEpoch, now: Instant) -> [Action] {
        fatalError()
    }
    /// The group did not take the assignment (it is full or its epoch is over): the request is queued again.
    public mutating func dispatchRefused(_ request: RequestID, attempt: Attempt, now: Instant) -> [Action] { fatalError() }
    public mutating func delivered(_ delivery: Delivery, now: Instant) -> [Action] { fatalError() }
    /// The queue or the worker ended the attempt. `workerLost` is a loss and replayed; everything else is terminal.
    public mutating func failed(_ request: RequestID, attempt: Attempt, error: RequestError, now: Instant) -> [Action] {
        fatalError()
    }
    /// The first `safeTokenCount` tokens of the choice hold no part of a stop string.
    public mutating func scanned(_ request: RequestID, choice: Int, safeTokenCount: Int, now: Instant) -> [Action] {
        fatalError()
    }
    /// A stop string begins within or behind the last of the first `keepTokenCount` tokens; the choice ends with them.
    public mutating func stopMatched(_ request: RequestID, choice: Int, keepTokenCount: Int, now: Instant) -> [Action] {
        fatalError()
    }
    /// This epoch of the group, and every earlier one, is over: its requests are tried again, or end with `workerLost`.
    public mutating func workerLost(_ group: GroupEpoch, now: Instant) -> [Action] { fatalError() }
    /// The tenant queue is new or was restarted: it is told of every request of the model again.
    public mutating func queueUp(model: ModelName, now: Instant) -> [Action] { fatalError() }
    public mutating func clientGone(_ client: ClientRef, now: Instant) -> [Action] { fatalError() }
    public mutating func cancel(_ request: RequestID, client: ClientRef, now: Instant) -> [Action] { fatalError() }
    /// The client takes `tokenCount` more tokens.
    public mutating func credit(
        _ request: RequestID, client: ClientRef, tokenCount: Int, now: Instant
    ) -> [Action] { fatalError() }
    /// Ends what is past its deadline, and forgets what ended long ago. To be called at `nextTick`.
    public mutating func tick(now: Instant) -> [Action] { fatalError() }
    public var nextTick: Instant? { fatalError() }
    /// Ends everything with `shuttingDown`.
    public mutating func shutDown(now: Instant) -> [Action] { fatalError() }
    /// In order of acceptance.
    public func report() -> [RequestReport] { fatalError() }
}

extension AdapterResidency {
    /// A holder asks for an adapter and is answered once, now or later, by `.ready` or `.failed`.
    public mutating func acquire(_ key: AdapterKey, holder: AdapterHolder, now: Instant) -> [Action] { fatalError() }
    public mutating func loadSucceeded(_ key: AdapterKey, bytes: Int, now: Instant) -> [Action] { fatalError() }
    public mutating func loadFailed(_ key: AdapterKey, reason: String, now: Instant) -> [Action] { fatalError() }
    /// The holder no longer holds, or waits for, the adapter.
    public mutating func release(_ key: AdapterKey, holder: AdapterHolder, now: Instant) { fatalError() }
    public mutating func holderGone(_ holder: AdapterHolder, now: Instant) { fatalError() }
    public func report() -> AdapterResidencyReport { fatalError() }
}

extension GroupFormation {
    public mutating func rankPresent(_ presence: RankPresence, now: Instant) -> [Action] { fatalError() }
    /// The process of this incarnation is dead or unreachable. It may come back under the same incarnation.
    public mutating func rankLost(_ rank: Int, incarnation: Incarnation, now: Instant) -> [Action] { fatalError() }
    /// An epoch of this group was seen elsewhere: the next forming is later than that.
    public mutating func observed(_ epoch: Epoch) { fatalError() }
    /// Ends the group for good.
    public mutating func drain(now: Instant) -> [Action] { fatalError() }
    /// The present forming; nil while ranks are missing.
    public var formed: GroupEpoch? { fatalError() }
}
