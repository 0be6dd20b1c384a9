import HeddleCore
import Testing

/// KV blocks and adapters out of one budget of bytes.
@Suite struct MemoryBudgetTests {
    /// Ten blocks of 10 bytes where there is no adapter.
    private func group(memory: Int = 100, slots: Int = 4) throws -> ScriptedGroup {
        ScriptedGroup(
            try BatchLimits(
                blockCount: memory / 10, blockByteCount: 10, memoryByteCountMax: memory, runningCountMax: 8,
                stepTokenCountMax: 256, chunkTokenCountMax: 256, positionCountMax: 512, adapterSlotCount: slots),
            keepsPlans: true)
    }

    private func prompt(_ count: Int, from first: Int = 0) -> [TokenID] {
        (0..<count).map { TokenID(($0 * 7 + first) % 61) }
    }

    @Test func anAdapterTakesItsBytesFromKeptBlocksAndGivesThemBackWhenItGoes() throws {
        var group = try group()
        group.admit([sequence(1, prompt: prompt(150), max: 1)], now: at(0))
        while group.step(now: at(1)) {}
        #expect(group.scheduler.report().keptBlockCount == 9)
        #expect(group.scheduler.report().residentBlockCount == 10)
        group.admit([sequence(2, adapter: adapter(1), prompt: [1, 2], max: 1)], now: at(1))
        _ = group.step(now: at(2))
        group.finishLoad(bytes: 45)
        _ = group.step(now: at(3))
        // 45 bytes leave five blocks: one for the sequence, four that are kept; five went back.
        #expect(group.plans.last?.givenUp.count == 5)
        #expect(group.scheduler.report().residentBlockCount == 5)
        #expect(group.scheduler.report().adapterBytes == 45)
        #expect(group.scheduler.report().keptBlockCount == 4)
        // A sequence that needs eight blocks has the idle adapter unmapped.
        group.admit([sequence(3, tenant: "b", prompt: prompt(120, from: 3), max: 1)], now: at(4))
        _ = group.step(now: at(5))
        #expect(group.scheduler.report().adapters.isEmpty && group.scheduler.report().adapterBytes == 0)
        #expect(group.faults == [] && group.released.count == 3)
    }

    @Test func whoStartsTakesNothingFromWhoRuns() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), prompt: prompt(60), max: 20)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad(bytes: 40)
        _ = group.step(now: at(1))
        group.admit([sequence(2, adapter: adapter(2), prompt: [1], max: 1)], now: at(1))
        group.admit([sequence(3, prompt: [1], max: 1)], now: at(1))
        _ = group.step(now: at(2))
        group.finishLoad(bytes: 15)
        _ = group.step(now: at(3))
        let report = group.scheduler.report()
        #expect(report.waiting.map(\.state) == [.waitingForMemory(neededBytes: 25, freeBytes: 20)])
        while group.step(now: at(4)) {}
        #expect(group.released.map(\.number) == [3, 1, 2])
        #expect(group.faults == [])
    }

    @Test func whatCannotFitEvenAloneEndsWithItsNumbers() throws {
        var group = try group()
        group.admit([sequence(1, adapter: adapter(1), prompt: prompt(60), max: 20)], now: at(0))
        group.admit([sequence(2, adapter: adapter(1), prompt: [1], max: 2)], now: at(0))
        _ = group.step(now: at(0))
        group.finishLoad(bytes: 60)
        while group.step(now: at(1)) {}
        #expect(
            group.failures.map(\.2) == [
                .noCapacity(
                    reason:
                        "adapter “adapter-1” takes 60 bytes and 5 KV blocks take 50; the worker has 100 bytes for both")
            ])
        #expect(group.released.map(\.number) == [1, 2])
    }

    @Test func aMemoryThatIsSmallerThanItsBlocksIsRefused() {
        #expect(throws: LimitsError.self) {
            try BatchLimits(blockCount: 10, blockByteCount: 10, memoryByteCountMax: 99)
        }
    }
}
