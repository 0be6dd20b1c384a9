import HeddleCore
import Testing

@Suite struct GroupPresenceTests {
    private let group = GroupName("g")
    private let first = Incarnation(high: 0, low: 1)
    private let second = Incarnation(high: 0, low: 2)

    private func epoch(_ number: UInt64) -> GroupEpoch { GroupEpoch(group: group, epoch: Epoch(number)) }

    @Test func theLossOfRankZeroEndsItsEpochOnce() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        #expect(groups.lost(first, of: group) == epoch(1))
        #expect(groups.lost(first, of: group) == nil)
    }

    @Test func aLossThatIsHeardLateDoesNotEndTheNextEpoch() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        groups.up(epoch(2), incarnation: second)
        #expect(groups.lost(first, of: group) == nil)
        #expect(groups.lost(second, of: group) == epoch(2))
    }

    @Test func anEarlierEpochThatIsHeardLateSaysNothing() {
        var groups = GroupPresence()
        groups.up(epoch(2), incarnation: second)
        groups.up(epoch(1), incarnation: first)
        groups.ended(epoch(1))
        #expect(groups.lost(first, of: group) == nil)
        #expect(groups.lost(second, of: group) == epoch(2))
    }

    @Test func anEpochThatEndedIsNotEndedAgain() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        groups.ended(epoch(1))
        #expect(groups.lost(first, of: group) == nil)
    }
}
