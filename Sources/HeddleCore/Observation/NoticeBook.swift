/// Keeps what a node told last: its log lines, and of these the events, which a busy log must not push out.
public struct NoticeBook: Sendable {
    /// How much is kept.
    public struct Limits: Hashable, Sendable {
        public var lineCountMax = 2048
        public var eventCountMax = 2048
        /// The longest text; a longer one is cut.
        public var textByteCountMax = 1024

        public init() {}
    }

    public let limits: Limits
    private var lines: NumberedRing<(moment: Instant, notice: Notice)>
    private var events: NumberedRing<(moment: Instant, notice: Notice)>
    /// How often each kind happened, in the order of `Notice.Kind.allCases`.
    private var counts = Array(repeating: UInt64(0), count: Notice.Kind.allCases.count)

    public init(limits: Limits = Limits()) {
        self.limits = limits
        lines = NumberedRing(countMax: limits.lineCountMax)
        events = NumberedRing(countMax: limits.eventCountMax)
    }

    public mutating func told(_ notice: Notice, now: Instant) {
        var notice = notice
        if notice.text.utf8.count > limits.textByteCountMax {
            notice.text = String(decoding: notice.text.utf8.prefix(limits.textByteCountMax), as: UTF8.self)
        }
        lines.append((now, notice))
        guard let kind = notice.kind else { return }
        events.append((now, notice))
        if let index = Notice.Kind.allCases.firstIndex(of: kind) { counts[index] += 1 }
    }

    /// How often it happened since the start.
    public func count(of kind: Notice.Kind) -> UInt64 {
        Notice.Kind.allCases.firstIndex(of: kind).map { counts[$0] } ?? 0
    }

    /// Log lines behind the number, or the newest.
    public func lines(after number: UInt64?, countMax: Int, now: Instant) -> (
        reports: [NoticeReport], missedCount: UInt64
    ) {
        Self.reports(lines.page(after: number, countMax: countMax), now)
    }

    /// Events behind the number, or the newest.
    public func events(after number: UInt64?, countMax: Int, now: Instant) -> (
        reports: [NoticeReport], missedCount: UInt64
    ) {
        Self.reports(events.page(after: number, countMax: countMax), now)
    }

    private static func reports(
        _ page: NumberedRing<(moment: Instant, notice: Notice)>.Page, _ now: Instant
    ) -> (reports: [NoticeReport], missedCount: UInt64) {
        (
            page.entries.map { number, entry in
                NoticeReport(number: number, age: now.duration(since: entry.moment), notice: entry.notice)
            }, page.missedCount
        )
    }
}
