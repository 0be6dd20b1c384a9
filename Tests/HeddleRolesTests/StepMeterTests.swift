import HeddleCore
import HeddleRoles
import Testing

struct StepMeterTests {
    private func moment(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000) }
    private let plan = StepPlan(step: 1, segments: [])

    @Test func theRateIsThatOfTheLastWindow() {
        var meter = StepMeter()
        meter.stepped(plan, took: .milliseconds(10), at: moment(0))
        for step in 1...200 {
            meter.delivered(4)
            meter.stepped(plan, took: .milliseconds(10), at: moment(UInt64(step) * 10))
        }
        #expect(abs(meter.tokensPerSecond(at: moment(2_000)) - 400) < 5)
        #expect(meter.tokenCount == 800)
    }

    @Test func aGroupThatStandsStillHasNoRate() {
        var meter = StepMeter()
        meter.stepped(plan, took: .milliseconds(10), at: moment(0))
        meter.delivered(100)
        _ = meter.tokensPerSecond(at: moment(2_000))
        #expect(meter.tokensPerSecond(at: moment(4_100)) == 0)
    }
}
