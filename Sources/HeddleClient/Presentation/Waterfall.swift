import HeddleCore

/// One request across all actors, by time: what was done, what was waited for, and how long.
public struct Waterfall: Sendable {
    /// A span and where it stands.
    public struct Row: Hashable, Sendable {
        public var span: SpanReport
        /// Since the request's beginning.
        public var start: Duration
        /// How deep it lies in others.
        public var depth: Int
    }

    public let request: RequestID
    public let rows: [Row]
    /// From the first beginning to the last end.
    public let length: Duration
    public let missing: [MeshPicture.Missing]

    /// - Parameter answers: of one moment, since ages are counted back from it.
    ///
    /// Nil where no span of the request is among them.
    public init?(_ request: RequestID, in answers: [NodeAnswer]) {
        let spans = answers.compactMap(\.report).flatMap(\.spans).filter { $0.request == request }
        guard let oldest = spans.map(\.startAge).max() else { return nil }
        self.request = request
        missing = MeshPicture(answers).missing
        let starts = spans.map { oldest - $0.startAge }
        length = zip(starts, spans).map { $0 + $1.duration }.max() ?? .zero
        var parents: [SpanID: SpanID] = [:]
        for span in spans { if let parent = span.parent { parents[span.id] = parent } }
        func depth(_ id: SpanID) -> Int {
            var (depth, present) = (0, id)
            // Bounded: a hostile node may name its spans each other's parents.
            while depth < 8, let parent = parents[present] { (depth, present) = (depth + 1, parent) }
            return depth
        }
        var children: [SpanID: [Int]] = [:]
        let known = Set(spans.map(\.id))
        var roots: [Int] = []
        for index in spans.indices {
            if let parent = spans[index].parent, known.contains(parent), parent != spans[index].id {
                children[parent, default: []].append(index)
            } else {
                roots.append(index)
            }
        }
        var order: [Int] = []
        var isTaken = Set<Int>()
        func earlier(_ left: Int, _ right: Int) -> Bool { (starts[left], left) < (starts[right], right) }
        func take(_ index: Int) {
            guard isTaken.insert(index).inserted else { return }
            order.append(index)
            for child in (children[spans[index].id] ?? []).sorted(by: earlier) { take(child) }
        }
        for root in roots.sorted(by: earlier) { take(root) }
        rows = order.map { Row(span: spans[$0], start: starts[$0], depth: depth(spans[$0].id)) }
    }

    /// Whether it still runs.
    public var isOpen: Bool { rows.contains { $0.span.name == .request && $0.span.isOpen } }

    /// What it waited for, the longest first. A queue is left out where its lane says more.
    public var waits: [(reason: String, actor: String, duration: Duration)] {
        let explained = Set(rows.filter { $0.span.name == .lane }.compactMap(\.span.parent))
        var sums: [String: (reason: String, actor: String, duration: Duration)] = [:]
        for row in rows where row.span.name.isWait && !explained.contains(row.span.id) {
            let key = "\(row.span.actor)\n\(row.span.reason)"
            let reason = row.span.reason.isEmpty ? row.span.name.rawValue : row.span.reason
            sums[key, default: (reason, row.span.actor, .zero)].duration += row.span.duration
        }
        return sums.values.sorted { ($1.duration, $0.reason) < ($0.duration, $1.reason) }
    }

    public var json: JSONValue {
        .object([
            .init("request", .text(request.description)), .init("open", .boolean(isOpen)),
            .init("length_seconds", .seconds(length)),
            .init("spans", .array(rows.map { ReportJSON.span($0.span, start: $0.start) })),
            .init(
                "waits",
                .array(
                    waits.map {
                        .object([
                            .init("reason", .text($0.reason)), .init("actor", .text($0.actor)),
                            .init("seconds", .seconds($0.duration)),
                        ])
                    })),
            .init(
                "missing",
                .array(
                    missing.map { .object([.init("node", .text($0.node.text)), .init("reason", .text($0.reason))]) })),
        ])
    }

    /// - Parameter barCharacterCount: the width that stands for the whole length.
    public func text(_ paint: Paint = .plain, barCharacterCount: Int = 32) -> String {
        var text = "request \(request)"
        if let root = rows.first(where: { $0.span.name == .request })?.span {
            let facts = root.fields.filter { $0.key == "tenant" || $0.key == "model" }.map { "\($0.key) \($0.value)" }
            if !facts.isEmpty { text += ", " + facts.joined(separator: ", ") }
            let state = root.isOpen ? "runs for" : root.error.map { "ended with \($0) after" } ?? "finished after"
            text += ": \(state) \(Quantities.duration(root.duration))"
        }
        text += "\n\n"
        text += TextTable(
            [.number("START"), .number("TOOK"), .text("WHAT"), .text(""), .text("WHERE"), .text("WHY")],
            rows: rows.map { row in
                [
                    row.start == .zero ? "0" : Quantities.duration(row.start),
                    Quantities.duration(row.span.duration) + (row.span.isOpen ? "+" : ""),
                    String(repeating: "  ", count: row.depth) + row.span.name.rawValue,
                    bar(row, barCharacterCount), row.span.actor, Self.words(row.span),
                ]
            }
        ).text(paint)
        let waits = waits.filter { $0.duration >= .milliseconds(1) }
        if !waits.isEmpty {
            text += "\nit waited\n"
            for wait in waits { text += "  \(Quantities.duration(wait.duration)): \(wait.reason) (\(wait.actor))\n" }
        }
        for missing in missing {
            text += paint.warning("node \(missing.node) is missing: \(missing.reason); its part is not shown") + "\n"
        }
        return text
    }

    private func bar(_ row: Row, _ width: Int) -> String {
        guard length > .zero else { return "|" + String(repeating: " ", count: width) + "|" }
        let scale = Double(width) / length.inSeconds
        let first = min(width - 1, Int(row.start.inSeconds * scale))
        let end = min(width, max(first + 1, Int((row.start + row.span.duration).inSeconds * scale + 0.5)))
        let mark = row.span.name.isWait ? "." : "#"
        return "|" + String(repeating: " ", count: first) + String(repeating: mark, count: end - first)
            + String(repeating: " ", count: width - end) + "|"
    }

    private static func words(_ span: SpanReport) -> String {
        let told = ["tenant", "model", "group"]
        let facts = span.fields.filter { !told.contains($0.key) && !($0.key == "choice" && $0.value == .integer(0)) }
            .map { field in field.unit == "tokens" ? "\(field.key) \(field.value)" : "\(field.key) \(short(field))" }
        return ([span.reason] + facts + [span.error.map { "failed: \($0)" } ?? ""]).filter { !$0.isEmpty }
            .joined(separator: ", ")
    }

    private static func short(_ field: ReportField) -> String {
        if field.unit == "seconds", case .number(let seconds) = field.value {
            return Quantities.duration(.microseconds(Int64(seconds * 1e6)))
        }
        return field.value.description
    }
}
