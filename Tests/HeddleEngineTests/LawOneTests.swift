import HeddleCore
import HeddleEngine
import HeddleKernels
import Testing

/// Law 1 at the engine: a sequence's logits are the same bits whatever else runs, however it is cut and wherever it lies.
@Suite(.serialized) struct LawOneTests {
    /// Every sequence of a folder alone, in one piece, on one rank and one thread: what all else is compared with.
    private static func alone(_ golden: Golden, format: WeightFormat = .auto) throws -> [[[UInt32]]] {
        let group = try RankGroup(golden, format: format)
        return try golden.sequences.indices.map { index in
            bits(try Driver.run([golden.feed(index)], on: group, chunk: .max, blocks: Array(0..<16))[0])
        }
    }

    private static func bits(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }

    /// Compares without printing thousands of numbers: the first row that differs is enough.
    private func expectSame(_ found: [[UInt32]], _ expected: [[UInt32]], _ what: String) {
        if found == expected { return }
        let row = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        Issue.record("\(what): row \(row ?? min(found.count, expected.count)) of \(expected.count) differs")
    }

    private static func feeds(_ golden: Golden) -> [Driver.Feed] {
        golden.sequences.indices.map { golden.feed($0) }
    }

    @Test(arguments: Golden.names) func chunksOfAnySizeGiveTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        for chunk in [1, 7, 64] {
            let found = try Driver.run(Self.feeds(golden), on: RankGroup(golden), chunk: chunk, blocks: Array(0..<64))
            for (index, rows) in found.enumerated() {
                expectSame(Self.bits(rows), expected[index], "chunks of \(chunk)")
            }
        }
    }

    @Test(arguments: Golden.names) func aBatchOf32WithOtherAdaptersGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        var feeds: [Driver.Feed] = []
        for number in 0..<32 {
            let index = number * 7 % golden.sequences.count
            feeds.append(golden.feed(index, number: number))
        }
        for chunk in [13, Int.max] {
            let found = try Driver.run(feeds, on: RankGroup(golden), chunk: chunk, blocks: Array(0..<512))
            for (number, rows) in found.enumerated() {
                expectSame(Self.bits(rows), expected[number * 7 % golden.sequences.count], "sequence \(number)")
            }
        }
    }

    @Test(arguments: Golden.names) func anyOrderOfBlocksGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        for stride in [37, 61] {
            let blocks = (0..<64).map { $0 * stride % 64 }
            let found = try Driver.run(Self.feeds(golden), on: RankGroup(golden), chunk: 11, blocks: blocks)
            for (index, rows) in found.enumerated() { expectSame(Self.bits(rows), expected[index], "stride \(stride)") }
        }
    }

    @Test(arguments: Golden.names) func anyNumberOfRanksGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        for rankCount in 2...8 {
            // Where a rank would own no head the plan refuses, which ShardPlanTests holds it to.
            guard (try? ShardPlan(configuration: golden.model.configuration, rank: 0, rankCount: rankCount)) != nil
            else {
                #expect(rankCount > golden.model.configuration.headCount || rankCount > 4)
                continue
            }
            let found = try Driver.run(
                Self.feeds(golden), on: RankGroup(golden, rankCount: rankCount), chunk: 19, blocks: Array(0..<64))
            for (index, rows) in found.enumerated() {
                expectSame(Self.bits(rows), expected[index], "\(rankCount) ranks")
            }
        }
    }

    @Test(arguments: Golden.names) func threadsAndInstructionSetsGiveTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        let before = InstructionSet.current
        defer { before.use() }
        for instructions in InstructionSet.available {
            instructions.use()
            for threadCount in [1, 2] {
                var limits = ForwardLimits()
                limits.threadCount = threadCount
                let found = try Driver.run(
                    Self.feeds(golden), on: RankGroup(golden, limits: limits), chunk: 40, blocks: Array(0..<64))
                for (index, rows) in found.enumerated() {
                    expectSame(Self.bits(rows), expected[index], "\(instructions), \(threadCount) threads")
                }
            }
        }
    }

    /// The other formats of weights, each exact within itself: chunks and ranks, threads and instruction sets.
    @Test(arguments: Golden.names, [WeightFormat.f32, .int8, .int4])
    func everyFormatGivesTheSameBits(_ name: String, _ format: WeightFormat) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden, format: format)
        let before = InstructionSet.current
        defer { before.use() }
        for instructions in InstructionSet.available {
            instructions.use()
            for (rankCount, threadCount, chunk) in [(1, 2, 7), (3, 1, 19)] {
                guard (try? ShardPlan(configuration: golden.model.configuration, rank: 0, rankCount: rankCount)) != nil
                else { continue }
                var limits = ForwardLimits()
                limits.threadCount = threadCount
                let group = try RankGroup(golden, rankCount: rankCount, limits: limits, format: format)
                let found = try Driver.run(Self.feeds(golden), on: group, chunk: chunk, blocks: Array(0..<64))
                for (index, rows) in found.enumerated() {
                    expectSame(Self.bits(rows), expected[index], "\(instructions), \(rankCount) ranks, chunks of \(chunk)")
                }
            }
        }
    }

    /// A sequence that loses its blocks at any position and is run again from the start, in blocks that others used, goes on
    /// as if nothing had happened. One golden of each architecture, and every one whose rotation depends on the length.
    @Test(arguments: Self.preempted) func aSequencePreemptedAnywhereGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        let group = try RankGroup(golden)
        let index = 1
        let whole = golden.feed(index)
        var other = golden.feed(0, number: 7)
        other.adapter = nil
        for position in 1..<whole.tokens.count {
            // The prompt in pieces, then token by token, up to where it is preempted.
            var first = whole
            first.tokens = Array(whole.tokens[..<position])
            var driver = Driver([first], blocks: Array(0..<8))
            while !driver.isFinished {
                let isPrompt = driver.feeds[0].done < whole.promptTokenCount
                let plan = driver.plan(rowsMax: isPrompt ? 29 : 1)
                driver.finished(plan, try group.run(plan))
            }
            expectSame(
                Self.bits(driver.feeds[0].logits), Array(expected[index][..<position]), "before position \(position)")
            _ = try Driver.run([other], on: group, chunk: 43, blocks: Array((0..<8).reversed()))
            let found = try Driver.run([whole], on: group, chunk: 31, blocks: [3, 1, 7, 0, 2, 4, 5, 6])
            expectSame(Self.bits(found[0]), expected[index], "preempted at \(position)")
        }
    }

    private static let preempted = Set(
        Golden.ofEachArchitecture + ["heads6kv3", "llama-dynamic", "llama-longrope", "phi3-long"]
    ).sorted()

    /// A sequence that outgrows its frequencies is computed anew in steps of few rows.
    @Test func aSequenceOutgrowsItsFrequenciesInStepsOfFewRows() throws {
        let golden = try Golden("phi3-long")
        let expected = try Self.alone(golden)
        var limits = ForwardLimits()
        limits.stepRowCountMax = 22
        let found = try Driver.run(
            Self.feeds(golden), on: RankGroup(golden, rankCount: 3, limits: limits), chunk: 11, blocks: Array(0..<64))
        for (index, rows) in found.enumerated() { expectSame(Self.bits(rows), expected[index], "sequence \(index)") }
    }

    /// The packed file and the adapter packed in memory are the same bits.
    @Test(arguments: ["heads8kv2", "adapters-llama", "adapters-phi3"])
    func anAdapterFromAPackedFileGivesTheSameBits(_ name: String) throws {
        let golden = try Golden(name)
        let expected = try Self.alone(golden)
        try withTemporaryFolder { folder in
            for rankCount in [1, 3] {
                let group = try RankGroup(golden, rankCount: rankCount)
                for rank in 0..<rankCount {
                    let plan = try ShardPlan(
                        configuration: golden.model.configuration, rank: rank, rankCount: rankCount)
                    let shape = ShardShape(model: golden.model, plan: plan, weights: .auto)
                    for (index, sequence) in golden.sequences.enumerated() {
                        guard let name = sequence.adapter, let adapter = golden.adapters[name],
                            let slot = golden.slot(index)
                        else { continue }
                        let path =
                            folder + "/"
                            + PackedAdapter.fileName(digest: adapter.digest, for: shape)
                        try PackedAdapter.write(folder: adapter, for: shape, to: path)
                        let mapped = try PackedAdapter(path: path, digest: adapter.digest, for: shape)
                        try group.pass(rank).mapAdapter(mapped, slot: slot)
                    }
                }
                let found = try Driver.run(Self.feeds(golden), on: group, chunk: 30, blocks: Array(0..<64))
                for (index, rows) in found.enumerated() {
                    expectSame(Self.bits(rows), expected[index], "\(rankCount) ranks")
                }
            }
        }
    }
}
