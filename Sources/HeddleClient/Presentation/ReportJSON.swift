import HeddleCore

/// Reports as JSON for programs: snake case, durations in seconds, sizes in bytes.
enum ReportJSON {
    static func node(_ report: NodeReport) -> JSONValue {
        .object([
            .init("name", .text(report.name.text)), .init("incarnation", .text(report.incarnation.description)),
            .init("pid", .count(report.processID)), .init("version", .text(report.version)),
            .init("host", .text(report.host)), .init("roles", .texts(report.roles)),
            .init("state", state(report.state)),
            .init("uptime_seconds", .seconds(report.uptime)),
            .init("cpu_seconds", .seconds(report.processorTime)), .init("resident_bytes", .count(report.residentBytes)),
            .init(
                "endpoints",
                .array(
                    report.endpoints.map {
                        .object([.init("purpose", .text($0.purpose)), .init("address", .text($0.address))])
                    })),
            .init(
                "peers",
                .array(
                    report.peers.map {
                        .object([.init("node", .text($0.node.text)), .init("state", state($0.state))])
                    })),
        ])
    }

    static func actor(_ report: ActorReport) -> JSONValue {
        .object([
            .init("id", .text(report.id)), .init("role", .text(report.role)), .init("node", .text(report.node.text)),
            .init("state", state(report.state)), .init("mailbox_depth", .count(report.mailboxDepth)),
            .init("mailbox_depth_max", .count(report.mailboxDepthMax)),
            .init("oldest_seconds", .seconds(report.oldestAge)),
            .init("calls", .array(report.calls.map(call))), .init("methods", .array(report.methods.map(method))),
            .init("restarts", .count(report.restarts)),
            .init("fields", .array(report.fields.map(field))), .init("tables", .array(report.tables.map(table))),
        ])
    }

    private static func call(_ call: ActorReport.CallReport) -> JSONValue {
        .object([
            .init("method", .text(call.method)), .init("elapsed_seconds", .seconds(call.elapsed)),
            .init("caller", .text(call.caller)),
        ])
    }

    private static func method(_ method: ActorReport.MethodReport) -> JSONValue {
        .object([
            .init("method", .text(method.method)), .init("calls", .count(method.callCount)),
            .init("errors", .count(method.errorCount)), .init("p50_seconds", .seconds(method.p50)),
            .init("p99_seconds", .seconds(method.p99)), .init("calls_per_second", .number(method.callsPerSecond)),
        ])
    }

    static func field(_ field: ReportField) -> JSONValue {
        let value: JSONValue =
            switch field.value {
            case .text(let text): .text(text)
            case .integer(let integer): .integer(integer)
            case .number(let number): .number(number)
            }
        return .object([.init("key", .text(field.key)), .init("value", value), .init("unit", .text(field.unit))])
    }

    private static func table(_ table: ReportTable) -> JSONValue {
        .object([
            .init("title", .text(table.title)), .init("columns", .texts(table.columns)),
            .init("rows", .array(table.rows.map(JSONValue.texts))),
        ])
    }

    static func tenant(_ report: TenantReport) -> JSONValue {
        .object([
            .init("name", .text(report.name.text)), .init("waiting", .count(report.waitingCount)),
            .init("running", .count(report.runningCount)), .init("counter", .number(report.counter)),
            .init("tokens_in", .count(report.tokensIn)), .init("tokens_out", .count(report.tokensOut)),
            .init("refused", .count(report.refusedCount)),
        ])
    }

    static func adapter(_ report: AdapterReport) -> JSONValue {
        .object([
            .init("name", .text(report.name.text)),
            .init("digest", report.digest.map { .text($0.description) } ?? .null), .init("rank", .count(report.rank)),
            .init("bytes", .count(report.byteCount)),
            .init("state", state(StateReport(report.residency.rawValue, reason: report.reason, since: report.since))),
            .init("places", .texts(report.places)), .init("running", .count(report.runningCount)),
        ])
    }

    static func worker(_ report: WorkerReport) -> JSONValue {
        .object([
            .init("group", .text(report.group.text)), .init("rank", .count(report.rank)),
            .init("rank_count", .count(report.rankCount)), .init("node", .text(report.node.text)),
            .init("epoch", .count(report.epoch.number)), .init("state", state(report.state)),
            .init("running", .count(report.runningCount)), .init("waiting", .count(report.waitingCount)),
            .init("rows", .count(report.rowCount)), .init("step_seconds", .seconds(report.stepTime)),
            .init("tokens_per_second", .number(report.tokensPerSecond)),
            .init("blocks_used", .count(report.blocksUsed)), .init("blocks", .count(report.blockCount)),
            .init("adapters", .texts(report.adapters.map(\.text))),
        ])
    }

    static func request(_ report: OpenRequestReport) -> JSONValue {
        .object([
            .init("id", .text(report.id.description)), .init("tenant", .text(report.tenant.text)),
            .init("model", .text(report.model)), .init("state", state(report.state)),
            .init("age_seconds", .seconds(report.age)), .init("prompt_tokens", .count(report.promptTokenCount)),
            .init("generated_tokens", .count(report.generatedTokenCount)),
            .init("attempt", .count(report.attempt.number)),
            .init("group", report.group.map { .text($0.text) } ?? .null), .init("router", .text(report.router.text)),
        ])
    }

    private static func state(_ state: StateReport) -> JSONValue {
        .object([
            .init("name", .text(state.name)), .init("reason", .text(state.reason)),
            .init("since_seconds", .seconds(state.since)),
        ])
    }
}

extension ReportJSON {
    static func notice(_ report: NoticeReport, node: NodeName) -> JSONValue {
        .object([
            .init("node", .text(node.text)), .init("number", .count(report.number)),
            .init("age_seconds", .seconds(report.age)), .init("level", .text(report.notice.level.rawValue)),
            .init("event", report.notice.kind.map { .text($0.rawValue) } ?? .null),
            .init("actor", .text(report.notice.actor)), .init("subject", .text(report.notice.subject)),
            .init("request", report.notice.request.map { .text($0.description) } ?? .null),
            .init("text", .text(report.notice.text)),
        ])
    }

    static func span(_ report: SpanReport, start: Duration) -> JSONValue {
        .object([
            .init("id", .text(report.id.description)),
            .init("parent", report.parent.map { .text($0.description) } ?? .null),
            .init("name", .text(report.name.rawValue)), .init("actor", .text(report.actor)),
            .init("reason", .text(report.reason)), .init("start_seconds", .seconds(start)),
            .init("duration_seconds", .seconds(report.duration)), .init("open", .boolean(report.isOpen)),
            .init("fields", .array(report.fields.map(field))), .init("error", report.error.map { .text($0) } ?? .null),
        ])
    }
}

extension JSONValue {
    /// The member that a dotted path names.
    func member(at path: String) -> JSONValue? {
        var value = self
        for key in path.split(separator: ".") {
            guard case .object(let members) = value, let member = members.first(where: { $0.key == key }) else {
                return nil
            }
            value = member.value
        }
        return value
    }

    var memberKeys: [String] {
        if case .object(let members) = self { members.map(\.key) } else { [] }
    }

    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .null, .boolean, .text, .array, .object: nil
        }
    }
}

extension MeshPicture {
    /// One list, with the nodes that did not answer beside it.
    public func json(_ subject: Listing.Subject, name: String? = nil) -> JSONValue {
        json(Listing(subject, of: self, name: name), of: subject)
    }

    /// A list as it is sorted.
    public func json(_ listing: Listing, of subject: Listing.Subject) -> JSONValue {
        .object([
            .init(subject.rawValue, .array(listing.entries)),
            .init(
                "missing",
                .array(
                    missing.map {
                        .object([.init("node", .text($0.node.text)), .init("reason", .text($0.reason))])
                    })),
            .init("omitted", .count(omittedCount)),
        ])
    }
}
