import HeddleCore
import Testing

/// Law 1 and the scheduler's promises under any schedule of events.
@Suite struct BatchSchedulerAnyScheduleTests {
    private struct Wanted {
        var prompt: [TokenID]
        var adapter: AdapterRef?
        var max: Int
        var stop: [TokenID]
    }

    /// Many begin as others do, for some blocks or less.
    private func wanted(_ random: inout SplitMix64, tokenCountMax: Int) -> Wanted {
        let total = random.number(2...tokenCountMax)
        let system = random.number(0...2)
        let systemCount = random.pick([0, 10, 16, 37, 64, 100])
        let prompt = (0..<random.number(1...total - 1)).map { position in
            position < systemCount ? TokenID((position * 7 + system) % 61) : TokenID(random.number(0...60))
        }
        let choice = random.number(0...4)
        return Wanted(
            prompt: prompt, adapter: choice == 0 ? nil : adapter(UInt8(choice)), max: total - prompt.count,
            stop: random.chance(30) ? [TokenID(random.number(0...60))] : [])
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func anyScheduleEndsEverySequenceOnceWithItsOwnTokens(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let running = random.number(1...6)
        let blockCount = random.number(2...14)
        let hasMemory = random.chance(40)
        let limits = try BatchLimits(
            blockCount: blockCount, blockByteCount: 100, memoryByteCountMax: hasMemory ? blockCount * 100 : nil,
            sharesPrefixes: random.chance(80), runningCountMax: running, waitingCountMax: random.number(2...20),
            stepTokenCountMax: running + random.number(0...20), contextTokensPerRow: random.pick([1, 20, 1000]),
            chunkTokenCountMax: random.pick([1, 2, 7, 16, 64]),
            scoredRowCountMax: random.pick([1, 3, 64]), positionCountMax: random.number(20...160),
            adapterSlotCount: random.number(1...4),
            passedOverStepCountMax: random.number(1...8))
        var group = ScriptedGroup(limits)
        var all: [SequenceRequest] = []
        var ended: Set<RequestID> = []
        var now: UInt64 = 0
        var sequences: UInt64 = 0
        func admitOne(_ group: inout ScriptedGroup) {
            let want = wanted(&random, tokenCountMax: limits.sequenceTokenCountMax)
            let id = UInt64(all.count) + 1000
            let answer = ScriptedModel.answer(
                adapter: want.adapter?.digest, prompt: want.prompt, choice: 0, max: want.max, stop: want.stop)
            // Some have come a part of the way elsewhere.
            let replay = random.chance(20) ? random.number(0...max(0, answer.tokens.count - 1)) : 0
            let tenant = random.pick(["a", "a", "b", "c"])
            let requests = (0..<random.pick([1, 1, 1, 3])).map { choice in
                sequences += 1
                return sequence(
                    sequences, request: id, choice: choice, tenant: tenant, adapter: want.adapter, prompt: want.prompt,
                    replayed: choice == 0 ? Array(answer.tokens.prefix(replay)) : [],
                    max: choice == 0 ? want.max - replay : want.max, stop: want.stop,
                    scoredFrom: random.chance(40) ? random.number(1...5) : nil,
                    deadline: random.chance(10) ? at(now + UInt64(random.number(1...60))) : nil)
            }
            all += requests
            group.admit(requests, now: at(now))
        }
        for _ in 0..<600 {
            now += UInt64(random.number(0...2))
            switch random.number(0...9) {
            case 0...1: admitOne(&group)
            case 2: group.finishLoad(bytes: random.number(1...(hasMemory ? blockCount * 60 : 1000)))
            case 3 where random.chance(10): group.failLoad(reason: "scripted")
            case 3 where random.chance(20): group.postponeLoad()
            case 3 where random.chance(30): group.wantRoom(now: at(now))
            case 4 where random.chance(15) && !all.isEmpty:
                let id = random.pick(all).request
                ended.insert(id)
                group.cancel(id)
            case 5 where random.chance(40) && !all.isEmpty: group.scheduler.preempt(random.pick(all).sequence)
            case 6 where random.chance(3): group.failStep(now: at(now))
            default:
                let cancelled = random.chance(4) && !all.isEmpty ? random.pick(all).request : nil
                let preempted = random.chance(10) && !all.isEmpty ? random.pick(all).sequence : nil
                if let cancelled { ended.insert(cancelled) }
                _ = group.step(now: at(now)) { group in
                    if let cancelled { group.cancel(cancelled) }
                    if let preempted { group.scheduler.preempt(preempted) }
                }
            }
            guard group.faults.isEmpty else { break }
        }
        // Nothing new: everything must come to its end in a bounded number of steps.
        var steps = 0
        while !group.scheduler.isIdle, steps < 20_000, group.faults.isEmpty {
            steps += 1
            group.finishLoad(bytes: random.number(1...(hasMemory ? blockCount * 60 : 1000)))
            _ = group.step(now: at(now))
        }
        #expect(group.faults == [], "seed \(seed)")
        #expect(group.scheduler.isIdle, "seed \(seed): no progress")
        #expect(group.scheduler.report().heldBlockCount == 0, "seed \(seed)")
        #expect(hasMemory || group.scheduler.freeBlockCount == limits.blockCount, "seed \(seed)")
        #expect(group.scheduler.report().adapters.allSatisfy { $0.pinCount == 0 }, "seed \(seed)")
        #expect(group.released.sorted() == all.map(\.sequence).sorted(), "seed \(seed): released once each")
        for (id, _, _) in group.failures { ended.insert(id) }
        #expect(Set(group.failures.map(\.0)).count == group.failures.count, "seed \(seed): failed once each")
        for request in all { check(request, group, mayEndEarly: ended.contains(request.request), seed: seed) }
    }

    private func check(_ request: SequenceRequest, _ group: ScriptedGroup, mayEndEarly: Bool, seed: UInt64) {
        let answer = ScriptedModel.answer(
            adapter: request.adapter?.digest, prompt: request.promptTokens, choice: request.choice,
            max: request.replayedTokens.count + request.tokenCountMax, stop: request.stopTokens)
        let deliveries = group.delivered.filter { $0.sequence == request.sequence }
        let tokens = request.replayedTokens + deliveries.flatMap(\.tokens)
        var next = request.replayedTokens.count
        for delivery in deliveries {
            #expect(delivery.firstIndex == next, "seed \(seed): a gap in \(request.sequence)")
            next += delivery.tokens.count
        }
        #expect(tokens == Array(answer.tokens.prefix(tokens.count)), "seed \(seed): \(request.sequence)")
        #expect(deliveries.dropLast().allSatisfy { $0.finish == nil }, "seed \(seed)")
        let scores = group.scores[request.sequence] ?? []
        for (offset, score) in scores.enumerated() {
            let index = (request.scoredFrom ?? 0) + offset
            let expected = ScriptedModel.logprob(
                adapter: request.adapter?.digest, before: request.promptTokens[..<index])
            #expect(score.logprob == expected && score.token == request.promptTokens[index], "seed \(seed)")
        }
        if !deliveries.isEmpty, let first = request.scoredFrom {
            #expect(scores.count == max(0, request.promptTokens.count - first), "seed \(seed): \(request.sequence)")
        }
        if let finish = deliveries.last?.finish {
            #expect(finish == answer.finish && tokens == answer.tokens, "seed \(seed): \(request.sequence)")
        } else {
            #expect(mayEndEarly, "seed \(seed): \(request.sequence) has no end")
        }
    }

    @Test(arguments: [1, 7, 64, 4096], [1, 3, 32])
    func tokensDoNotDependOnChunksBudgetOrCompany(chunk: Int, running: Int) throws {
        let prompts = (0..<running).map { number in (0..<(90 + number)).map { TokenID(($0 * 7 + number) % 61) } }
        var group = ScriptedGroup(
            try BatchLimits(
                blockCount: 400, runningCountMax: running, waitingCountMax: 64, stepTokenCountMax: running + 11,
                chunkTokenCountMax: chunk, positionCountMax: 400, adapterSlotCount: 4))
        for (number, prompt) in prompts.enumerated() {
            let adapter = number % 3 == 0 ? nil : adapter(UInt8(number % 3))
            group.admit([sequence(UInt64(number), adapter: adapter, prompt: prompt, max: 40)], now: at(0))
        }
        while group.step(now: at(1)) || !group.loading.isEmpty { group.finishLoad() }
        #expect(group.faults == [])
        for (number, prompt) in prompts.enumerated() {
            let digest = number % 3 == 0 ? nil : digest(UInt8(number % 3))
            let tokens = group.delivered.filter { $0.sequence.number == number }.flatMap(\.tokens)
            #expect(
                tokens == ScriptedModel.answer(adapter: digest, prompt: prompt, choice: 0, max: 40, stop: []).tokens)
        }
    }

    @Test func aSequencePreemptedAtEveryPositionDeliversTheSameTokens() throws {
        let prompt = (0..<37).map { TokenID($0) }
        let answer = ScriptedModel.answer(adapter: digest(1), prompt: prompt, choice: 0, max: 30, stop: [])
        for position in 0..<50 {
            var group = ScriptedGroup(
                try BatchLimits(
                    blockCount: 12, runningCountMax: 2, stepTokenCountMax: 8, chunkTokenCountMax: 5,
                    positionCountMax: 100))
            group.admit([sequence(1, adapter: adapter(1), prompt: prompt, max: 30)], now: at(0))
            group.admit([sequence(2, prompt: [9], max: 60)], now: at(0))
            var steps = 0
            while !group.scheduler.isIdle {
                group.finishLoad()
                // In flight at even positions, between steps at odd ones.
                let isNow = steps == position
                if isNow, position % 2 == 1 { group.scheduler.preempt(SequenceID(1)) }
                _ = group.step(now: at(1)) { group in
                    if isNow, position % 2 == 0 { group.scheduler.preempt(SequenceID(1)) }
                }
                steps += 1
            }
            #expect(group.faults == [])
            #expect(group.delivered.filter { $0.sequence.number == 1 }.flatMap(\.tokens) == answer.tokens)
        }
    }

    @Test func theSameEventsGiveTheSamePlans() throws {
        func plans() throws -> [StepPlan] {
            var random = SplitMix64(seed: 99)
            var group = ScriptedGroup(
                try BatchLimits(blockCount: 9, runningCountMax: 4, stepTokenCountMax: 12, chunkTokenCountMax: 7),
                keepsPlans: true)
            for number in 0..<40 as Range<UInt64> {
                let prompt = (0..<random.number(1...60)).map { TokenID($0) }
                group.admit(
                    [sequence(number, adapter: adapter(UInt8(number % 5)), prompt: prompt, max: 20)], now: at(0))
                _ = group.step(now: at(number))
                group.finishLoad()
            }
            while !group.scheduler.isIdle {
                _ = group.step(now: at(100))
                group.finishLoad()
            }
            #expect(group.faults == [])
            #expect(group.plans.map(\.step) == Array(1...UInt64(group.plans.count)))
            return group.plans
        }
        #expect(try plans() == plans())
    }
}
