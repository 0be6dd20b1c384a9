import CHeddleWire
import HeddleCore

extension MessageArena {
    func actor(
        _ report: ActorReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__ActorReport> {
        let calls = report.calls.prefix(limits.detailCountMax).map { call in
            make(heddle__inspect__v1__call_report__init) {
                $0.method = text(call.method, limits)
                $0.elapsed_microseconds = call.elapsed.wireMicroseconds
                $0.caller = text(call.caller, limits)
            }
        }
        let methods = report.methods.prefix(limits.detailCountMax).map { method in
            make(heddle__inspect__v1__method_report__init) {
                $0.method = text(method.method, limits)
                $0.calls = method.callCount
                $0.errors = method.errorCount
                $0.p50_microseconds = method.p50.wireMicroseconds
                $0.p99_microseconds = method.p99.wireMicroseconds
                $0.calls_per_second = method.callsPerSecond
            }
        }
        let fields = report.fields.prefix(limits.detailCountMax).map { field($0, limits) }
        let tables = report.tables.prefix(limits.detailCountMax).map { table($0, limits) }
        return make(heddle__inspect__v1__actor_report__init) { message in
            message.id = text(report.id, limits)
            message.role = text(report.role, limits)
            message.node = bytes(report.node.text)
            message.state = state(report.state, limits)
            message.mailbox_depth = UInt64(clamping: report.mailboxDepth)
            message.mailbox_depth_max = UInt64(clamping: report.mailboxDepthMax)
            message.oldest_microseconds = report.oldestAge.wireMicroseconds
            (message.n_calls, message.calls) = (calls.count, messages(calls))
            (message.n_methods, message.methods) = (methods.count, messages(methods))
            message.restarts = UInt64(clamping: report.restarts)
            (message.n_fields, message.fields) = (fields.count, messages(fields))
            (message.n_tables, message.tables) = (tables.count, messages(tables))
        }
    }

    func field(
        _ field: ReportField, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__Field> {
        make(heddle__inspect__v1__field__init) { message in
            message.key = text(field.key, limits)
            message.unit = text(field.unit, limits)
            switch field.value {
            case .text(let value):
                message.value_case = HEDDLE__INSPECT__V1__FIELD__VALUE_TEXT
                message.text = text(value, limits)
            case .integer(let integer):
                message.value_case = HEDDLE__INSPECT__V1__FIELD__VALUE_INTEGER
                message.integer = integer
            case .number(let number):
                message.value_case = HEDDLE__INSPECT__V1__FIELD__VALUE_NUMBER
                message.number = number
            }
        }
    }

    private func table(
        _ table: ReportTable, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__Table> {
        let rows = table.rows.prefix(limits.detailCountMax).map { cells in
            make(heddle__inspect__v1__row__init) { ($0.n_cells, $0.cells) = texts(cells, limits) }
        }
        return make(heddle__inspect__v1__table__init) { message in
            message.title = text(table.title, limits)
            (message.n_columns, message.columns) = texts(table.columns, limits)
            (message.n_rows, message.rows) = (rows.count, messages(rows))
        }
    }
}

extension ReportReader {
    func actor(_ message: Heddle__Inspect__V1__ActorReport) throws -> ActorReport {
        ActorReport(
            id: try text(message.id, "id"), role: try text(message.role, "role"),
            node: NodeName(try name(message.node, "node", NodeName.isValid)), state: try state(message.state),
            mailboxDepth: Int(clamping: message.mailbox_depth),
            mailboxDepthMax: Int(clamping: message.mailbox_depth_max),
            oldestAge: Duration(wireMicroseconds: message.oldest_microseconds),
            calls: try list(message.calls, message.n_calls, "calls", limits.detailCountMax) {
                ActorReport.CallReport(
                    method: try text($0.method, "method"),
                    elapsed: Duration(wireMicroseconds: $0.elapsed_microseconds),
                    caller: try text($0.caller, "caller"))
            },
            methods: try list(message.methods, message.n_methods, "methods", limits.detailCountMax) {
                ActorReport.MethodReport(
                    method: try text($0.method, "method"), callCount: $0.calls, errorCount: $0.errors,
                    p50: Duration(wireMicroseconds: $0.p50_microseconds),
                    p99: Duration(wireMicroseconds: $0.p99_microseconds),
                    callsPerSecond: try finite($0.calls_per_second, "calls_per_second"))
            },
            restarts: Int(clamping: message.restarts),
            fields: try list(message.fields, message.n_fields, "fields", limits.detailCountMax, field),
            tables: try list(message.tables, message.n_tables, "tables", limits.detailCountMax, table))
    }

    func field(_ message: Heddle__Inspect__V1__Field) throws -> ReportField {
        let value: ReportValue =
            switch message.value_case {
            case HEDDLE__INSPECT__V1__FIELD__VALUE_INTEGER: .integer(message.integer)
            case HEDDLE__INSPECT__V1__FIELD__VALUE_NUMBER: .number(try finite(message.number, "number"))
            case HEDDLE__INSPECT__V1__FIELD__VALUE_TEXT: .text(try text(message.text, "text"))
            default: .text("")
            }
        return ReportField(try text(message.key, "key"), value, unit: try text(message.unit, "unit"))
    }

    private func table(_ message: Heddle__Inspect__V1__Table) throws -> ReportTable {
        let columns = try texts(message.columns, message.n_columns, "columns")
        let rows = try list(message.rows, message.n_rows, "rows", limits.detailCountMax) { row in
            let cells = try texts(row.cells, row.n_cells, "cells")
            guard cells.count == columns.count else {
                throw ClientFrameError("a row has \(cells.count) cells for \(columns.count) columns")
            }
            return cells
        }
        return ReportTable(title: try text(message.title, "title"), columns: columns, rows: rows)
    }
}
