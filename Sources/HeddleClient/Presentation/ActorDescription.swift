import HeddleCore

/// Everything that is known about one actor, for a person who wonders what it does.
public enum ActorDescription {
    public static func text(_ actor: ActorReport, _ paint: Paint = .plain) -> String {
        var text = ""
        func line(_ key: String, _ value: String) {
            text += key + String(repeating: " ", count: max(1, 14 - key.count)) + value + "\n"
        }
        line("id", actor.id)
        line("role", actor.role)
        line("node", actor.node.text)
        line("state", "\(actor.state.name), for \(Quantities.duration(actor.state.since))")
        if !actor.state.reason.isEmpty { line("reason", actor.state.reason) }
        let oldest = actor.oldestAge > .zero ? ", the oldest for \(Quantities.duration(actor.oldestAge))" : ""
        line("mailbox", "\(actor.mailboxDepth) of \(actor.mailboxDepthMax) wait\(oldest)")
        line("restarts", "\(actor.restarts)")
        if !actor.calls.isEmpty {
            text += "\n" + paint.title("calls in flight") + "\n"
            text += TextTable(
                [.text("METHOD"), .number("ELAPSED"), .text("CALLER")],
                rows: actor.calls.map { [$0.method, Quantities.duration($0.elapsed), $0.caller] }
            ).text(paint)
        }
        if !actor.methods.isEmpty {
            text += "\n" + paint.title("methods") + "\n"
            text += TextTable(
                [
                    .text("METHOD"), .number("CALLS"), .number("ERRORS"), .number("RATE"), .number("P50"),
                    .number("P99"),
                ],
                rows: actor.methods.map {
                    [
                        $0.method, String($0.callCount), String($0.errorCount),
                        Quantities.decimal($0.callsPerSecond) + "/s", Quantities.duration($0.p50),
                        Quantities.duration($0.p99),
                    ]
                }
            ).text(paint)
        }
        if !actor.fields.isEmpty {
            text += "\n" + paint.title("own state") + "\n"
            text += TextTable(
                [.text("KEY"), .number("VALUE"), .text("UNIT")],
                rows: actor.fields.map { [$0.key, $0.value.description, $0.unit] }
            ).text(paint)
        }
        for table in actor.tables {
            text += "\n" + paint.title(table.title) + "\n"
            text += TextTable(table.columns.map { .text($0.uppercased()) }, rows: table.rows).text(paint)
        }
        return text
    }

    /// The same for programs.
    public static func json(_ actor: ActorReport) -> JSONValue { ReportJSON.actor(actor) }
}
