import HeddleCore
import Testing

/// What sequences begin with alike is computed once, for one tenant and one adapter.
@Suite struct PrefixSharingTests {
    private func group(
        blocks: Int = 64, running: Int = 8, rows: Int = 64, chunk: Int = 64, shares: Bool = true,
        dependence: KVDependence = .nothing
    ) throws -> ScriptedGroup {
        ScriptedGroup(
            try BatchLimits(
                blockCount: blocks, sharesPrefixes: shares, dependence: dependence, runningCountMax: running,
                stepTokenCountMax: rows, chunkTokenCountMax: chunk, positionCountMax: 512), keepsPlans: true)
    }

    private let system: [TokenID] = Array(0..<50)

    private func finish(_ group: inout ScriptedGroup) {
        var steps = 0
        while !group.scheduler.isIdle, steps < 1000 {
            group.finishLoad()
            _ = group.step(now: at(1))
            steps += 1
        }
        #expect(group.scheduler.isIdle && group.faults == [])
    }

    /// Runs a prompt alone and says how many of its tokens were found, after checking what it generated.
    private func cachedTokens(
        _ group: inout ScriptedGroup, _ number: UInt64, tenant: String = "a", adapter: AdapterRef? = nil,
        prompt: [TokenID], max: Int = 4, scoredFrom: Int? = nil
    ) -> Int {
        group.admit(
            [sequence(number, tenant: tenant, adapter: adapter, prompt: prompt, max: max, scoredFrom: scoredFrom)],
            now: at(0))
        finish(&group)
        let deliveries = group.delivered.filter { $0.sequence.number == number }
        let answer = ScriptedModel.answer(adapter: adapter?.digest, prompt: prompt, choice: 0, max: max, stop: [])
        #expect(deliveries.flatMap(\.tokens) == answer.tokens)
        #expect(Set(deliveries.map(\.cachedTokenCount)).count == 1)
        return deliveries.first?.cachedTokenCount ?? -1
    }

    @Test func whatWasComputedIsFoundForTheSameTenantAndAdapterAlone() throws {
        var group = try group()
        #expect(cachedTokens(&group, 1, prompt: system + [1]) == 0)
        #expect(cachedTokens(&group, 2, prompt: system + [2]) == 48)
        #expect(cachedTokens(&group, 3, tenant: "b", prompt: system + [2]) == 0)
        #expect(cachedTokens(&group, 4, adapter: adapter(1), prompt: system + [2]) == 0)
        #expect(cachedTokens(&group, 5, adapter: adapter(1), prompt: system + [3]) == 48)
        #expect(cachedTokens(&group, 6, tenant: "b", adapter: adapter(1), prompt: system + [3]) == 0)
        #expect(cachedTokens(&group, 7, adapter: adapter(2), prompt: system + [3]) == 0)
        // Another name for the same content.
        let renamed = AdapterRef(name: AdapterName("other"), digest: digest(1), rank: 8)
        #expect(cachedTokens(&group, 8, adapter: renamed, prompt: system + [3]) == 48)
    }

    @Test func theLastTokenIsRunAlways() throws {
        var group = try group()
        let prompt = Array(system.prefix(32))
        #expect(cachedTokens(&group, 1, prompt: prompt) == 0)
        #expect(cachedTokens(&group, 2, prompt: prompt) == 16)
        #expect(group.plans.last { $0.segments[0].firstPosition < 32 }?.segments[0].tokens.count == 16)
        #expect(cachedTokens(&group, 3, prompt: prompt + [5]) == 32)
    }

    @Test func whatWasGeneratedIsFoundByTheNextTurn() throws {
        var group = try group()
        #expect(cachedTokens(&group, 1, prompt: system, max: 30) == 0)
        let answer = ScriptedModel.answer(adapter: nil, prompt: system, choice: 0, max: 30, stop: []).tokens
        // All but the last generated token were computed: 79 positions, 4 whole blocks.
        #expect(cachedTokens(&group, 2, prompt: system + answer + [7, 8, 9]) == 64)
    }

    @Test func tokensWhoseLogitsScoreThePromptAreRun() throws {
        var group = try group()
        #expect(cachedTokens(&group, 1, prompt: system) == 0)
        #expect(cachedTokens(&group, 2, prompt: system, scoredFrom: 1) == 0)
        #expect(cachedTokens(&group, 3, prompt: system, scoredFrom: 33) == 32)
        #expect(cachedTokens(&group, 4, prompt: system, scoredFrom: 32) == 16)
        #expect(group.scores[SequenceID(3)]?.count == 17)
    }

    @Test func choicesThatComeTogetherComputeTheirPromptOnce() throws {
        var group = try group(rows: 256, chunk: 24)
        group.admit((0..<5).map { sequence($0, request: 1, choice: Int($0), prompt: system, max: 3) }, now: at(0))
        group.admit([sequence(9, tenant: "b", prompt: [1, 2], max: 3)], now: at(0))
        _ = group.step(now: at(1))
        let report = group.scheduler.report()
        #expect(report.running.map(\.sequence.number) == [0, 9])
        #expect(report.waiting.map(\.state) == Array(repeating: .waitingForPrefix(of: SequenceID(0)), count: 4))
        finish(&group)
        // The prompt once, the two tokens of its last block for each choice, and what was generated.
        #expect(group.runTokenCount == 50 + 4 * 2 + 5 * 2 + 2 + 2)
        for number in 0..<5 as Range<UInt64> {
            let answer = ScriptedModel.answer(adapter: nil, prompt: system, choice: Int(number), max: 3, stop: [])
            #expect(group.delivered.filter { $0.sequence.number == number }.flatMap(\.tokens) == answer.tokens)
        }
    }

    @Test func equalBlocksThatWereComputedApartBecomeOne() throws {
        var group = try group(blocks: 40)
        // The second was preempted before the first began, so that nobody waits for anybody: it is the older.
        group.admit([sequence(1, prompt: system, max: 20)], now: at(0))
        group.admit([sequence(2, prompt: system, max: 20)], now: at(0))
        _ = group.step(now: at(1))
        _ = group.step(now: at(1))
        #expect(group.scheduler.report().heldBlockCount == 5)
        finish(&group)
    }

    @Test func theLeastRecentlyUsedPrefixGoesFirstAndFromItsEnd() throws {
        var group = try group(blocks: 8, chunk: 64)
        let (a, b) = (Array(system.prefix(33)), Array(system.reversed().prefix(33)))
        #expect(cachedTokens(&group, 1, prompt: a, max: 1) == 0)
        #expect(cachedTokens(&group, 2, prompt: b, max: 1) == 0)
        #expect(cachedTokens(&group, 3, prompt: a, max: 1) == 32)
        #expect(group.scheduler.report().keptBlockCount == 4)
        // Needs 5 of 8 blocks, of which 4 hold nothing: the last block of b goes.
        #expect(cachedTokens(&group, 4, tenant: "b", prompt: Array(1...66), max: 1) == 0)
        #expect(cachedTokens(&group, 5, prompt: a, max: 1) == 32)
        #expect(cachedTokens(&group, 6, prompt: b, max: 1) == 16)
    }

    @Test func aSequenceThatIsPreemptedFindsWhatItHad() throws {
        var group = try group(blocks: 16)
        group.admit([sequence(1, prompt: system, max: 40)], now: at(0))
        for _ in 0..<20 { _ = group.step(now: at(1)) }
        let before = group.runTokenCount
        group.scheduler.preempt(SequenceID(1))
        _ = group.step(now: at(1))
        // 69 tokens were computed, 64 of them in whole blocks; one was pending.
        #expect(group.runTokenCount - before == 70 - 64)
        #expect(group.scheduler.report().counts.recomputedTokens == 5)
        finish(&group)
    }

    @Test func nothingIsSharedWhereThatIsTurnedOff() throws {
        var group = try group(shares: false)
        for number in 1...3 as ClosedRange<UInt64> { #expect(cachedTokens(&group, number, prompt: system) == 0) }
        #expect(group.scheduler.report().keptBlockCount == 0)
    }

    @Test func promptsWhoseLengthChangesTheirKeysShareWithTheirLikeAlone() throws {
        var dynamic = try group(dependence: .lengthOfPrompt(beyond: 49))
        #expect(cachedTokens(&dynamic, 1, prompt: system) == 0)
        #expect(cachedTokens(&dynamic, 2, prompt: system + [1]) == 0)
        #expect(cachedTokens(&dynamic, 3, prompt: system + [2]) == 48)
        #expect(cachedTokens(&dynamic, 4, prompt: Array(system.prefix(49))) == 0)
        #expect(cachedTokens(&dynamic, 5, prompt: Array(system.prefix(40))) == 32)
        var long = try group(dependence: .promptIsLonger(than: 49))
        #expect(cachedTokens(&long, 1, prompt: Array(system.prefix(49))) == 0)
        #expect(cachedTokens(&long, 2, prompt: system) == 0)
        #expect(cachedTokens(&long, 3, prompt: system + [2]) == 48)
        var anew = try group(dependence: .computedAnew(beyond: 49))
        // It may come to 50 tokens, and its blocks be computed anew.
        #expect(cachedTokens(&anew, 1, prompt: Array(system.prefix(40)), max: 10) == 0)
        #expect(cachedTokens(&anew, 2, prompt: Array(system.prefix(40)), max: 9) == 0)
        #expect(cachedTokens(&anew, 3, prompt: Array(system.prefix(40)), max: 9) == 32)
        #expect(cachedTokens(&anew, 4, prompt: system) == 0)
        #expect(cachedTokens(&anew, 5, prompt: system) == 48)
        var several = try group(dependence: .several)
        for number in 1...2 as ClosedRange<UInt64> { #expect(cachedTokens(&several, number, prompt: system) == 0) }
    }
}
