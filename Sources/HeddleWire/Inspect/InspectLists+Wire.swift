import CHeddleWire
import HeddleCore

// The lists of a NodeReport beside its actors: tenants, adapters, workers, requests.

extension MessageArena {
    func tenant(_ report: TenantReport) -> UnsafeMutablePointer<Heddle__Inspect__V1__TenantReport> {
        make(heddle__inspect__v1__tenant_report__init) { message in
            message.name = bytes(report.name.text)
            message.waiting = UInt64(clamping: report.waitingCount)
            message.running = UInt64(clamping: report.runningCount)
            message.counter = report.counter
            message.tokens_in = report.tokensIn
            message.tokens_out = report.tokensOut
            message.refused = report.refusedCount
        }
    }

    func adapter(
        _ report: AdapterReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__AdapterReport> {
        make(heddle__inspect__v1__adapter_report__init) { message in
            message.name = bytes(report.name.text)
            message.digest = bytes(report.digest?.bytes ?? [])
            message.rank = UInt32(clamping: report.rank)
            message.bytes = report.byteCount
            message.state = state(
                StateReport(report.residency.rawValue, reason: report.reason, since: report.since), limits)
            (message.n_places, message.places) = texts(report.places, limits)
            message.running = UInt64(clamping: report.runningCount)
        }
    }

    func worker(
        _ report: WorkerReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__WorkerReport> {
        make(heddle__inspect__v1__worker_report__init) { message in
            message.group = bytes(report.group.text)
            message.rank = UInt32(clamping: report.rank)
            message.rank_count = UInt32(clamping: report.rankCount)
            message.node = bytes(report.node.text)
            message.epoch = report.epoch.number
            message.state = state(report.state, limits)
            message.running = UInt64(clamping: report.runningCount)
            message.waiting = UInt64(clamping: report.waitingCount)
            message.rows = UInt64(clamping: report.rowCount)
            message.step_microseconds = report.stepTime.wireMicroseconds
            message.tokens_per_second = report.tokensPerSecond
            message.blocks_used = UInt64(clamping: report.blocksUsed)
            message.blocks = UInt64(clamping: report.blockCount)
            (message.n_adapters, message.adapters) = texts(report.adapters.map(\.text), limits)
        }
    }

    func request(
        _ report: OpenRequestReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__RequestReport> {
        make(heddle__inspect__v1__request_report__init) { message in
            message.request_id = bytes(report.id.bytes)
            message.tenant = bytes(report.tenant.text)
            message.model = text(report.model, limits)
            message.state = state(report.state, limits)
            message.age_microseconds = report.age.wireMicroseconds
            message.prompt_tokens = UInt64(clamping: report.promptTokenCount)
            message.generated_tokens = UInt64(clamping: report.generatedTokenCount)
            message.attempt = report.attempt.number
            message.group = bytes(report.group?.text ?? "")
            message.router = bytes(report.router.text)
        }
    }
}

extension ReportReader {
    func tenant(_ message: Heddle__Inspect__V1__TenantReport) throws -> TenantReport {
        TenantReport(
            name: TenantName(try name(message.name, "tenant", TenantName.isValid)),
            waitingCount: Int(clamping: message.waiting), runningCount: Int(clamping: message.running),
            counter: try finite(message.counter, "counter"), tokensIn: message.tokens_in,
            tokensOut: message.tokens_out, refusedCount: message.refused)
    }

    func adapter(_ message: Heddle__Inspect__V1__AdapterReport) throws -> AdapterReport {
        let state = try state(message.state)
        guard let residency = AdapterReport.Residency(rawValue: state.name) else {
            throw ClientFrameError("an adapter is in the unknown state “\(state.name)”")
        }
        let digest = Digest(message.digest.array)
        guard digest != nil || message.digest.len == 0 else {
            throw ClientFrameError("digest has \(Digest.byteCount) bytes; this one has \(message.digest.len)")
        }
        return AdapterReport(
            name: AdapterName(try name(message.name, "adapter", AdapterName.isValid)), digest: digest,
            rank: Int(message.rank), byteCount: message.bytes, residency: residency, reason: state.reason,
            since: state.since, places: try texts(message.places, message.n_places, "places"),
            runningCount: Int(clamping: message.running))
    }

    func worker(_ message: Heddle__Inspect__V1__WorkerReport) throws -> WorkerReport {
        WorkerReport(
            group: GroupName(try name(message.group, "group", GroupName.isValid)), rank: Int(message.rank),
            rankCount: Int(message.rank_count), node: NodeName(try name(message.node, "node", NodeName.isValid)),
            epoch: Epoch(message.epoch), state: try state(message.state), runningCount: Int(clamping: message.running),
            waitingCount: Int(clamping: message.waiting), rowCount: Int(clamping: message.rows),
            stepTime: Duration(wireMicroseconds: message.step_microseconds),
            tokensPerSecond: try finite(message.tokens_per_second, "tokens_per_second"),
            blocksUsed: Int(clamping: message.blocks_used), blockCount: Int(clamping: message.blocks),
            adapters: try texts(message.adapters, message.n_adapters, "adapters").map { text in
                guard AdapterName.isValid(text) else { throw ClientFrameError("adapters holds what is not a name") }
                return AdapterName(text)
            })
    }

    func request(_ message: Heddle__Inspect__V1__RequestReport) throws -> OpenRequestReport {
        OpenRequestReport(
            id: try requestID(message.request_id),
            tenant: TenantName(try name(message.tenant, "tenant", TenantName.isValid)),
            model: try text(message.model, "model"), state: try state(message.state),
            age: Duration(wireMicroseconds: message.age_microseconds),
            promptTokenCount: Int(clamping: message.prompt_tokens),
            generatedTokenCount: Int(clamping: message.generated_tokens), attempt: Attempt(message.attempt),
            group: message.group.len == 0 ? nil : GroupName(try name(message.group, "group", GroupName.isValid)),
            router: NodeName(try name(message.router, "router", NodeName.isValid)))
    }
}
