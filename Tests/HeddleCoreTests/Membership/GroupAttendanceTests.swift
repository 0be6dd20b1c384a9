import HeddleCore
import Testing

@Suite struct GroupAttendanceTests {
    private let first = Incarnation(high: 0, low: 1)
    private let second = Incarnation(high: 0, low: 2)

    @Test func aRankOpensIsInAndLeavesForTheNextEpoch() {
        var attendance = GroupAttendance()
        #expect(attendance.asked(toJoin: group("g", 11), by: first) == [.open(group("g", 11))])
        #expect(attendance.opened(group("g", 11)) == true)
        #expect(
            attendance.asked(toJoin: group("g", 12), by: first) == [
                .leave(group("g", 11), reason: .epochBegins(Epoch(12))), .open(group("g", 12)),
            ])
        #expect(attendance.ended(group("g", 11)) == false)
        #expect(attendance.opened(group("g", 12)) == true)
        #expect(attendance.ended(group("g", 12)) == true)
        #expect(attendance.present == nil)
    }

    /// A rank was lost while the ranks met: rank 0 calls them again, and nobody waits for the epoch before.
    @Test func aLaterEpochInterruptsTheWaitForAnEarlierOne() {
        var attendance = GroupAttendance()
        _ = attendance.asked(toJoin: group("g", 11), by: first)
        #expect(
            attendance.asked(toJoin: group("g", 12), by: first) == [
                .interrupt(group("g", 11)), .open(group("g", 12)),
            ])
        attendance.openFailed(group("g", 11))
        #expect(attendance.present == group("g", 12))
        #expect(attendance.opened(group("g", 11)) == false)
        #expect(attendance.opened(group("g", 12)) == true)
    }

    @Test func anEarlierEpochIsRefused() {
        var attendance = GroupAttendance()
        _ = attendance.asked(toJoin: group("g", 11), by: first)
        #expect(attendance.asked(toJoin: group("g", 11), by: first) == [.refuse(present: group("g", 11))])
        #expect(attendance.opened(group("g", 11)) == true)
        #expect(attendance.asked(toJoin: group("g", 10), by: second) == [.refuse(present: group("g", 11))])
        #expect(attendance.present == group("g", 11))
    }

    @Test func theLossOfRank0EndsTheWaitAndTheEpoch() {
        var attendance = GroupAttendance()
        #expect(attendance.firstLost(first) == [])
        _ = attendance.asked(toJoin: group("g", 11), by: first)
        #expect(attendance.firstLost(first) == [.interrupt(group("g", 11))])
        _ = attendance.asked(toJoin: group("g", 12), by: second)
        _ = attendance.opened(group("g", 12))
        #expect(attendance.firstLost(second) == [.leave(group("g", 12), reason: .firstLost)])
        #expect(attendance.present == nil)
    }

    /// What was reproduced: the pool was busy, and the loss of the old rank 0 was heard after the new one's epoch began.
    @Test func aLossThatIsHeardLateDoesNotEndTheNextEpoch() {
        var attendance = GroupAttendance()
        _ = attendance.asked(toJoin: group("g", 11), by: first)
        _ = attendance.opened(group("g", 11))
        _ = attendance.asked(toJoin: group("g", 12), by: second)
        #expect(attendance.firstLost(first) == [])
        #expect(attendance.opened(group("g", 12)) == true)
        #expect(attendance.firstLost(first) == [])
        #expect(attendance.present == group("g", 12))
        let ranks = EpochRanks(group("g", 12), first: second)
        #expect(!ranks.end(withLossOf: 0, first))
        #expect(ranks.end(withLossOf: 0, second))
        #expect(!ranks.end(withLossOf: 1, second))
    }

    @Test func rank0DependsOnEveryMembersStart() {
        let members = (0...2).map { rank in
            RankPresence(
                rank: rank, node: NodeName("node-\(rank)"), incarnation: Incarnation(high: 0, low: UInt64(rank)),
                capabilities: RankCapabilities(
                    model: digest(1), instructionSet: "f32", contract: 5, rankCount: 3))
        }
        let ranks = EpochRanks(group("g"), members: members)
        #expect(ranks.end(withLossOf: 2, Incarnation(high: 0, low: 2)))
        #expect(!ranks.end(withLossOf: 2, Incarnation(high: 0, low: 1)))
        #expect(!ranks.end(withLossOf: 3, Incarnation(high: 0, low: 3)))
    }
}
