import HeddleCore
import Testing

@Suite struct StandstillTests {
    @Test func aProcessThatBeatsDidNotStandStill() {
        var standstill = Standstill(now: at(0))
        for moment in stride(from: 100, through: 5000, by: 100) as StrideThrough<UInt64> { standstill.beat(now: at(moment)) }
        #expect(standstill.isRecent(now: at(5100)) == false)
    }

    /// The loss of every connection may be noticed before the next beat, or a little after it.
    @Test func whatIsNoticedSoonAfterAStandstillMayBeDueToIt() {
        var standstill = Standstill(now: at(0))
        standstill.beat(now: at(100))
        #expect(standstill.isRecent(now: at(2100)) == true)
        for moment in stride(from: 2200, to: 4100, by: 100) as StrideTo<UInt64> { standstill.beat(now: at(moment)) }
        #expect(standstill.isRecent(now: at(4050)) == true)
        #expect(standstill.isRecent(now: at(4150)) == false)
    }
}
