extension MetricRegistry {
    /// Takes in what a node reports of itself at the moment of a scrape.
    ///
    /// - Parameter time: seconds since 1970, which `vllm:lora_requests_info` bears.
    public mutating func take(_ report: NodeReport, time: Double) {
        set(
            .nodeInformation,
            [report.name.text, report.version, report.incarnation.description, report.roles.joined(separator: ",")], 1)
        set(.nodeUptime, [], report.uptime.inSeconds)
        set(.nodeDegraded, [], report.state.name == "degraded" ? 1 : 0)
        set(.processorTime, [], report.processorTime.inSeconds)
        set(.residentBytes, [], Double(report.residentBytes))
        for peer in report.peers { set(.peersConnected, [peer.node.text], peer.state.name == "connected" ? 1 : 0) }
        for actor in report.actors { take(actor) }
        var states = ["queued": 0, "running": 0, "draining": 0]
        for request in report.requests { states[request.state.name, default: 0] += 1 }
        if report.roles.contains("router") {
            for (state, count) in states { set(.requestsOpen, [state], Double(count)) }
        }
        for tenant in report.tenants where report.roles.contains("tenant-queue") {
            // A router's page names tenants too, without a lane.
            add(.tenantWaiting, [tenant.name.text], Double(tenant.waitingCount))
            add(.tenantRunning, [tenant.name.text], Double(tenant.runningCount))
        }
        for adapter in report.adapters {
            set(.adapterState, [adapter.name.text], adapter.residency == .resident ? 1 : 0)
            set(.adapterBytes, [adapter.name.text], Double(adapter.byteCount))
        }
        for worker in report.workers { take(worker, time: time) }
    }

    private mutating func take(_ actor: ActorReport) {
        set(.actorMailbox, [actor.id], Double(actor.mailboxDepth))
        set(.actorOldest, [actor.id], actor.oldestAge.inSeconds)
        set(.actorCallsInFlight, [actor.id], Double(actor.calls.count))
        set(.actorStuck, [actor.id], actor.state.name == "stuck" ? 1 : 0)
        for method in actor.methods {
            set(.actorCalls, [actor.id, method.method], Double(method.callCount))
            set(.actorErrors, [actor.id, method.method], Double(method.errorCount))
        }
    }

    private mutating func take(_ worker: WorkerReport, time: Double) {
        let labels = [worker.group.text, String(worker.rank)]
        set(.workerRunning, labels, Double(worker.runningCount))
        set(.workerWaiting, labels, Double(worker.waitingCount))
        set(.workerBlocks, labels, Double(worker.blockCount))
        set(.workerBlocksUsed, labels, Double(worker.blocksUsed))
        set(.workerEpoch, labels, Double(worker.epoch.number))
        set(.workerUp, labels, worker.epoch.number > 0 ? 1 : 0)
    }
}
