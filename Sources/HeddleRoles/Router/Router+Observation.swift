import HeddleCore

/// What a router keeps of its requests for whoever looks: spans, events, numbers. Nothing here decides anything.
extension Router {
    /// A submission was checked: what its adapter's description and its tokens took.
    func noteAdmitted(_ request: RequestID, started: Instant, described: Instant, promptTokenCount: Int) {
        let (end, root) = (now(), SpanID(.request, of: request))
        let admit = SpanID(.admit, of: request)
        log.journal.put([
            // The request itself comes first, so that a trace that is cut still has it.
            TraceSpan(.request, of: request, id: root, in: nil, at: log.actor, start: started),
            TraceSpan(.admit, of: request, id: admit, in: root, at: log.actor, start: started, end: end),
            TraceSpan(
                .describeAdapter, of: request, id: SpanID(.describeAdapter, of: request), in: admit, at: log.actor,
                start: started, end: described),
            TraceSpan(
                .tokenise, of: request, id: SpanID(.tokenise, of: request), in: admit, at: log.actor, start: described,
                end: end, fields: [ReportField("prompt", promptTokenCount, unit: "tokens")]),
        ])
    }

    func noteRefused(_ request: RequestID, of tenant: TenantName?, _ error: RequestError) {
        log.info(
            .requestRefused, about: tenant?.text ?? "", request: request,
            "request \(request) was refused: \(error.code)")
        log.journal.measure { $0.add(.requestsRefused, [tenant?.text ?? "", error.code]) }
        // What runs under this id, where something does, keeps its trace.
        guard streams[request] == nil else { return }
        let moment = now()
        log.journal.put(
            TraceSpan(
                .request, of: request, id: SpanID(.request, of: request), in: nil, at: log.actor,
                reason: "was refused", start: moment, end: moment, error: error.code))
    }

    func noteEnqueued(_ ticket: Ticket) {
        log.journal.put(streams[ticket.request]?.trace.enqueued(ticket.attempt, now: now()) ?? [])
        guard ticket.attempt.number > 1 else { return }
        log.info(
            .requestReplayed, about: ticket.tenant.text, request: ticket.request,
            "request \(ticket.request) goes on as attempt \(ticket.attempt) from \(ticket.generatedTokenCount) tokens")
        log.journal.measure { $0.add(.requestsReplayed) }
    }

    func noteDispatched(_ assignment: Assignment, to group: GroupEpoch) {
        guard let stream = streams[assignment.request] else { return }
        let moment = now()
        if assignment.attempt.number == 1 {
            log.journal.measure {
                $0.observe(.requestQueue, [assignment.tenant.text], moment.duration(since: stream.started))
            }
        }
        log.journal.put(
            streams[assignment.request]?.trace.dispatched(assignment.attempt, to: group, now: moment) ?? [])
    }

    /// A request came to its terminal event.
    func noteSettled(_ settlement: Settlement) {
        let (request, usage, moment) = (settlement.request, settlement.usage, now())
        let error = settlement.error?.code
        if let error {
            log.info(
                .requestFailed, about: settlement.tenant.text, request: request, "request \(request) ended: \(error)")
        }
        log.journal.put(
            streams[request]?.trace.ended(generatedTokenCount: usage.generatedTokenCount, error: error, now: moment)
                ?? [])
        let stream = streams[request]
        let model = table.submission(request).map { $0.adapter?.name.text ?? $0.model.text } ?? ""
        let tenant = settlement.tenant.text
        log.journal.measure { registry in
            registry.add(.requestsEnded, [tenant, error ?? "finished"])
            registry.add(.requestPromptTokens, [tenant, model], Double(usage.promptTokenCount))
            registry.add(.requestGeneratedTokens, [tenant, model], Double(usage.generatedTokenCount))
            guard let stream else { return }
            registry.observe(.requestDuration, [tenant], moment.duration(since: stream.trace.started))
            if let first = stream.firstToken {
                registry.observe(.requestFirstToken, [tenant], first.duration(since: stream.trace.started))
            }
        }
    }
}
