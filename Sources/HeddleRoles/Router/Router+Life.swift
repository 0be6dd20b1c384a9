import HeddleActors
import HeddleCore

/// How a router begins, what time brings, and what it tells of itself.
extension Router {
    /// Starts to listen to clients and to watch whom the requests depend on.
    func begin() {
        let events = port.events
        let me = self
        tasks.append(
            Task.detached {
                for await event in events { await me.whenLocal { $0.heard(event) } }
            })
        tasks.append(
            Task.detached {
                while (try? await Task.sleep(for: .milliseconds(100))) != nil {
                    await me.whenLocal { $0.tick() }
                }
            })
        for (model, queue) in place.queues.sorted(by: { $0.key < $1.key }) {
            let events = actorSystem.events(of: queue.node)
            tasks.append(
                Task.detached {
                    for await event in events {
                        if case .up = event { await me.whenLocal { $0.carry($0.table.queueUp(model: model, now: now())) } }
                    }
                })
        }
        for (group, worker) in place.workers.sorted(by: { $0.key < $1.key }) {
            let events = actorSystem.events(of: worker.node)
            tasks.append(
                Task.detached {
                    var absence = Absence()
                    for await event in events where absence.isReturn(event) {
                        await me.whenLocal { $0.carry($0.table.groupReturned(group, now: now())) }
                    }
                })
        }
        publish()
    }

    private func tick() {
        for client in sessions.ticked(at: now()) + gone { carry(table.clientGone(client, now: now())) }
        gone = []
        carry(table.tick(now: now()))
        publish()
    }

    /// Ends every open request with `shutting_down`.
    func stop() {
        carry(table.shutDown(now: now()))
        encoder.stop()
        schemaReader.stop()
        for task in tasks { task.cancel() }
        for outbox in queues.values { outbox.close() }
        for outbox in workers.values { outbox.close() }
    }

    func publishIfDue() {
        if now().duration(since: published) >= .milliseconds(100) { publish() }
    }

    func publish() {
        published = now()
        let requests = table.report()
        let open = requests.filter(\.isOpen)
        var page = InspectionBoard.Page(
            published: published, state: StateReport(open.isEmpty ? "idle" : "serving", reason: "\(open.count) open requests"))
        page.fields = [
            ReportField("clients", sessions.clientCount), ReportField("open requests", open.count),
            ReportField("remembered requests", requests.count - open.count),
            ReportField("being admitted", admitting.count), ReportField("accepted", table.counts.accepted),
            ReportField("finished", table.counts.finished), ReportField("failed", table.counts.failed),
            ReportField("refused", usageByTenant.values.reduce(0) { $0 + $1.refusedCount } + UInt64(table.counts.refused)),
            ReportField("resumed", table.counts.resumed), ReportField("losses", table.counts.losses),
            ReportField("stale frames", table.counts.stale), ReportField("duplicates", table.counts.duplicates),
            ReportField("gaps", table.counts.gaps),
        ]
        page.tables = [
            ReportTable(
                title: "outboxes", columns: ["to", "waiting"],
                rows: queues.sorted { $0.key < $1.key }.map { ["tenant-queue \($0.key)", "\($0.value.depth)"] }
                    + workers.sorted { $0.key < $1.key }.map { ["group \($0.key)", "\($0.value.depth)"] })
        ]
        page.tenants = usageByTenant.sorted { $0.key < $1.key }.map { name, usage in
            TenantReport(
                name: name, tokensIn: usage.tokensIn, tokensOut: usage.tokensOut, refusedCount: usage.refusedCount)
        }
        page.requests = open.prefix(place.reportedRequestCountMax).map { report($0) }
        board.publish(page, for: id.description)
    }

    private func report(_ request: RequestReport) -> OpenRequestReport {
        let (name, reason, group): (String, String, GroupName?) =
            switch request.state {
            case .queued: ("queued", "waits for a worker group", nil)
            case .refused: ("queued", "a group refused it; it is tried again", nil)
            case .running(let group): ("running", "", group.group)
            case .waitingForCredit: ("draining", "waits for the client's credit", nil)
            case .finished: ("finished", "", nil)
            case .failed(let error): ("failed", error.code, nil)
            case .abandoned: ("abandoned", "its client went", nil)
            }
        return OpenRequestReport(
            id: request.request, tenant: request.tenant, model: request.adapter?.name.text ?? request.model.text,
            state: StateReport(name, reason: reason, since: published.duration(since: request.since)),
            age: published.duration(since: request.accepted), promptTokenCount: request.promptTokenCount,
            generatedTokenCount: request.generatedTokenCounts.reduce(0, +), attempt: request.attempt, group: group,
            router: reference.node)
    }
}
