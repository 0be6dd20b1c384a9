/// Follows one request at its router: makes spans of its queueing, its runs and its drain, attempt by attempt.
public struct RequestTrace: Sendable {
    private var root: TraceSpan
    /// What lasts now: a queue, a run or a drain.
    private var phase: TraceSpan?
    private var firstToken: Instant?

    public init(
        _ request: RequestID, tenant: TenantName, model: String, promptTokenCount: Int, at actor: String,
        started: Instant
    ) {
        root = TraceSpan(
            .request, of: request, id: SpanID(.request, of: request), in: nil, at: actor, start: started,
            fields: [
                ReportField("tenant", tenant.text), ReportField("model", model),
                ReportField("prompt", promptTokenCount, unit: "tokens"),
            ])
    }

    /// When it was heard.
    public var started: Instant { root.start }

    /// An attempt was queued: the first, or the next after a loss or a refusal.
    public mutating func enqueued(_ attempt: Attempt, now: Instant) -> [TraceSpan] {
        root.end = nil
        root.error = nil
        return [root]
            + enter(
                TraceSpan(
                    .queue, of: root.request, id: SpanID(.queue, of: root.request, attempt: attempt), in: root.id,
                    at: root.actor, reason: attempt.number == 1 ? "waits for a worker group" : "is tried again",
                    start: now,
                    fields: [ReportField("attempt", attempt.number)]), now: now)
    }

    /// The attempt went to a group.
    public mutating func dispatched(_ attempt: Attempt, to group: GroupEpoch, now: Instant) -> [TraceSpan] {
        enter(
            TraceSpan(
                .run, of: root.request, id: SpanID(.run, of: root.request, attempt: attempt), in: root.id,
                at: root.actor,
                reason: "at \(group.group)", start: now,
                fields: [ReportField("attempt", attempt.number), ReportField("group", group.description)]), now: now)
    }

    /// The first token came.
    public mutating func tokenCame(now: Instant) {
        if firstToken == nil { firstToken = now }
    }

    /// All tokens of a run are here; nothing happens where none runs.
    public mutating func generated(now: Instant) -> [TraceSpan] {
        guard phase?.name == .run else { return [] }
        return enter(
            TraceSpan(
                .drain, of: root.request, id: SpanID(.drain, of: root.request), in: root.id, at: root.actor,
                reason: "waits until its client has taken the tokens", start: now), now: now)
    }

    /// The one terminal event.
    public mutating func ended(generatedTokenCount: Int, error: String?, now: Instant) -> [TraceSpan] {
        var spans: [TraceSpan] = []
        if var last = phase {
            last.end = now
            if last.name != .drain { last.error = error }
            spans.append(last)
        }
        phase = nil
        root.end = now
        root.error = error
        root.fields.removeAll { $0.key == "generated" || $0.key == "first token" }
        root.fields.append(ReportField("generated", generatedTokenCount, unit: "tokens"))
        if let firstToken {
            let (seconds, attoseconds) = firstToken.duration(since: root.start).components
            root.fields.append(
                ReportField("first token", Double(seconds) + Double(attoseconds) / 1e18, unit: "seconds"))
        }
        return spans + [root]
    }

    private mutating func enter(_ span: TraceSpan, now: Instant) -> [TraceSpan] {
        defer { phase = span }
        guard var last = phase, last.id != span.id else { return [span] }
        last.end = now
        // A queue that follows a run: the run came to nothing.
        if last.name == .run, span.name == .queue { last.error = "given up" }
        return [last, span]
    }
}
