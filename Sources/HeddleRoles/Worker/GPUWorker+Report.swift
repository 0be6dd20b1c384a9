import HeddleActors
import HeddleCore

/// What a rank tells: answers to the routers, and its state to whoever inspects it.
extension GPUWorker {
    /// Queues an answer behind all earlier ones to this router.
    func answer(_ router: RouterRef, _ answer: WorkerAnswer) { outbox(for: router).post(answer) }

    private func outbox(for router: RouterRef) -> Outbox<WorkerAnswer> {
        if let outbox = outboxes[router] { return outbox }
        let identity = ActorIdentity(
            node: router.node, role: .router, name: .only, incarnation: router.incarnation)
        let (log, group) = (log, place.group)
        let outbox = Outbox<WorkerAnswer>(
            send: { [actorSystem] answers in
                try await Router.resolve(id: identity, using: actorSystem).receive(answers, fromGroup: group)
            },
            gaveUp: { count, reason in log.warn("router \(router.node) did not take \(count) answers: \(reason)") })
        outboxes[router] = outbox
        let (me, events) = (self, actorSystem.watch(node: router.node))
        watches.append(
            Task.detached {
                for await event in events {
                    guard event.isEnd(of: router.incarnation) else { continue }
                    await me.whenLocal { $0.routerLost(router) }
                    return
                }
            })
        return outbox
    }

    /// A router that is gone owns nothing: its requests leave before the next step.
    private func routerLost(_ router: RouterRef) {
        outboxes.removeValue(forKey: router)?.close()
        for (request, owner) in owners.sorted(by: { $0.key < $1.key }) where owner.router == router {
            carry(scheduler.cancel(request))
        }
        wake()
    }

    /// Ends the rank's part for good.
    func stop() {
        isEnding = true
        alarm?.cancel()
        opening?.interruption.raise()
        for watch in watches { watch.cancel() }
        if let session {
            session.engine.abort()
            if let follower = session.follower { _ = follower.join(timeout: .seconds(2)) }
        }
        session = nil
    }

    /// Publishes at most ten times a second while steps follow each other.
    func publishIfDue() {
        if now().duration(since: published) >= .milliseconds(100) { publish() }
    }

    func publish() {
        published = now()
        let report = scheduler.report()
        let state: StateReport
        if session != nil {
            state =
                place.isFirst
                ? StateReport(scheduler.isIdle ? "idle" : "running", reason: "")
                : StateReport("following", reason: "rank 0 plans")
        } else {
            state = StateReport("waiting", reason: place.isFirst ? formation.report().reason : "rank 0 calls the ranks")
        }
        noteProgress(report)
        let follower = session?.follower?.present
        let worker = WorkerReport(
            group: place.group, rank: place.rank, rankCount: place.ranks.count, node: actorSystem.node,
            epoch: session?.id.epoch ?? Epoch(0), state: state, runningCount: report.running.count,
            waitingCount: report.waiting.count, rowCount: follower?.rowCount ?? meter.rowCount,
            stepTime: meter.stepTime,
            tokensPerSecond: meter.tokensPerSecond(at: now()), blocksUsed: report.heldBlockCount,
            blockCount: report.blockCount, adapters: session?.engine.adapters ?? [])
        var page = InspectionBoard.Page(published: published, state: state)
        page.workers = [worker]
        page.fields = [
            ReportField("group", place.group.text), ReportField("rank", place.rank),
            ReportField("ranks", place.ranks.count), ReportField("model", place.model.text),
            ReportField("model digest", shard.digest.short), ReportField("epoch", session?.id.epoch.number ?? 0),
            ReportField("steps", follower?.stepCount ?? meter.stepCount),
            ReportField("generated", meter.tokenCount, unit: "tokens"),
            ReportField("admitted", report.counts.admitted), ReportField("finished", report.counts.finished),
            ReportField("failed", report.counts.failed), ReportField("cancelled", report.counts.cancelled),
            ReportField("preempted", report.counts.preempted),
            ReportField("recomputed", report.counts.recomputedTokens, unit: "tokens"),
            ReportField("prefix tokens looked up", report.counts.startedTokens, unit: "tokens"),
            ReportField("prefix tokens found", report.counts.cachedTokens, unit: "tokens"),
            ReportField("prefix hit rate", Self.rate(report.counts)),
            ReportField("prefix blocks", report.keptBlockCount),
            ReportField("blocks with memory", report.residentBlockCount),
            ReportField("adapter loads", report.counts.adapterLoads),
            ReportField("adapter evictions", report.counts.adapterEvictions),
            ReportField("adapter memory", report.adapterBytes, unit: "bytes"),
        ]
        let moment = published
        page.tables = [
            ReportTable(
                title: "sequences",
                columns: ["request", "choice", "tenant", "adapter", "state", "for", "tokens", "computed", "blocks"],
                rows: (report.running + report.waiting).prefix(256).map { sequence in
                    [
                        String(sequence.request.description.prefix(8)), "\(sequence.choice)", sequence.tenant.text,
                        sequence.adapter?.name.text ?? "–", Self.words(sequence.state),
                        moment.duration(since: sequence.since).formatted, "\(sequence.tokenCount)",
                        "\(sequence.computedTokenCount)", "\(sequence.blockCount)",
                    ]
                })
        ]
        board.publish(page, for: id.description)
    }

    /// How much of what sequences had when they started was found.
    private static func rate(_ counts: BatchReport.Counts) -> String {
        if counts.startedTokens == 0 { return "–" }
        return "\(counts.cachedTokens * 100 / counts.startedTokens) %"
    }

    private static func words(_ state: BatchReport.State) -> String {
        switch state {
        case .prefilling: "prefilling"
        case .decoding: "decoding"
        case .waitingForAdapter: "waits for its adapter"
        case .waitingForAdapterSlot(let count): "waits for one of \(count) adapter slots"
        case .waitingForBlocks(let needed, let free): "waits for \(needed) blocks, \(free) are free"
        case .waitingForRunningCount(let max): "waits: \(max) sequences run"
        case .waitingForMemory(let needed, let free): "waits for \(needed) bytes of memory, \(free) are free"
        case .waitingForPrefix(let other): "waits for sequence \(other) to compute what both begin with"
        case .waitingForTurn: "waits its turn"
        }
    }
}
