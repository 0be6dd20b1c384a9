import CHeddleWire
import HeddleCore

// MARK: Writing

extension MessageArena {
    func pack(_ reply: InspectReply, limits: InspectionLimits) -> [UInt8] {
        pack(
            make(heddle__inspect__v1__inspect_reply__init) { message in
                message.number = reply.number
                switch reply.outcome {
                case .report(let report):
                    message.outcome_case = HEDDLE__INSPECT__V1__INSPECT_REPLY__OUTCOME_REPORT
                    message.report = node(report, limits: limits)
                case .refused(let reason):
                    message.outcome_case = HEDDLE__INSPECT__V1__INSPECT_REPLY__OUTCOME_REFUSAL
                    message.refusal = text(reason, limits)
                }
            })
    }

    private func node(
        _ report: NodeReport, limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__NodeReport> {
        let actors = report.actors.prefix(limits.entryCountMax).map { actor($0, limits) }
        let tenants = report.tenants.prefix(limits.entryCountMax).map { tenant($0) }
        let adapters = report.adapters.prefix(limits.entryCountMax).map { adapter($0, limits) }
        let workers = report.workers.prefix(limits.entryCountMax).map { worker($0, limits) }
        let requests = report.requests.prefix(limits.entryCountMax).map { request($0, limits) }
        let events = report.events.prefix(limits.entryCountMax).map { notice($0, limits) }
        let lines = report.lines.prefix(limits.entryCountMax).map { notice($0, limits) }
        let spans = report.spans.prefix(limits.entryCountMax).map { span($0, limits) }
        let endpoints = report.endpoints.prefix(limits.detailCountMax).map { endpoint in
            make(heddle__inspect__v1__endpoint__init) {
                $0.purpose = text(endpoint.purpose, limits)
                $0.address = text(endpoint.address, limits)
            }
        }
        let peers = report.peers.prefix(limits.entryCountMax).map { peer in
            make(heddle__inspect__v1__peer_report__init) {
                $0.node = bytes(peer.node.text)
                $0.state = state(peer.state, limits)
            }
        }
        let entryCount =
            report.actors.count + report.tenants.count + report.adapters.count + report.workers.count
            + report.requests.count + report.events.count + report.lines.count + report.spans.count
        return make(heddle__inspect__v1__node_report__init) { message in
            message.name = bytes(report.name.text)
            message.incarnation = bytes(report.incarnation.bytes)
            message.pid = report.processID
            message.version = text(report.version, limits)
            message.host = text(report.host, limits)
            (message.n_roles, message.roles) = texts(report.roles, limits)
            message.uptime_microseconds = report.uptime.wireMicroseconds
            (message.n_endpoints, message.endpoints) = (endpoints.count, messages(endpoints))
            (message.n_peers, message.peers) = (peers.count, messages(peers))
            message.cpu_microseconds = report.processorTime.wireMicroseconds
            message.resident_bytes = report.residentBytes
            message.state = state(report.state, limits)
            (message.n_actors, message.actors) = (actors.count, messages(actors))
            (message.n_tenants, message.tenants) = (tenants.count, messages(tenants))
            (message.n_adapters, message.adapters) = (adapters.count, messages(adapters))
            (message.n_workers, message.workers) = (workers.count, messages(workers))
            (message.n_requests, message.requests) = (requests.count, messages(requests))
            (message.n_events, message.events) = (events.count, messages(events))
            (message.n_lines, message.lines) = (lines.count, messages(lines))
            (message.n_spans, message.spans) = (spans.count, messages(spans))
            message.missed = report.missedCount
            let written =
                actors.count + tenants.count + adapters.count + workers.count + requests.count + events.count
                + lines.count + spans.count
            message.omitted = UInt64(clamping: report.omittedCount) &+ UInt64(entryCount - written)
        }
    }

    func text(_ text: String, _ limits: InspectionLimits) -> ProtobufCBinaryData {
        bytes(text.cut(byteCountMax: limits.textByteCountMax))
    }

    func texts(
        _ list: [String], _ limits: InspectionLimits
    ) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
        let list = list.prefix(limits.detailCountMax).map { text($0, limits) }
        return (list.count, array(list))
    }

    func state(
        _ state: StateReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__State> {
        make(heddle__inspect__v1__state__init) {
            $0.name = text(state.name, limits)
            $0.reason = text(state.reason, limits)
            $0.since_microseconds = state.since.wireMicroseconds
        }
    }
}

// MARK: Reading

func readInspectReply(_ payload: [UInt8], limits: InspectionLimits) throws -> InspectReply {
    let reply = try unpacking(
        payload, memoryFactor: 24, heddle__inspect__v1__inspect_reply__unpack,
        heddle__inspect__v1__inspect_reply__free_unpacked
    ) { message in
        let reader = ReportReader(limits: limits)
        switch message.outcome_case {
        case HEDDLE__INSPECT__V1__INSPECT_REPLY__OUTCOME_REPORT:
            guard let report = message.report else { throw ClientFrameError("the reply holds no report") }
            return InspectReply(number: message.number, outcome: .report(try reader.node(report.pointee)))
        case HEDDLE__INSPECT__V1__INSPECT_REPLY__OUTCOME_REFUSAL:
            return InspectReply(
                number: message.number, outcome: .refused(try reader.text(message.refusal, "refusal")))
        default: throw ClientFrameError("the reply holds neither a report nor a refusal")
        }
    }
    guard let reply else { throw ClientFrameError("the payload is not an InspectReply") }
    return reply
}

/// Reads reports out of unpacked messages, within the limits.
struct ReportReader {
    let limits: InspectionLimits

    func node(_ message: Heddle__Inspect__V1__NodeReport) throws -> NodeReport {
        NodeReport(
            name: NodeName(try name(message.name, "name", NodeName.isValid)),
            incarnation: try incarnation(message.incarnation), processID: message.pid,
            version: try text(message.version, "version"), host: try text(message.host, "host"),
            roles: try texts(message.roles, message.n_roles, "roles"), state: try state(message.state),
            uptime: Duration(wireMicroseconds: message.uptime_microseconds),
            endpoints: try list(message.endpoints, message.n_endpoints, "endpoints", limits.detailCountMax) {
                NodeReport.Endpoint(
                    purpose: try text($0.purpose, "purpose"), address: try text($0.address, "address"))
            },
            peers: try list(message.peers, message.n_peers, "peers", limits.entryCountMax) {
                NodeReport.PeerReport(
                    node: NodeName(try name($0.node, "node", NodeName.isValid)), state: try state($0.state))
            },
            processorTime: Duration(wireMicroseconds: message.cpu_microseconds), residentBytes: message.resident_bytes,
            actors: try list(message.actors, message.n_actors, "actors", limits.entryCountMax, actor),
            tenants: try list(message.tenants, message.n_tenants, "tenants", limits.entryCountMax, tenant),
            adapters: try list(message.adapters, message.n_adapters, "adapters", limits.entryCountMax, adapter),
            workers: try list(message.workers, message.n_workers, "workers", limits.entryCountMax, worker),
            requests: try list(message.requests, message.n_requests, "requests", limits.entryCountMax, request),
            events: try list(message.events, message.n_events, "events", limits.entryCountMax, notice),
            lines: try list(message.lines, message.n_lines, "lines", limits.entryCountMax, notice),
            spans: try list(message.spans, message.n_spans, "spans", limits.entryCountMax, span),
            missedCount: message.missed, omittedCount: Int(clamping: message.omitted))
    }

    func text(_ field: ProtobufCBinaryData, _ name: String) throws -> String {
        try sentence(field, name, byteCountMax: limits.textByteCountMax)
    }

    func texts(_ start: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int, _ name: String) throws -> [String] {
        try within(count, name, limits.detailCountMax)
        return try elements(start, count).map { try text($0, name) }
    }

    func list<Message, Value>(
        _ start: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int, _ name: String, _ countMax: Int,
        _ read: (Message) throws -> Value
    ) throws -> [Value] {
        try within(count, name, countMax)
        return try elements(start, count).compactMap { try ($0?.pointee).map(read) }
    }

    func within(_ count: Int, _ name: String, _ countMax: Int) throws {
        guard count <= countMax else {
            throw ClientFrameError("\(name) has \(count) entries; at most \(countMax) are allowed")
        }
    }

    func state(_ message: UnsafeMutablePointer<Heddle__Inspect__V1__State>?) throws -> StateReport {
        guard let message = message?.pointee else { throw ClientFrameError("a report has no state") }
        return StateReport(
            try text(message.name, "state.name"), reason: try text(message.reason, "state.reason"),
            since: Duration(wireMicroseconds: message.since_microseconds))
    }

    /// A number that arithmetic and tables can bear.
    func finite(_ number: Double, _ name: String) throws -> Double {
        guard number.isFinite else { throw ClientFrameError("\(name) is \(number), which is no finite number") }
        return number
    }
}
