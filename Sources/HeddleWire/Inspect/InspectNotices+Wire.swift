import CHeddleWire
import HeddleCore

// What a node told and how requests went: notices and spans of a NodeReport.

extension MessageArena {
    func notice(
        _ report: NoticeReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__Notice> {
        make(heddle__inspect__v1__notice__init) { message in
            message.number = report.number
            message.age_microseconds = report.age.wireMicroseconds
            message.level = bytes(report.notice.level.rawValue)
            message.kind = bytes(report.notice.kind?.rawValue ?? "")
            message.actor = text(report.notice.actor, limits)
            message.subject = text(report.notice.subject, limits)
            message.request_id = bytes(report.notice.request?.bytes ?? [])
            message.text = text(report.notice.text, limits)
        }
    }

    func span(
        _ report: SpanReport, _ limits: InspectionLimits
    ) -> UnsafeMutablePointer<Heddle__Inspect__V1__SpanReport> {
        let fields = report.fields.prefix(limits.detailCountMax).map { field($0, limits) }
        return make(heddle__inspect__v1__span_report__init) { message in
            message.request_id = bytes(report.request.bytes)
            message.id = report.id.number
            message.parent = report.parent?.number ?? 0
            message.name = bytes(report.name.rawValue)
            message.actor = text(report.actor, limits)
            message.reason = text(report.reason, limits)
            message.start_age_microseconds = report.startAge.wireMicroseconds
            message.duration_microseconds = report.duration.wireMicroseconds
            message.open = report.isOpen ? 1 : 0
            (message.n_fields, message.fields) = (fields.count, messages(fields))
            message.error = text(report.error ?? "", limits)
        }
    }
}

extension ReportReader {
    func notice(_ message: Heddle__Inspect__V1__Notice) throws -> NoticeReport {
        let level = try text(message.level, "level")
        guard let level = Notice.Level(rawValue: level) else {
            throw ClientFrameError("a notice has the unknown level “\(level)”")
        }
        let kind = try text(message.kind, "kind")
        guard kind.isEmpty || Notice.Kind(rawValue: kind) != nil else {
            throw ClientFrameError("a notice has the unknown kind “\(kind)”")
        }
        return NoticeReport(
            number: message.number, age: Duration(wireMicroseconds: message.age_microseconds),
            notice: Notice(
                level, Notice.Kind(rawValue: kind), actor: try text(message.actor, "actor"),
                subject: try text(message.subject, "subject"),
                request: message.request_id.len == 0 ? nil : try requestID(message.request_id),
                text: try text(message.text, "text")))
    }

    func span(_ message: Heddle__Inspect__V1__SpanReport) throws -> SpanReport {
        let name = try text(message.name, "name")
        guard let name = TraceSpan.Name(rawValue: name) else {
            throw ClientFrameError("a span has the unknown name “\(name)”")
        }
        guard message.id != 0 else { throw ClientFrameError("a span has no id") }
        let error = try text(message.error, "error")
        return SpanReport(
            request: try requestID(message.request_id), id: SpanID(message.id),
            parent: message.parent == 0 ? nil : SpanID(message.parent), name: name,
            actor: try text(message.actor, "actor"), reason: try text(message.reason, "reason"),
            startAge: Duration(wireMicroseconds: message.start_age_microseconds),
            duration: Duration(wireMicroseconds: message.duration_microseconds), isOpen: message.open != 0,
            fields: try list(message.fields, message.n_fields, "fields", limits.detailCountMax, field),
            error: error.isEmpty ? nil : error)
    }
}
