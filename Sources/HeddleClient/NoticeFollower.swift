import HeddleCore

/// Follows the events, or the log lines, of all nodes: asks each for what is new since it was asked last, and says what it
/// missed, who is silent and who started again.
public struct NoticeFollower: Sendable {
    /// What a person is shown.
    public enum Line: Hashable, Sendable {
        case notice(NodeName, NoticeReport)
        /// So many were no longer kept when they were asked for.
        case missed(NodeName, count: UInt64)
        case silent(NodeName, reason: String)
        /// Answers again after it was silent.
        case back(NodeName)
        /// Another process answers than before.
        case restarted(NodeName)
    }

    private struct Position: Sendable {
        var incarnation: Incarnation?
        var number: UInt64 = 0
        var isSilent = false
    }

    /// `events` or `lines`.
    private let subject: InspectionQuery.Subject
    /// How many of the past are shown first.
    private let pastCountMax: Int
    private var positions: [NodeName: Position] = [:]

    public init(_ subject: InspectionQuery.Subject, pastCountMax: Int) {
        precondition(subject == .events || subject == .lines, "events and lines are followed")
        self.subject = subject
        self.pastCountMax = max(1, pastCountMax)
    }

    /// What the node is to be asked now.
    public func query(for node: NodeName) -> InspectionQuery {
        let position = positions[node]
        return InspectionQuery(
            subject, after: position?.number ?? 0, countMax: position?.incarnation == nil ? pastCountMax : 0)
    }

    /// What the answers tell, oldest first.
    public mutating func take(_ answers: [NodeAnswer]) -> [Line] {
        var lines: [Line] = []
        var notices: [(node: NodeName, report: NoticeReport)] = []
        for answer in answers {
            guard let report = answer.report else {
                if positions[answer.node]?.isSilent != true {
                    lines.append(.silent(answer.node, reason: MeshPicture([answer]).missing.first?.reason ?? ""))
                }
                positions[answer.node, default: Position()].isSilent = true
                continue
            }
            var position = positions[answer.node] ?? Position()
            if position.isSilent { lines.append(.back(answer.node)) }
            position.isSilent = false
            let isOther = position.incarnation != nil && position.incarnation != report.incarnation
            if isOther {
                lines.append(.restarted(answer.node))
                // The answer was to another process's number; what the new one has told is asked for next.
                position.number = 0
            }
            let told = subject == .events ? report.events : report.lines
            let isFirst = position.incarnation == nil
            // A number that the new process has passed already would leave out what lies before it.
            let fresh = isOther ? [] : told.filter { $0.number > position.number }
            if report.missedCount > 0, !isOther { lines.append(.missed(answer.node, count: report.missedCount)) }
            if !isFirst, !isOther, position.number == 0, let first = fresh.first, first.number > 1 {
                lines.append(.missed(answer.node, count: first.number - 1))
            }
            position.incarnation = report.incarnation
            position.number = fresh.last?.number ?? position.number
            positions[answer.node] = position
            notices += fresh.map { (answer.node, $0) }
        }
        notices.sort { ($1.report.age, $0.node, $0.report.number) < ($0.report.age, $1.node, $1.report.number) }
        return lines + notices.map { .notice($0.node, $0.report) }
    }
}

extension NoticeFollower.Line {
    /// For programs, one object.
    public var json: JSONValue {
        func other(_ node: NodeName, _ event: String, _ text: String) -> JSONValue {
            .object([.init("node", .text(node.text)), .init("event", .text(event)), .init("text", .text(text))])
        }
        return switch self {
        case .notice(let node, let report): ReportJSON.notice(report, node: node)
        case .missed(let node, let count): other(node, "missed", "\(count) entries were no longer kept")
        case .silent(let node, let reason): other(node, "silent", reason)
        case .back(let node): other(node, "back", "the node answers again")
        case .restarted(let node): other(node, "restarted", "another process answers")
        }
    }

    /// For people: when, how much it matters, what, where, and one sentence.
    ///
    /// - Parameter clock: the time of an age, as it is shown.
    public func text(_ paint: Paint, clock: (Duration) -> String) -> String {
        func row(_ time: String, _ what: String, _ who: String, _ text: String) -> String {
            func padded(_ text: String, _ count: Int) -> String {
                text + String(repeating: " ", count: max(0, count - text.count))
            }
            return "\(time)  \(padded(what, 18))  \(padded(who, 24))  "
                + String(text.map { $0.isNewline || Paint.isControl($0) ? "·" : $0 })
        }
        switch self {
        case .notice(let node, let report):
            let what = report.notice.kind?.rawValue ?? report.notice.level.rawValue
            let line = row(
                clock(report.age), what, report.notice.actor.isEmpty ? node.text : report.notice.actor,
                report.notice.text)
            return report.notice.level == .info ? line : paint.warning(line)
        case .missed(let node, let count):
            return paint.warning(row(clock(.zero), "missed", node.text, "\(count) entries were no longer kept"))
        case .silent(let node, let reason):
            return paint.warning(row(clock(.zero), "silent", node.text, "node \(node) is missing: \(reason)"))
        case .back(let node): return row(clock(.zero), "back", node.text, "node \(node) answers again")
        case .restarted(let node):
            return paint.warning(row(clock(.zero), "restarted", node.text, "another process of node \(node) answers"))
        }
    }
}
