import HeddleCore
import Testing

@Suite struct GroupFormationTests {
    private func presence(
        _ rank: Int, _ incarnation: UInt64 = 1, model: UInt8 = 1, isa: String = "avx2", contract: UInt64 = 5,
        ranks: Int = 2
    ) -> RankPresence {
        RankPresence(
            rank: rank, node: NodeName("node-\(rank)"), incarnation: Incarnation(high: 0, low: incarnation),
            capabilities: RankCapabilities(
                model: digest(model), instructionSet: isa, contract: contract, rankCount: ranks))
    }

    private func formation(ranks: Int = 2) -> GroupFormation {
        GroupFormation(group: GroupName("g"), rankCount: ranks, after: Epoch(10), now: at(0))
    }

    @Test func aGroupFormsWhenTheLastRankIsPresentAndOnlyOnce() {
        var formation = formation()
        #expect(formation.rankPresent(presence(1), now: at(1)) == [])
        #expect(formation.report().missing == [0])
        #expect(
            formation.rankPresent(presence(0), now: at(2)) == [
                .form(group("g", 11), members: [presence(0), presence(1)])
            ])
        #expect(formation.rankPresent(presence(0), now: at(3)) == [])
        #expect(formation.formed == group("g", 11))
        #expect(formation.report().since == at(2))
    }

    @Test func aLostRankEndsTheEpochAndTheNextOneIsLater() {
        var formation = formation()
        _ = formation.rankPresent(presence(0), now: at(0))
        _ = formation.rankPresent(presence(1), now: at(0))
        #expect(
            formation.rankLost(1, incarnation: Incarnation(high: 0, low: 1), now: at(1)) == [
                .dissolve(group("g", 11), reason: .rankLost(rank: 1))
            ])
        #expect(formation.rankLost(1, incarnation: Incarnation(high: 0, low: 1), now: at(1)) == [])
        #expect(
            formation.rankPresent(presence(1, 2), now: at(2)) == [
                .form(group("g", 12), members: [presence(0), presence(1, 2)])
            ])
    }

    @Test func aRestartedRankEndsTheEpochAndItsOldProcessIsRefused() {
        var formation = formation()
        _ = formation.rankPresent(presence(0), now: at(0))
        _ = formation.rankPresent(presence(1), now: at(0))
        #expect(
            formation.rankPresent(presence(1, 2), now: at(1)) == [
                .dissolve(group("g", 11), reason: .rankRestarted(rank: 1)),
                .form(group("g", 12), members: [presence(0), presence(1, 2)]),
            ])
        #expect(
            formation.rankPresent(presence(1, 1), now: at(2)) == [
                .refuse(presence(1, 1), .replaced(rank: 1, incarnation: Incarnation(high: 0, low: 1)))
            ])
        #expect(formation.rankLost(1, incarnation: Incarnation(high: 0, low: 1), now: at(2)) == [])
        #expect(formation.formed == group("g", 12))
    }

    @Test func ranksThatDifferAreRefusedWithBothValues() {
        var formation = formation(ranks: 3)
        _ = formation.rankPresent(presence(1, ranks: 3), now: at(0))
        func error(_ presence: RankPresence) -> String? {
            guard case .refuse(_, let error)? = formation.rankPresent(presence, now: at(1)).first else { return nil }
            return error.description
        }
        #expect(
            error(presence(2, isa: "avx512", ranks: 3))
                == "rank 2 has instruction set avx512 and rank 1 has avx2; they must be equal")
        #expect(
            error(presence(0, model: 2, ranks: 3))
                == "rank 0 has model \(digest(2)) and rank 1 has \(digest(1)); they must be equal")
        #expect(
            error(presence(0, contract: 6, ranks: 3))
                == "rank 0 has contract 0000000000000006 and rank 1 has 0000000000000005; they must be equal")
        #expect(error(presence(0, ranks: 4)) == "rank 0 is configured for 4 ranks; the group has 3")
        #expect(error(presence(3, ranks: 3)) == "rank 3 is outside the group's ranks 0..<3")
        #expect(formation.report().missing == [0, 2])
    }

    @Test func epochsSeenElsewhereAreNotUsedAgain() {
        var formation = formation(ranks: 1)
        formation.observed(Epoch(99))
        formation.observed(Epoch(50))
        #expect(
            formation.rankPresent(presence(0, ranks: 1), now: at(0)) == [
                .form(group("g", 100), members: [presence(0, ranks: 1)])
            ])
    }

    /// Ranks announce themselves several times a second: a group that could not form tries again, less and less often.
    @Test func ranksThatDidNotMeetAreCalledAgainAfterAPauseThatDoubles() {
        var formation = formation(ranks: 1)
        let alone = presence(0, ranks: 1)
        var now: UInt64 = 0
        var epoch: UInt64 = 11
        #expect(formation.rankPresent(alone, now: at(now)) == [.form(group("g", epoch), members: [alone])])
        for pause in [200, 400, 800, 1600, 3200, 5000, 5000] as [UInt64] {
            #expect(
                formation.ended(group("g", epoch), because: .couldNotForm, now: at(now)) == [
                    .dissolve(group("g", epoch), reason: .couldNotForm)
                ])
            #expect(formation.ended(group("g", epoch), because: .couldNotForm, now: at(now)) == [])
            #expect(formation.rankPresent(alone, now: at(now + pause - 1)) == [])
            now += pause
            epoch += 1
            #expect(formation.rankPresent(alone, now: at(now)) == [.form(group("g", epoch), members: [alone])])
        }
        #expect(formation.met(group("g", epoch - 1)) == false)
        #expect(formation.met(group("g", epoch)) == true)
        _ = formation.ended(group("g", epoch), because: .couldNotForm, now: at(now))
        #expect(formation.rankPresent(alone, now: at(now + 200)).count == 1)
    }

    @Test func anEpochThatEndsWithoutALossIsFollowedByTheNextOnceAllAreThereAnew() {
        var formation = formation()
        _ = formation.rankPresent(presence(0), now: at(0))
        _ = formation.rankPresent(presence(1), now: at(0))
        #expect(
            formation.ended(group("g", 11), because: .queueReturned, now: at(1)) == [
                .dissolve(group("g", 11), reason: .queueReturned)
            ])
        #expect(formation.report().missing == [0, 1])
        #expect(formation.report().reason == "waits for ranks 0, 1; the tenant-queue was out of reach")
        #expect(formation.rankPresent(presence(0), now: at(1)) == [])
        #expect(
            formation.rankPresent(presence(1), now: at(1)) == [
                .form(group("g", 12), members: [presence(0), presence(1)])
            ])
        #expect(formation.ended(group("g", 11), because: .stepFailed, now: at(2)) == [])
    }

    /// The wall clock was put back while rank 0 was away: others know a later epoch than its floor.
    @Test func anEpochThatOthersHoldForOverIsFollowedByOneThatTheyTake() {
        var formation = formation(ranks: 1)
        let alone = presence(0, ranks: 1)
        _ = formation.rankPresent(alone, now: at(0))
        formation.observed(Epoch(5000))
        #expect(
            formation.ended(group("g", 11), because: .overElsewhere, now: at(1)) == [
                .dissolve(group("g", 11), reason: .overElsewhere)
            ])
        #expect(formation.rankPresent(alone, now: at(1)) == [.form(group("g", 5001), members: [alone])])
    }

    @Test func onlyALossCostsTheRequestsAnAttempt() {
        #expect(GroupFormation.DissolveReason.rankLost(rank: 1).end == .lost)
        #expect(GroupFormation.DissolveReason.stepFailed.end == .lost)
        #expect(GroupFormation.DissolveReason.queueReturned.end == .givenUp)
        #expect(GroupFormation.DissolveReason.overElsewhere.end == .givenUp)
    }

    @Test func aRankThatIsRefusedAgainAndAgainIsToldOnce() {
        var formation = formation()
        _ = formation.rankPresent(presence(1), now: at(0))
        #expect(formation.rankPresent(presence(0, model: 2), now: at(1)).count == 1)
        #expect(formation.rankPresent(presence(0, model: 2), now: at(2)) == [])
        #expect(formation.report().reason.hasPrefix("waits for rank 0; rank 0 has model"))
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func anyScheduleHasOneEpochAtATimeAndOnlyOfPresentRanks(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = random.number(1...5)
        var formation = formation(ranks: count)
        var alive: [Int: UInt64] = [:]
        var incarnations: UInt64 = 0
        var formed: GroupEpoch?
        var last = group("g", 10)
        func take(_ actions: [GroupFormation.Action]) {
            for action in actions {
                switch action {
                case .form(let epoch, let members):
                    #expect(formed == nil && epoch > last, "seed \(seed)")
                    #expect(members.map(\.rank) == Array(0..<count), "seed \(seed)")
                    #expect(members.allSatisfy { alive[$0.rank] == $0.incarnation.low }, "seed \(seed): a dead member")
                    (formed, last) = (epoch, epoch)
                case .dissolve(let epoch, _):
                    #expect(formed == epoch, "seed \(seed)")
                    formed = nil
                case .refuse(_, .replaced): break
                case .refuse(_, let error): Issue.record("seed \(seed): \(error)")
                }
            }
        }
        for step in 0..<1000 as Range<UInt64> {
            let rank = random.number(0...count - 1)
            switch random.number(0...4) {
            case 4:
                guard let epoch = formed else { continue }
                let reason = random.pick(
                    [.couldNotForm, .stepFailed, .queueReturned] as [GroupFormation.DissolveReason])
                take(formation.ended(epoch, because: reason, now: at(step * 100)))
            case 0:
                incarnations += 1
                alive[rank] = incarnations
                take(formation.rankPresent(presence(rank, incarnations, ranks: count), now: at(step * 100)))
            case 1:
                guard let incarnation = alive[rank] else { continue }
                take(formation.rankPresent(presence(rank, incarnation, ranks: count), now: at(step * 100)))
            case 2:
                guard let incarnation = alive[rank] else { continue }
                if random.chance(50) { alive[rank] = nil }
                take(formation.rankLost(rank, incarnation: Incarnation(high: 0, low: incarnation), now: at(step * 100)))
            default:
                // A process that was replaced wakes up.
                guard let incarnation = alive[rank], incarnation > 1 else { continue }
                let late = incarnation - 1
                guard !alive.values.contains(late) else { continue }
                take(formation.rankLost(rank, incarnation: Incarnation(high: 0, low: late), now: at(step * 100)))
            }
            #expect(formation.formed == formed, "seed \(seed)")
            #expect(formed == nil || formation.report().missing.isEmpty, "seed \(seed)")
        }
    }
}
