import HeddleCore
import HeddleEngine
import HeddleKernels
import Testing

/// Law 1 with prefixes that are shared: a sequence's logits are the same bits whether its beginning was computed for it, for
/// another, or before it was preempted.
@Suite(.serialized) struct PrefixLawTests {
    /// The golden's sequences alone, in one piece: the bits that every position must give.
    private func alone(_ golden: Golden) throws -> [[[UInt32]]] {
        let group = try RankGroup(golden)
        return try golden.sequences.indices.map { index in
            try Driver.run([golden.feed(index)], on: group, chunk: .max, blocks: Array(0..<16))[0]
                .map { $0.map(\.bitPattern) }
        }
    }

    private func limits(
        _ golden: Golden, blockCount: Int, running: Int = 6, step: Int, chunk: Int, shares: Bool = true
    ) throws -> BatchLimits {
        try BatchLimits(
            blockCount: blockCount, sharesPrefixes: shares, dependence: golden.model.configuration.kvDependence,
            runningCountMax: running, stepTokenCountMax: max(running, step), chunkTokenCountMax: chunk,
            positionCountMax: golden.model.configuration.positionCountMax)
    }

    private func check(
        _ run: ScheduledRun, _ sequences: [(id: SequenceID, index: Int)], _ expected: [[[UInt32]]], _ golden: Golden,
        _ what: String
    ) {
        for (id, index) in sequences {
            let found = run.logits[id] ?? [:]
            let last = golden.sequences[index].fed.count - 2
            #expect(found[last] != nil, "\(what): sequence \(index) came to its end")
            let wrong = found.filter { $0.value != expected[index][$0.key] }.keys.min()
            #expect(wrong == nil, "\(what): sequence \(index) differs at position \(wrong ?? 0)")
        }
    }

    /// Cold and warm, in chunks of any size, alone and together, in few blocks, on 1 to 4 ranks.
    @Test(arguments: Golden.names) func aSharedPrefixGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try alone(golden)
        let longest = golden.sequences.map { KVBlocks.blockCount(forTokens: $0.fed.count) }.max() ?? 1
        let kept = golden.model.configuration.kvDependence
        for (rankCount, blockCount, step, chunk) in [
            (1, 64, 40, 23), (2, longest, 31, 31), (3, 64, 19, 7), (4, longest + 3, 64, 64),
        ] {
            guard (try? ShardPlan(configuration: golden.model.configuration, rank: 0, rankCount: rankCount)) != nil
            else { continue }
            let limits = try limits(golden, blockCount: blockCount, step: step, chunk: chunk)
            var run = try ScheduledRun(golden, rankCount: rankCount, limits: limits)
            var all: [(id: SequenceID, index: Int)] = []
            for round in 0..<3 {
                for index in golden.sequences.indices {
                    let tenant = round == 2 && index == 0 ? "b" : "a"
                    all.append((try run.admit(index, tenant: tenant, replayed: round * index % 5), index))
                }
                // All of a round together, one round after the other.
                if round != 1 { while !run.scheduler.isIdle { _ = try run.step() } }
            }
            while !run.scheduler.isIdle { _ = try run.step() }
            check(run, all, expected, golden, "\(rankCount) ranks, chunks of \(chunk)")
            #expect(run.failures.isEmpty && run.ended.count == all.count)
            if blockCount == 64, kept == .nothing {
                #expect(run.scheduler.report().counts.cachedTokens > 0, "\(name): nothing was shared")
            }
        }
    }

    /// A sequence that is preempted after every token goes on with what was kept.
    @Test(arguments: Self.preempted)
    func aSequencePreemptedAtEveryPositionGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try alone(golden)
        // What keeps no block would begin anew for ever, were it stopped after every ten rows.
        let keepsBlocks = if case .computedAnew = golden.model.configuration.kvDependence { false } else { true }
        for chunk in keepsBlocks ? [5, 64] : [64] {
            var run = try ScheduledRun(
                golden, rankCount: 1, limits: try limits(golden, blockCount: 24, step: chunk, chunk: chunk))
            let all = [(id: try run.admit(1), index: 1), (id: try run.admit(0), index: 0)]
            var steps = 0
            while !run.scheduler.isIdle, steps < 2000 {
                steps += 1
                _ = try run.step()
                // Each in turn, so that what one holds is taken by the other.
                if steps % 2 == 0 || chunk == 64 { run.scheduler.preempt(all[steps % 3 == 0 ? 1 : 0].id) }
            }
            check(run, all, expected, golden, "chunks of \(chunk)")
            #expect(run.scheduler.report().counts.preempted > 20)
        }
    }

    private static let preempted = Set(
        Golden.ofEachArchitecture + ["heads6kv3", "llama-dynamic", "llama-longrope", "phi3-long"]
    ).sorted()

    @Test func aPrefixIsComputedOnceForEachTenantAndAdapter() throws {
        let golden = try Golden("heads8kv2")
        let expected = try alone(golden)
        var run = try ScheduledRun(golden, limits: try limits(golden, blockCount: 128, step: 256, chunk: 256))
        func runOne(_ index: Int, tenant: String) throws -> (cached: Int, rows: Int) {
            let before = run.rowCount
            let id = try run.admit(index, tenant: tenant)
            while !run.scheduler.isIdle { _ = try run.step() }
            check(run, [(id, index)], expected, golden, "tenant \(tenant)")
            return (run.cachedTokenCounts[id] ?? -1, run.rowCount - before)
        }
        for tenant in ["a", "b"] {
            for index in golden.sequences.indices {
                let prompt = golden.sequences[index].prompt.count
                let whole = (prompt - 1) / kvBlockTokens * kvBlockTokens
                let cold = try runOne(index, tenant: tenant)
                #expect(cold.cached == 0 && cold.rows == golden.sequences[index].fed.count - 1)
                let warm = try runOne(index, tenant: tenant)
                #expect(warm.cached == whole)
                #expect(warm.rows == golden.sequences[index].fed.count - 1 - whole)
            }
        }
    }
}
