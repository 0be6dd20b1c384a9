/// Follows one sequence at its group: makes spans of its waits, of its prefill and of its decoding, without cost in a step
/// that changes none of these.
public struct SequenceTrace: Sendable {
    private enum Phase: Sendable {
        case waiting(reason: String, kind: Int)
        case prefilling(chunkCount: Int, tokenCount: Int, isAgain: Bool)
        case decoding(stepCount: Int)
    }

    private let request: RequestID
    private let attempt: Attempt
    private let choice: Int
    private let actor: String
    private var phase = Phase.waiting(reason: "joins at the next step", kind: -1)
    private var start: Instant
    /// Spans that began so far.
    private var count: UInt64 = 0
    /// Tokens that were run at most so far: running them again is a preemption's price.
    private var positionMax = 0

    public init(request: RequestID, attempt: Attempt, choice: Int, actor: String, now: Instant) {
        self.request = request
        self.attempt = attempt
        self.choice = choice
        self.actor = actor
        start = now
    }

    /// The sequence waits at the group; returns what ended by it.
    public mutating func waits(for state: BatchReport.State, now: Instant) -> TraceSpan? {
        guard let reason = state.waitReason else { return nil }
        if case .waiting(_, let kind) = phase {
            if kind == reason.kind { return nil }
            // Nothing is lost of the wait that began with its arrival.
            if kind == -1 {
                phase = .waiting(reason: reason.text, kind: reason.kind)
                return nil
            }
        }
        return enter(.waiting(reason: reason.text, kind: reason.kind), at: now)
    }

    /// A step ran these tokens of the sequence; returns what ended as it began.
    ///
    /// - Parameters:
    ///   - knownTokenCount: the prompt and what earlier attempts generated: tokens before it are prefilled.
    public mutating func ran(
        tokenCount: Int, firstPosition: Int, knownTokenCount: Int, from began: Instant
    ) -> TraceSpan? {
        let isPrefill = tokenCount > 1 || firstPosition < knownTokenCount
        let isAgain = firstPosition < positionMax
        positionMax = max(positionMax, firstPosition + tokenCount)
        switch phase {
        case .prefilling(let chunks, let tokens, let again) where isPrefill && (isAgain == again || firstPosition > 0):
            phase = .prefilling(chunkCount: chunks + 1, tokenCount: tokens + tokenCount, isAgain: again)
            return nil
        case .decoding(let steps) where !isPrefill:
            phase = .decoding(stepCount: steps + 1)
            return nil
        default:
            return enter(
                isPrefill
                    ? .prefilling(chunkCount: 1, tokenCount: tokenCount, isAgain: isAgain) : .decoding(stepCount: 1),
                at: began)
        }
    }

    /// The sequence is gone; returns its last span.
    public mutating func ended(at now: Instant, error: String? = nil) -> TraceSpan {
        var span = present
        span.end = now
        span.error = error
        return span
    }

    /// What it does or waits for now, as a span that lasts.
    public var present: TraceSpan {
        let (name, reason, fields): (TraceSpan.Name, String, [ReportField]) =
            switch phase {
            case .waiting(let reason, _): (.wait, reason, [])
            case .prefilling(let chunks, let tokens, let isAgain):
                (
                    .prefill, isAgain ? "again, after it was preempted" : "",
                    [ReportField("chunks", chunks), ReportField("tokens", tokens, unit: "tokens")]
                )
            case .decoding(let steps): (.decode, "", [ReportField("tokens", steps, unit: "tokens")])
            }
        return TraceSpan(
            name, of: request,
            id: SpanID(name, of: request, attempt: attempt, part: UInt64(choice) << 32 | count),
            in: SpanID(.run, of: request, attempt: attempt), at: actor, reason: reason, start: start,
            fields: [ReportField("attempt", attempt.number), ReportField("choice", choice)] + fields)
    }

    private mutating func enter(_ phase: Phase, at moment: Instant) -> TraceSpan {
        let span = ended(at: moment)
        self.phase = phase
        start = moment
        count += 1
        return span
    }
}

extension BatchReport.State {
    /// Why a sequence in this state waits, and a number that tells its kinds of waits apart; nil where it runs.
    public var waitReason: (text: String, kind: Int)? {
        switch self {
        case .prefilling, .decoding: nil
        case .waitingForAdapter: ("its adapter is being mapped", 0)
        case .waitingForAdapterSlot(let count): ("all \(count) adapter slots are in use", 1)
        case .waitingForBlocks(let needed, let free): ("needs \(needed) KV blocks, \(free) are free", 2)
        case .waitingForRunningCount(let max): ("\(max) sequences run, which is the most", 3)
        case .waitingForTurn: ("older sequences take the step's rows", 4)
        case .waitingForMemory(let needed, let free): ("needs \(needed) bytes of the memory, \(free) are free", 5)
        case .waitingForPrefix: ("another sequence computes the next tokens of its prompt", 6)
        }
    }
}
