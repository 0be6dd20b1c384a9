import HeddleCore

/// Measures what a group's steps do, for inspection: the last step, and a rate over the last seconds.
package struct StepMeter: Sendable {
    private(set) var stepCount: UInt64 = 0
    package private(set) var rowCount = 0
    package private(set) var stepTime: Duration = .zero
    package private(set) var tokenCount: UInt64 = 0
    private var windowStart: Instant?
    private var windowTokens = 0
    private var rate = 0.0

    package init() {}

    private static let window: Duration = .seconds(2)

    package mutating func stepped(_ plan: StepPlan, took time: Duration, at now: Instant) {
        stepCount += 1
        rowCount = plan.rowCount
        stepTime = time
        roll(now)
    }

    package mutating func delivered(_ count: Int) {
        tokenCount += UInt64(count)
        windowTokens += count
    }

    /// Generated tokens a second over the last full window; 0 when nothing ran for longer than that.
    package mutating func tokensPerSecond(at now: Instant) -> Double {
        roll(now)
        return rate
    }

    private mutating func roll(_ now: Instant) {
        guard let start = windowStart else { return windowStart = now }
        let elapsed = now.duration(since: start)
        guard elapsed >= Self.window else { return }
        rate = Double(windowTokens) / (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18)
        windowStart = now
        windowTokens = 0
    }
}
