import HeddleCore
import Testing

/// How a step's rows, and the blocks, are shared among tenants.
@Suite struct TenantSharesTests {
    private func group(
        blocks: Int = 400, running: Int = 8, rows: Int = 64, chunk: Int = 64, context: Int = 16_384
    ) throws -> ScriptedGroup {
        ScriptedGroup(
            try BatchLimits(
                blockCount: blocks, runningCountMax: running, stepTokenCountMax: rows, contextTokensPerRow: context,
                chunkTokenCountMax: chunk, positionCountMax: 5000), keepsPlans: true)
    }

    private func rows(_ plan: StepPlan?) -> [UInt64: Int] {
        Dictionary(uniqueKeysWithValues: (plan?.segments ?? []).map { ($0.sequence.number, $0.tokens.count) })
    }

    private func prompt(_ count: Int, from first: Int = 0) -> [TokenID] {
        (0..<count).map { TokenID(($0 * 7 + first) % 61) }
    }

    @Test func aShortPromptIsNotHeldUpByAnotherTenantsLongOnes() throws {
        var group = try group()
        group.admit([sequence(1, tenant: "a", prompt: prompt(2000), max: 1)], now: at(0))
        group.admit([sequence(2, tenant: "a", prompt: prompt(2000, from: 1), max: 1)], now: at(0))
        _ = group.step(now: at(1))
        #expect(rows(group.plans.last) == [1: 64])
        group.admit([sequence(3, tenant: "b", prompt: prompt(20), max: 1)], now: at(2))
        _ = group.step(now: at(2))
        // Half of the rows were its tenant's to have; the others go back.
        #expect(rows(group.plans.last) == [1: 44, 3: 20])
        #expect(group.delivered.map(\.sequence.number) == [3])
    }

    @Test func tenantsShareAStepAlikeAndEachOldestFirst() throws {
        var group = try group(rows: 60, chunk: 40)
        group.admit([sequence(1, tenant: "a", prompt: prompt(500), max: 1)], now: at(0))
        for number in 2...4 as ClosedRange<UInt64> {
            group.admit([sequence(number, tenant: "b", prompt: prompt(500, from: Int(number)), max: 1)], now: at(0))
        }
        group.admit([sequence(5, tenant: "c", prompt: prompt(10), max: 1)], now: at(0))
        _ = group.step(now: at(1))
        #expect(rows(group.plans.last) == [1: 25, 2: 25, 5: 10])
        _ = group.step(now: at(1))
        #expect(rows(group.plans.last) == [1: 30, 2: 30])
    }

    @Test func decodingSequencesHaveTheirRowInEveryStepBesideALongPrompt() throws {
        var group = try group(running: 4, rows: 16, chunk: 4096)
        for number in 1...3 as ClosedRange<UInt64> {
            group.admit([sequence(number, tenant: "a", prompt: [TokenID(number)], max: 100)], now: at(0))
        }
        _ = group.step(now: at(1))
        group.admit([sequence(4, tenant: "b", prompt: prompt(1000), max: 1)], now: at(1))
        for _ in 0..<50 {
            _ = group.step(now: at(2))
            #expect(rows(group.plans.last) == [1: 1, 2: 1, 3: 1, 4: 13])
        }
    }

    @Test func rowsBehindALongContextCountAsSeveral() throws {
        var group = try group(rows: 64, chunk: 4096, context: 256)
        group.admit([sequence(1, prompt: prompt(1200), max: 1)], now: at(0))
        while group.step(now: at(1)) {}
        let chunks = group.plans.flatMap(\.segments)
        #expect(
            chunks.allSatisfy {
                $0.tokens.count == 1200 - $0.firstPosition || $0.tokens.count == 64 / (1 + $0.firstPosition / 256)
            })
        #expect(chunks.last.map { $0.firstPosition + $0.tokens.count } == 1200)
        // However long the context, it goes on.
        var long = try self.group(rows: 8, chunk: 4096, context: 1)
        long.admit([sequence(1, prompt: prompt(100), max: 1)], now: at(0))
        while long.step(now: at(1)) {}
        #expect(long.delivered.count == 1)
    }

    @Test func theYoungestOfTheTenantThatHoldsMostGivesUpItsBlocks() throws {
        var group = try group(blocks: 10, rows: 400)
        // a holds 2 + 2 + 2 blocks, b one and another younger one, and one block is free for the first to come.
        for number in 1...3 as ClosedRange<UInt64> {
            group.admit([sequence(number, tenant: "a", prompt: prompt(30, from: Int(number)), max: 40)], now: at(0))
        }
        for number in 4...5 as ClosedRange<UInt64> {
            group.admit([sequence(number, tenant: "b", prompt: prompt(15, from: Int(number)), max: 40)], now: at(0))
        }
        var victims: [UInt64] = []
        for _ in 0..<6 {
            _ = group.step(now: at(1))
            victims += group.scheduler.report().waiting.map(\.sequence.number)
        }
        #expect(victims.first == 3)
        #expect(!victims.contains(4) && !victims.contains(5))
        while group.step(now: at(1)) {}
        #expect(group.faults == [] && group.released.count == 5)
    }

    @Test func theOldestIsNeverPreempted() throws {
        var group = try group(blocks: 6, rows: 400)
        group.admit([sequence(1, tenant: "a", prompt: prompt(60), max: 30)], now: at(0))
        group.admit([sequence(2, tenant: "b", prompt: prompt(10), max: 30)], now: at(0))
        while group.step(now: at(1)) {
            #expect(group.scheduler.report().waiting.allSatisfy { $0.sequence.number != 1 })
        }
        #expect(group.faults == [] && group.released.map(\.number).sorted() == [1, 2])
        #expect(group.scheduler.report().counts.preempted > 0)
    }
}
