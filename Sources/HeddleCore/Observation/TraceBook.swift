/// Keeps the spans of a node's latest requests, open and ended, within bounds.
public struct TraceBook: Sendable {
    /// How much is kept.
    public struct Limits: Hashable, Sendable {
        public var requestCountMax = 512
        /// Of one request; the first ones tell how it began, so later ones are left out and counted.
        public var spanCountMax = 256

        public init() {}
    }

    private struct Trace {
        var spans: [TraceSpan] = []
        var omittedCount = 0
    }

    public let limits: Limits
    private var traces: [RequestID: Trace] = [:]
    /// Oldest first, from `first` on.
    private var order: [RequestID] = []
    private var first = 0

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes in a span that began, changed or ended: the same id again replaces what was there.
    public mutating func put(_ span: TraceSpan) {
        if traces[span.request] == nil { begin(span.request) }
        // In place: a span is put often, and a copy of the list each time would cost more than the rest.
        guard let index = traces[span.request]?.spans.lastIndex(where: { $0.id == span.id }) else {
            if traces[span.request, default: Trace()].spans.count < limits.spanCountMax {
                traces[span.request, default: Trace()].spans.append(span)
            } else {
                traces[span.request, default: Trace()].omittedCount += 1
            }
            return
        }
        traces[span.request]?.spans[index] = span
    }

    /// What is known of a request, by start.
    public func spans(of request: RequestID) -> (spans: [TraceSpan], omittedCount: Int) {
        guard let trace = traces[request] else { return ([], 0) }
        return (trace.spans.sorted { $0.start < $1.start }, trace.omittedCount)
    }

    /// What an inspector asks for: all spans of the one request whose id begins with the text; where there are several, or no
    /// text is given, the first span of each, newest request first.
    public func spans(_ beginning: String?, countMax: Int) -> (spans: [TraceSpan], omittedCount: Int) {
        let found = requests.filter { request in beginning.map { request.description.hasPrefix($0) } ?? true }
        if beginning != nil, let only = found.first, found.count == 1 {
            let (spans, omitted) = spans(of: only)
            return (Array(spans.prefix(countMax)), omitted + max(0, spans.count - countMax))
        }
        return (found.prefix(countMax).compactMap { traces[$0]?.spans.first }, max(0, found.count - countMax))
    }

    /// The requests that are here, newest first.
    public var requests: [RequestID] { order[first...].reversed() }

    private mutating func begin(_ request: RequestID) {
        traces[request] = Trace()
        order.append(request)
        guard order.count - first > limits.requestCountMax else { return }
        traces[order[first]] = nil
        first += 1
        if first > limits.requestCountMax {
            order.removeFirst(first)
            first = 0
        }
    }
}
