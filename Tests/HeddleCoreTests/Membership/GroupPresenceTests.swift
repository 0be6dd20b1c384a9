import HeddleCore
import Testing

@Suite struct GroupPresenceTests {
    private let group = GroupName("g")
    private let first = Incarnation(high: 0, low: 1)
    private let second = Incarnation(high: 0, low: 2)

    private func epoch(_ number: UInt64) -> GroupEpoch { GroupEpoch(group: group, epoch: Epoch(number)) }

    private func expect(
        _ groups: inout GroupPresence, losing incarnation: Incarnation, ends epoch: GroupEpoch?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let ended = groups.lost(incarnation, of: group)
        #expect(ended == epoch, sourceLocation: sourceLocation)
    }

    @Test func theLossOfRankZeroEndsItsEpochOnce() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        expect(&groups, losing: first, ends: epoch(1))
        expect(&groups, losing: first, ends: nil)
    }

    @Test func aLossThatIsHeardLateDoesNotEndTheNextEpoch() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        groups.up(epoch(2), incarnation: second)
        expect(&groups, losing: first, ends: nil)
        expect(&groups, losing: second, ends: epoch(2))
    }

    @Test func anEarlierEpochThatIsHeardLateSaysNothing() {
        var groups = GroupPresence()
        groups.up(epoch(2), incarnation: second)
        groups.up(epoch(1), incarnation: first)
        groups.ended(epoch(1))
        expect(&groups, losing: first, ends: nil)
        expect(&groups, losing: second, ends: epoch(2))
    }

    @Test func anEpochThatEndedIsNotEndedAgain() {
        var groups = GroupPresence()
        groups.up(epoch(1), incarnation: first)
        groups.ended(epoch(1))
        expect(&groups, losing: first, ends: nil)
    }
}
