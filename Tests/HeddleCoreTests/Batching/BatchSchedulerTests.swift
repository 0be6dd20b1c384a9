import HeddleCore
import Testing

@Suite struct BatchSchedulerTests {
    private func group(
        blocks: Int = 64, running: Int = 8, waiting: Int = 16, rows: Int = 64, chunk: Int = 64, slots: Int = 4,
        positions: Int = 512, passedOver: Int = 4
    ) throws -> ScriptedGroup {
        ScriptedGroup(
            try BatchLimits(
                blockCount: blocks, runningCountMax: running, waitingCountMax: waiting, stepTokenCountMax: rows,
                chunkTokenCountMax: chunk, positionCountMax: positions, adapterSlotCount: slots,
                passedOverStepCountMax: passedOver), keepsPlans: true)
    }

    @Test func aPromptIsRunInOneStepAndThenATokenAStep() throws {
        var group = try group()
        group.admit([sequence(1, max: 3)], now: at(0))
        #expect(group.step(now: at(1)) == true)
        #expect(
            group.plans == [
                StepPlan(
                    step: 1,
                    segments: [
                        StepPlan.Segment(
                            sequence: SequenceID(1), adapter: nil, tokens: [1, 2, 3], firstPosition: 0,
                            promptTokenCount: 3, blocks: [BlockID(0)], logits: .last)
                    ])
            ])
        #expect(group.step(now: at(2)) == true)
        #expect(group.step(now: at(3)) == true)
        #expect(group.step(now: at(4)) == false)
        let answer = ScriptedModel.answer(adapter: nil, prompt: [1, 2, 3], choice: 0, max: 3, stop: [])
        #expect(group.delivered.flatMap(\.tokens) == answer.tokens)
        #expect(group.delivered.map(\.firstIndex) == [0, 1, 2])
        #expect(group.delivered.map(\.finish) == [nil, nil, .length])
        #expect(group.released == [SequenceID(1)])
        #expect(group.scheduler.isIdle && group.scheduler.freeBlockCount == 64)
        #expect(group.plans.map(\.step) == [1, 2, 3])
    }

    @Test func aLongPromptIsRunInChunksBesideDecodingSequences() throws {
        var group = try group(running: 2, rows: 6, chunk: 4)
        group.admit([sequence(1, prompt: [5], max: 9)], now: at(0))
        _ = group.step(now: at(1))
        group.admit([sequence(2, prompt: Array(1...10), max: 1)], now: at(1))
        for step in 2...4 { _ = group.step(now: at(UInt64(step))) }
        let chunks = group.plans.dropFirst().map { plan in plan.segments.map { ($0.sequence.number, $0.tokens.count) } }
        #expect(chunks.map { $0.map(\.0) } == [[1, 2], [1, 2], [1, 2]])
        #expect(chunks.map { $0.map(\.1) } == [[1, 4], [1, 4], [1, 2]])
        #expect(
            group.plans.dropFirst().map { $0.segments.map(\.logits) } == [
                [.last, .none], [.last, .none], [.last, .last],
            ])
    }

    @Test func waitingSequencesStartInOrderOfArrival() throws {
        var group = try group(running: 2)
        group.admit([sequence(9, max: 1)], now: at(0))
        group.admit([sequence(3, max: 1)], now: at(0))
        group.admit([sequence(5, max: 1)], now: at(0))
        _ = group.step(now: at(1))
        #expect(group.scheduler.report().waiting.map(\.state) == [.waitingForRunningCount(max: 2)])
        _ = group.step(now: at(2))
        #expect(group.plans.map { $0.segments.map(\.sequence.number) } == [[3, 9], [5]])
    }

    @Test func aSequenceWaitsForItsAdapterAndHoldsUpNobody() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), max: 2)], now: at(0))
        group.admit([sequence(2, max: 2)], now: at(0))
        _ = group.step(now: at(1))
        #expect(group.plans[0].segments.map(\.sequence.number) == [2])
        #expect(group.scheduler.report().waiting.map(\.state) == [.waitingForAdapter(digest(1))])
        #expect(group.loading.map(\.1) == [AdapterSlot(0)])
        group.finishLoad(bytes: 77)
        _ = group.step(now: at(2))
        // Rows without an adapter first.
        #expect(group.plans[1].segments.map(\.sequence.number) == [2, 1])
        #expect(group.plans[1].segments.map(\.adapter) == [nil, AdapterSlot(0)])
        #expect(group.scheduler.report().adapterBytes == 77)
    }

    @Test func anAdapterThatCannotBeLoadedFailsAllWhoWaitForItOnce() throws {
        var group = try group()
        group.admit(
            [
                sequence(1, request: 1, choice: 0, adapter: adapter(1)),
                sequence(2, request: 1, choice: 1, adapter: adapter(1)),
            ], now: at(0))
        group.admit([sequence(3, request: 2, adapter: adapter(1))], now: at(0))
        _ = group.step(now: at(1))
        group.failLoad(reason: "tensor q is cut short")
        let error = RequestError.adapterInvalid(adapter: "adapter-1", reason: "tensor q is cut short")
        #expect(group.failures.map(\.0) == [request(1), request(2)])
        #expect(group.failures.allSatisfy { $0.2 == error })
        #expect(group.released.map(\.number).sorted() == [1, 2, 3])
        #expect(group.scheduler.isIdle && group.scheduler.report().adapters.isEmpty)
    }

    @Test func anAdapterSlotIsUnmappedBeforeItIsUsedAgain() throws {
        var group = try group(slots: 1)
        for number in 1...3 as ClosedRange<UInt8> {
            group.admit([sequence(UInt64(number), adapter: adapter(number), max: 2)], now: at(0))
        }
        for step in 1...12 as ClosedRange<UInt64> {
            _ = group.step(now: at(step))
            group.finishLoad()
        }
        #expect(group.released.map(\.number) == [1, 2, 3])
        #expect(group.faults == [])
        #expect(group.scheduler.report().counts.adapterEvictions == 2)
    }

    @Test func aSequenceWithoutASlotIsNotPassedOverForEver() throws {
        var group = try group(slots: 1, passedOver: 3)
        group.admit([sequence(1, adapter: adapter(1), max: 3)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad()
        group.admit([sequence(2, adapter: adapter(2), max: 1)], now: at(0))
        // The first adapter's requests keep coming; each outlives the one before.
        var next: UInt64 = 10
        for step in 1...20 as ClosedRange<UInt64> {
            group.admit([sequence(next, adapter: adapter(1), max: 3)], now: at(step))
            next += 1
            _ = group.step(now: at(step))
            group.finishLoad()
        }
        #expect(group.released.contains(SequenceID(2)))
        #expect(group.faults == [])
    }

    @Test func whereRoomIsWantedIdleAdaptersAreLetGoOfAtOnceAndLater() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), max: 1)], now: at(0))
        group.admit([sequence(2, adapter: adapter(2), max: 3)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad()
        group.finishLoad()
        _ = group.step(now: at(1))
        #expect(group.scheduler.adapterRoomWanted(now: at(2)) == [.unmapAdapter(AdapterSlot(0))])
        #expect(group.scheduler.adapterRoomWanted(now: at(3)) == [])
        _ = group.step(now: at(4))
        _ = group.step(now: at(5))
        // The last one has ended: the next look lets go of its adapter.
        let (plan, actions) = group.scheduler.schedule(now: at(6))
        #expect(plan == nil && actions == [.unmapAdapter(AdapterSlot(1))])
        #expect(group.scheduler.report().adapters.isEmpty)
    }

    @Test func roomThatIsNoLongerAskedForIsNoLongerWanted() throws {
        var group = try group()
        #expect(group.scheduler.adapterRoomWanted(now: at(0)) == [])
        group.admit([sequence(1, adapter: adapter(1), max: 1)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad()
        _ = group.step(now: at(1))
        #expect(group.scheduler.schedule(now: at(2)).actions == [])
        _ = group.scheduler.adapterRoomWanted(now: at(3))
        group.admit([sequence(2, adapter: adapter(2), max: 1)], now: at(4))
        _ = group.step(now: at(4))
        #expect(group.scheduler.report().waiting.map(\.state) == [.waitingForAdapter(digest(2))])
        // A second has passed.
        #expect(group.scheduler.schedule(now: at(1003)).actions == [])
    }

    @Test func anAdapterInSteadyUseIsLetGoOfWhenRoomIsOverdue() throws {
        var group = try group(passedOver: 3)
        group.admit([sequence(1, adapter: adapter(1), max: 3)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad()
        var next: UInt64 = 10
        var letGo = false
        for step in 1...20 as ClosedRange<UInt64> where !letGo {
            group.admit([sequence(next, adapter: adapter(1), max: 3)], now: at(step))
            next += 1
            group.wantRoom(now: at(step))
            _ = group.step(now: at(step))
            letGo = group.scheduler.report().adapters.allSatisfy { $0.state == .loading }
        }
        #expect(letGo)
        // Those who came meanwhile are served when it has been loaded again.
        while !group.scheduler.isIdle {
            group.finishLoad()
            _ = group.step(now: at(2000))
        }
        #expect(group.faults == [] && group.failures.isEmpty)
    }

    @Test func whoWaitsForRoomUntilItsDeadlineEndsWithNoCapacityAndNotTheAdapterInvalid() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), deadline: at(2000))], now: at(0))
        group.admit([sequence(2, adapter: adapter(2), deadline: at(9000))], now: at(0))
        _ = group.step(now: at(0))
        #expect(group.scheduler.nextDeadline(now: at(0)) == at(2000))
        group.wantRoom(now: at(1500))
        #expect(group.scheduler.nextDeadline(now: at(1500)) == at(1750))
        #expect(group.step(now: at(1749)) == false && group.failures.isEmpty)
        #expect(group.step(now: at(1750)) == false)
        #expect(
            group.failures.map(\.2) == [
                .noCapacity(reason: "adapter “adapter-1” waited for room in the adapter-cache, all in use")
            ])
        #expect(!group.scheduler.isAdapterWanted(digest(1)) && group.scheduler.isAdapterWanted(digest(2)))
        group.postponeLoad()
        #expect(group.scheduler.report().adapters.map(\.digest) == [digest(2)])
    }

    @Test func whoWaitsForASlotUntilItsDeadlineEndsWithNoCapacity() throws {
        var group = try group(slots: 1)
        group.admit([sequence(1, adapter: adapter(1), max: 100)], now: at(0))
        group.admit([sequence(2, adapter: adapter(2), deadline: at(1000))], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad()
        _ = group.step(now: at(749))
        #expect(group.failures.isEmpty)
        _ = group.step(now: at(750))
        #expect(
            group.failures.map(\.2) == [
                .noCapacity(reason: "adapter “adapter-2” waited for one of 1 slots, all in use")
            ])
    }

    @Test func aLoadThatIsPutOffIsAskedForAgain() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), max: 1)], now: at(0))
        _ = group.step(now: at(0))
        group.postponeLoad()
        #expect(group.failures.isEmpty && group.loading.isEmpty)
        _ = group.step(now: at(1))
        #expect(group.loading.count == 1)
        group.finishLoad()
        _ = group.step(now: at(2))
        #expect(group.released == [SequenceID(1)])
    }

    @Test func theYoungestGivesUpItsBlocksAndLosesNoToken() throws {
        var group = try group(blocks: 4, running: 4, rows: 64)
        group.admit([sequence(1, prompt: Array(1...15), max: 30)], now: at(0))
        group.admit([sequence(2, prompt: Array(2...16), max: 30)], now: at(0))
        var step: UInt64 = 0
        while group.step(now: at(step)) { step += 1 }
        #expect(group.faults == [])
        for number in 1...2 as ClosedRange<UInt64> {
            let tokens = group.delivered.filter { $0.sequence.number == number }.flatMap(\.tokens)
            let prompt = number == 1 ? Array(1...15) : Array(2...16) as [TokenID]
            #expect(tokens == ScriptedModel.answer(adapter: nil, prompt: prompt, choice: 0, max: 30, stop: []).tokens)
        }
        #expect(group.released == [SequenceID(1), SequenceID(2)])
        #expect(group.scheduler.report().counts.preempted > 0)
        #expect(group.scheduler.report().counts.recomputedTokens > 0)
    }

    @Test func aSequenceThatCanNeverFitIsRefusedWithItsNumbers() throws {
        var group = try group(blocks: 2, positions: 512)
        group.admit([sequence(1, prompt: Array(1...20), max: 13)], now: at(0))
        #expect(group.failures.map(\.2) == [.promptTooLong(tokenCount: 20, tokenCountMax: 32)])
        group.admit([sequence(2, prompt: Array(1...20), max: 12)], now: at(0))
        #expect(group.failures.count == 1)
        group.admit([sequence(3, prompt: [])], now: at(0))
        group.admit([sequence(4, max: 0)], now: at(0))
        group.admit([sequence(5, max: .max)], now: at(0))
        #expect(
            group.failures.map(\.2.code) == ["prompt_too_long", "empty_prompt", "invalid_parameter", "prompt_too_long"])
        #expect(group.released.map(\.number) == [1, 3, 4, 5])
    }

    @Test func aRequestOfSeveralChoicesIsTakenInWholeOrNotAtAll() throws {
        var group = try group(waiting: 3)
        group.admit((1...2).map { sequence($0, request: 1, choice: Int($0)) }, now: at(0))
        group.admit((3...4).map { sequence($0, request: 2, choice: Int($0)) }, now: at(0))
        #expect(group.failures.map(\.2) == [.noCapacity(reason: "2 of 3 sequences wait at the group")])
        #expect(group.released.map(\.number) == [3, 4])
        #expect(group.scheduler.waitingCount == 2)
    }

    @Test func aStopTokenEndsAChoiceAndIsNotPartOfIt() throws {
        let answer = ScriptedModel.answer(adapter: nil, prompt: [4, 4], choice: 0, max: 8, stop: [])
        let stop = answer.tokens[3]
        let kept = Array(answer.tokens.prefix { $0 != stop })
        var group = try group()
        group.admit([sequence(1, prompt: [4, 4], max: 8, stop: [stop])], now: at(0))
        while group.step(now: at(1)) {}
        #expect(group.delivered.flatMap(\.tokens) == kept)
        #expect(group.delivered.last?.tokens == [])
        #expect(group.delivered.last?.firstIndex == kept.count)
        #expect(group.delivered.last?.finish == .stop)
    }

    @Test func replayedTokensAreRunAgainAndNotDeliveredAgain() throws {
        let answer = ScriptedModel.answer(adapter: nil, prompt: [1, 2, 3], choice: 0, max: 6, stop: [])
        var group = try group()
        group.admit(
            [sequence(1, attempt: 2, replayed: Array(answer.tokens.prefix(4)), max: 2)], now: at(0))
        while group.step(now: at(1)) {}
        #expect(group.delivered.map(\.firstIndex) == [4, 5])
        #expect(group.delivered.flatMap(\.tokens) == Array(answer.tokens.suffix(2)))
        #expect(group.plans.map { $0.segments.map(\.tokens.count) } == [[7], [1]])
    }

    @Test func aCancelledSequenceLeavesAtOnceOrWithTheStepInFlight() throws {
        var group = try group()
        group.admit([sequence(1, max: 100)], now: at(0))
        group.admit([sequence(2, max: 100)], now: at(0))
        _ = group.step(now: at(1)) { $0.cancel(request(1)) }
        #expect(group.released == [SequenceID(1)])
        #expect(group.delivered.map(\.sequence.number) == [2])
        group.cancel(request(2))
        #expect(group.released == [SequenceID(1), SequenceID(2)])
        #expect(group.scheduler.isIdle && group.scheduler.freeBlockCount == 64)
        #expect(group.scheduler.report().counts.cancelled == 2)
    }

    @Test func oneChoiceIsCancelledAndTheOthersGoOn() throws {
        var group = try group()
        group.admit((0...2).map { sequence(UInt64($0), request: 1, choice: $0, max: 100) }, now: at(0))
        _ = group.step(now: at(1))
        group.cancel(request(1), attempt: Attempt(1), choice: 1)
        _ = group.step(now: at(2))
        #expect(group.plans[1].segments.map(\.sequence.number) == [0, 2])
    }

    @Test func aCancelOfAnOlderAttemptLeavesTheNewerAlone() throws {
        var group = try group()
        group.admit([sequence(1, request: 1, attempt: 2)], now: at(0))
        group.cancel(request(1), attempt: Attempt(1))
        #expect(group.scheduler.waitingCount == 1)
    }

    @Test func aNewerAttemptTakesThePlaceOfTheOlderAndAnOlderIsDropped() throws {
        var group = try group()
        group.admit([sequence(1, request: 1, attempt: 2, max: 50)], now: at(0))
        _ = group.step(now: at(1))
        group.admit([sequence(2, request: 1, attempt: 2, max: 50)], now: at(1))
        group.admit([sequence(3, request: 1, attempt: 1, max: 50)], now: at(1))
        #expect(group.released.map(\.number) == [2, 3])
        group.admit([sequence(4, request: 1, attempt: 3, max: 50)], now: at(1))
        #expect(group.released.map(\.number) == [2, 3, 1])
        _ = group.step(now: at(2))
        #expect(group.plans[1].segments.map(\.sequence.number) == [4])
        #expect(group.scheduler.report().counts.stale == 2)
    }

    @Test func aDeadlineEndsAllChoicesOfARequestWithOneError() throws {
        var group = try group()
        group.admit(
            (0...1).map { sequence(UInt64($0), request: 1, choice: $0, max: 100, deadline: at(50)) }, now: at(10))
        _ = group.step(now: at(49))
        #expect(group.scheduler.nextDeadline(now: at(49)) == at(50))
        #expect(group.step(now: at(50)) == false)
        #expect(group.failures.map(\.2) == [.deadlineExceeded(after: .milliseconds(40))])
        #expect(group.released.count == 2)
    }

    @Test func aFailedStepLosesItsRequestsAndNoOthers() throws {
        var group = try group(running: 1)
        group.admit([sequence(1)], now: at(0))
        group.admit([sequence(2)], now: at(0))
        group.failStep(now: at(1))
        #expect(group.failures.map(\.0) == [request(1)])
        #expect(group.failures.map(\.2) == [.workerLost(losses: 1)])
        #expect(group.released == [SequenceID(1)])
        #expect(group.step(now: at(2)) == true)
        #expect(group.plans.map { $0.segments.map(\.sequence.number) } == [[2]])
        #expect(group.plans.map(\.step) == [2])
    }

    @Test func aReportSaysWhySequencesWaitAndSinceWhen() throws {
        var group = try group(blocks: 4, running: 2, rows: 8, chunk: 8, slots: 1)
        group.admit([sequence(1, prompt: Array(1...40), max: 2)], now: at(0))
        group.admit([sequence(2, prompt: Array(2...41), max: 2)], now: at(0))
        group.admit([sequence(3, adapter: adapter(1))], now: at(0))
        group.admit([sequence(4, adapter: adapter(2))], now: at(0))
        group.admit([sequence(5)], now: at(0))
        _ = group.step(now: at(5))
        _ = group.step(now: at(6))
        let report = group.scheduler.report()
        #expect(report.running.map(\.state) == [.prefilling])
        #expect(report.running.map(\.computedTokenCount) == [16])
        #expect(
            report.waiting.map(\.state) == [
                .waitingForTurn, .waitingForAdapter(digest(1)), .waitingForAdapterSlot(slotCount: 1), .waitingForTurn,
            ])
        #expect(report.waiting.map(\.since) == [at(0), at(5), at(5), at(0)])
    }

    @Test func limitsThatContradictEachOtherAreRefused() {
        #expect(throws: LimitsError(limit: "stepTokenCountMax", value: 7, rule: "from 8 to 1048576")) {
            try BatchLimits(runningCountMax: 8, stepTokenCountMax: 7)
        }
        #expect(throws: LimitsError.self) { try BatchLimits(blockCount: 0) }
        #expect(throws: LimitsError.self) { try BatchLimits(chunkTokenCountMax: 0) }
    }
}
