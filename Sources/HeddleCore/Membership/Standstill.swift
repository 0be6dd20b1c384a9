/// Tells whether this process itself stood still a moment ago: stopped, starved or asleep. All its connections are then lost
/// at once, which says nothing about those at their other ends.
public struct Standstill: Sendable {
    /// Beats come ten times a second; a longer gap than this was a standstill.
    public static let gapMin: Duration = .milliseconds(700)
    /// How long after one a loss may be its consequence.
    public static let memory: Duration = .seconds(2)

    private var lastBeat: Instant
    private var lastEnd: Instant?

    public init(now: Instant) { lastBeat = now }

    /// The process runs.
    public mutating func beat(now: Instant) {
        if now.duration(since: lastBeat) >= Self.gapMin { lastEnd = now }
        lastBeat = now
    }

    /// Whether what is noticed now may be due to a standstill of this process.
    public mutating func isRecent(now: Instant) -> Bool {
        beat(now: now)
        return lastEnd.map { now.duration(since: $0) < Self.memory } ?? false
    }
}
