import Foundation
import HeddleCore
import HeddleTransport

/// Keeps what a node tells of its past, readable from any thread: events, log lines, spans of requests, and its numbers.
final class Journal: Sendable {
    private let notices = Locked(NoticeBook())
    private let traces = Locked(TraceBook())
    private let metrics = Locked(MetricRegistry())
    /// Is given every span that ended; nil where none are exported.
    let exporter: TraceExporter?

    init(exporter: TraceExporter? = nil) { self.exporter = exporter }

    func tell(_ notice: Notice) {
        let moment = now()
        notices.withLock { $0.told(notice, now: moment) }
    }

    func put(_ span: TraceSpan) {
        traces.withLock { $0.put(span) }
        if span.end != nil { exporter?.take(span) }
    }

    func put(_ spans: [TraceSpan]) { for span in spans { put(span) } }

    /// Changes the numbers; the closure must be short.
    func measure(_ change: (inout MetricRegistry) -> Void) { metrics.withLock { change(&$0) } }

    /// Fills in what a query asks for of the past.
    func answer(_ query: InspectionQuery, in report: inout NodeReport, limits: InspectionLimits) {
        let moment = now()
        let countMax = query.countMax > 0 ? min(query.countMax, limits.entryCountMax) : limits.entryCountMax
        let after = query.after == 0 ? nil : Optional(query.after)
        switch query.subject {
        case .events:
            (report.events, report.missedCount) = notices.withLock {
                $0.events(after: after, countMax: countMax, now: moment)
            }
        case .lines:
            (report.lines, report.missedCount) = notices.withLock {
                $0.lines(after: after, countMax: countMax, now: moment)
            }
        case .traces:
            let (spans, omitted) = traces.withLock { $0.spans(query.name, countMax: countMax) }
            report.spans = spans.map { SpanReport($0, now: moment) }
            report.omittedCount += omitted
        case .node, .actors, .tenants, .adapters, .workers, .requests, .everything: break
        }
    }

    /// The node's numbers as Prometheus text.
    func metricsText(_ report: NodeReport) -> String {
        var registry = metrics.withLock { $0 }
        notices.withLock { book in
            for kind in Notice.Kind.allCases { registry.set(.events, [kind.rawValue], Double(book.count(of: kind))) }
        }
        if let exporter { registry.set(.spansDropped, [], Double(exporter.droppedCount)) }
        registry.take(report, time: Date().timeIntervalSince1970)
        return registry.text()
    }
}
