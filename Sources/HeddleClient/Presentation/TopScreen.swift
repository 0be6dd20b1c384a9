import HeddleCore

/// The mesh on a terminal of a given size, as it is now: what is wrong, workers with bars, tenants, requests, actors.
public struct TopScreen: Sendable {
    /// What the lists are sorted by.
    public enum Order: String, CaseIterable, Hashable, Sendable {
        case load, age, name

        public var next: Order {
            switch self {
            case .load: .age
            case .age: .name
            case .name: .load
            }
        }
    }

    private let picture: MeshPicture
    private let cluster: String
    /// Sequences that each group may run at once.
    private let sequenceCounts: [GroupName: Int]

    public init(_ picture: MeshPicture, cluster: String, sequenceCounts: [GroupName: Int] = [:]) {
        self.picture = picture
        self.cluster = cluster
        self.sequenceCounts = sequenceCounts
    }

    public var diagnosis: Diagnosis { Diagnosis(picture) }

    /// Lines of at most `columnCount` characters, at most `rowCount` of them.
    public func lines(columnCount: Int, rowCount: Int, order: Order, _ paint: Paint = .plain) -> [String] {
        let columns = max(20, columnCount)
        let findings = diagnosis.findings
        let rate = picture.workers.reduce(0) { $0 + $1.tokensPerSecond }
        var head = [
            "heddle top, cluster \(cluster)   \(picture.nodes.count) of "
                + "\(picture.nodes.count + picture.missing.count) nodes   \(Quantities.decimal(rate)) tokens/s   "
                + "\(picture.requests.count) requests   by \(order.rawValue)"
        ]
        head += findings.prefix(4).map { "! " + $0.line }
        if findings.count > 4 { head.append("! and \(findings.count - 4) more: heddle doctor --live") }
        var sections = [workers, tenants(order), requests(order), actors(order)]
        let foot = "q quit   s sort by \(order.next.rawValue)   space freeze"
        // Every section keeps its title and a line; what is left goes to them in turn.
        var left = max(0, rowCount - head.count - 1 - sections.reduce(0) { $0 + ($1.isEmpty ? 0 : 2) })
        var counts = Array(repeating: 0, count: sections.count)
        while left > 0,
            let index = sections.indices.filter({ counts[$0] + 1 < sections[$0].count }).min(by: {
                (counts[$0], $0) < (counts[$1], $1)
            })
        {
            counts[index] += 1
            left -= 1
        }
        for index in sections.indices { sections[index] = Array(sections[index].prefix(counts[index] + 1)) }
        var lines = head.enumerated().map { index, line in
            let cut = Self.cut(line, columns)
            return index == 0 ? paint.title(cut) : paint.warning(cut)
        }
        for section in sections where !section.isEmpty {
            lines.append("")
            lines += section.enumerated().map { index, line in
                let cut = Self.cut(line, columns)
                return index == 0 ? paint.title(cut) : cut
            }
        }
        while lines.count < rowCount - 1 { lines.append("") }
        return Array(lines.prefix(max(0, rowCount - 1))) + [Self.cut(foot, columns)]
    }

    /// The same for programs.
    public var json: JSONValue {
        .object([
            .init("cluster", .text(cluster)),
            .init("tokens_per_second", .number(picture.workers.reduce(0) { $0 + $1.tokensPerSecond })),
            .init("findings", .array(diagnosis.findings.map(\.json))),
            .init("workers", .array(picture.workers.map(ReportJSON.worker))),
            .init("tenants", .array(picture.tenants.map(ReportJSON.tenant))),
            .init("requests", .array(picture.requests.map(ReportJSON.request))),
            .init("actors", .array(picture.actors.map(ReportJSON.actor))),
            .init(
                "missing",
                .array(
                    picture.missing.map {
                        .object([.init("node", .text($0.node.text)), .init("reason", .text($0.reason))])
                    })),
        ])
    }

    private var workers: [String] {
        Self.table(
            [
                .text("GROUP"), .text("NODE"), .text("STATE"), .text("BATCH"), .text("KV"), .number("WAIT"),
                .number("STEP"),
                .number("TOKENS/S"), .number("ADAPTERS"),
            ],
            picture.workers.map { worker in
                let most = sequenceCounts[worker.group] ?? 0
                return [
                    "\(worker.group).\(worker.rank)", worker.node.text, worker.state.name,
                    worker.rank > 0 ? "" : Self.bar(worker.runningCount, most, label: "\(worker.runningCount)/\(most)"),
                    worker.rank > 0 ? "" : Self.bar(worker.blocksUsed, worker.blockCount, label: Self.percent(worker)),
                    "\(worker.waitingCount)", Quantities.duration(worker.stepTime),
                    Quantities.decimal(worker.tokensPerSecond), "\(worker.adapters.count)",
                ]
            })
    }

    private func tenants(_ order: Order) -> [String] {
        let sorted = picture.tenants.sorted { left, right in
            switch order {
            case .load, .age:
                (right.runningCount + right.waitingCount, left.name) < (
                    left.runningCount + left.waitingCount, right.name
                )
            case .name: left.name < right.name
            }
        }
        let running = picture.tenants.reduce(0) { $0 + $1.runningCount }
        return Self.table(
            [.text("TENANT"), .text("SHARE OF WHAT RUNS"), .number("RUNNING"), .number("WAITING"), .number("REFUSED")],
            sorted.map { tenant in
                [
                    tenant.name.text, Self.bar(tenant.runningCount, running, label: ""), "\(tenant.runningCount)",
                    "\(tenant.waitingCount)", "\(tenant.refusedCount)",
                ]
            })
    }

    private func requests(_ order: Order) -> [String] {
        let sorted = picture.requests.sorted { left, right in
            switch order {
            case .load: (right.generatedTokenCount, left.id) < (left.generatedTokenCount, right.id)
            case .age: (right.age, left.id) < (left.age, right.id)
            case .name: (left.tenant, left.id) < (right.tenant, right.id)
            }
        }
        return Self.table(
            [
                .text("REQUEST"), .text("TENANT"), .text("MODEL"), .text("STATE"), .number("AGE"), .number("TOKENS"),
                .text("GROUP"), .text("WHY"),
            ],
            sorted.map { request in
                [
                    String(request.id.description.prefix(8)), request.tenant.text, request.model, request.state.name,
                    Quantities.duration(request.age), "\(request.generatedTokenCount)", request.group?.text ?? "",
                    request.state.reason,
                ]
            })
    }

    private func actors(_ order: Order) -> [String] {
        let sorted = picture.actors.sorted { left, right in
            switch order {
            case .load, .age:
                (right.oldestAge, right.mailboxDepth, left.id) < (left.oldestAge, left.mailboxDepth, right.id)
            case .name: left.id < right.id
            }
        }
        return Self.table(
            [.text("ACTOR"), .text("STATE"), .number("MAILBOX"), .number("OLDEST"), .number("CALLS"), .text("IN")],
            sorted.map { actor in
                [
                    actor.id, actor.state.name, "\(actor.mailboxDepth)", Quantities.duration(actor.oldestAge),
                    "\(actor.calls.count)",
                    actor.calls.first.map { "\($0.method) \(Quantities.duration($0.elapsed))" } ?? "",
                ]
            })
    }

    private static func table(_ columns: [TextTable.Column], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        return TextTable(columns, rows: rows).text().split(separator: "\n").map(String.init)
    }

    private static func percent(_ worker: WorkerReport) -> String {
        worker.blockCount == 0 ? "" : "\(worker.blocksUsed * 100 / worker.blockCount)%"
    }

    static func bar(_ part: Int, _ whole: Int, label: String, characterCount: Int = 12) -> String {
        let filled = whole > 0 ? min(characterCount, (part * characterCount + whole - 1) / whole) : 0
        let bar =
            "[" + String(repeating: "#", count: filled) + String(repeating: " ", count: characterCount - filled) + "]"
        return label.isEmpty ? bar : bar + " " + label
    }

    private static func cut(_ line: String, _ count: Int) -> String {
        line.count > count ? String(line.prefix(count - 1)) + "…" : line
    }
}
