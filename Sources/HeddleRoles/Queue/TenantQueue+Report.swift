import HeddleCore

/// What the queue tells of itself: lanes, groups, and why the head of each lane waits.
extension TenantQueue {
    func publishIfDue() {
        if now().duration(since: published) >= .milliseconds(100) { publish() }
    }

    func publish() {
        published = now()
        let report = core.report()
        noteWaits(report)
        let state: StateReport
        if report.groups.isEmpty {
            state = StateReport("waiting", reason: "no worker group of \(model) is up")
        } else {
            state = StateReport(
                report.waitingCount + report.runningCount == 0 ? "idle" : "serving",
                reason: "\(report.waitingCount) wait, \(report.runningCount) run")
        }
        var page = InspectionBoard.Page(published: published, state: state)
        page.fields = [
            ReportField("model", model.text), ReportField("waiting", report.waitingCount),
            ReportField("running", report.runningCount), ReportField("assigned", report.counts.assigned),
            ReportField("given back", report.counts.returned), ReportField("rejected", report.counts.rejected),
            ReportField("stale tickets", report.counts.staleTickets),
            ReportField("stale reports", report.counts.staleReports),
            ReportField("stale groups", report.counts.staleGroups),
        ]
        let moment = published
        page.tables = [
            ReportTable(
                title: "lanes",
                columns: ["tenant", "weight", "counter", "waiting", "running", "head waits", "because"],
                rows: report.tenants.prefix(256).map { lane in
                    [
                        lane.tenant.text, "\(lane.weight)", "\(lane.counter)", "\(lane.waitingCount)",
                        "\(lane.runningCount)", lane.head.map { moment.duration(since: $0.since).formatted } ?? "–",
                        lane.head.map { Self.words($0.reason) } ?? "–",
                    ]
                }),
            ReportTable(
                title: "groups", columns: ["group", "sequences", "of", "KV tokens", "of", "adapters"],
                rows: report.groups.map { group in
                    [
                        group.id.description, "\(group.sequenceCount)", "\(group.capacity.sequenceCountMax)",
                        "\(group.kvTokenCount)", "\(group.capacity.kvTokenCountMax)", "\(group.adapters.count)",
                    ]
                }),
        ]
        page.tenants = report.tenants.map { lane in
            TenantReport(
                name: lane.tenant, waitingCount: lane.waitingCount, runningCount: lane.runningCount,
                counter: Double(lane.counter))
        }
        board.publish(page, for: id.description)
    }

    /// Follows why each lane's first ticket waits.
    private func noteWaits(_ report: QueueReport) {
        let heads = report.tenants.compactMap(\.head)
        if heads.isEmpty, waits.isEmpty { return }
        let present = Set(heads.map(\.request))
        for request in waits.keys where !present.contains(request) { endWait(of: request) }
        for head in heads {
            let reason = Self.words(head.reason)
            let earlier = waits[head.request]
            if earlier?.reason == reason { continue }
            endWait(of: head.request)
            let span = TraceSpan(
                .lane, of: head.request,
                id: SpanID(.lane, of: head.request, attempt: head.attempt, part: published.nanoseconds),
                in: SpanID(.queue, of: head.request, attempt: head.attempt), at: id.description, reason: reason,
                // Before it came to the head it waited for its own tenant's requests.
                start: earlier == nil ? max(head.since, published.advanced(by: .milliseconds(-100))) : published)
            waits[head.request] = span
            log.journal.put(span)
        }
    }

    func endWait(of request: RequestID) {
        guard var span = waits.removeValue(forKey: request) else { return }
        span.end = now()
        log.journal.put(span)
    }

    private static func words(_ reason: QueueReport.Reason) -> String {
        switch reason {
        case .noGroup: "no group is up"
        case .noRoom: "no group has room"
        case .turn: "another tenant is next"
        case .fitsNoGroup(let why): why
        }
    }
}
