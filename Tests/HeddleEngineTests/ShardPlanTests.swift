import HeddleEngine
import HeddleFiles
import Testing

@Suite struct ShardPlanTests {
    private func configuration(heads: Int, kvHeads: Int, feedForward: Int = 101, vocabulary: Int = 117)
        -> ModelConfiguration
    {
        ModelConfiguration(
            layerCount: 1, hiddenSize: 32, headCount: heads, kvHeadCount: kvHeads, headDimension: 4,
            feedForwardSize: feedForward, vocabularyCount: vocabulary)
    }

    @Test(arguments: 1...8) func ranksShareEverythingOnce(_ rankCount: Int) throws {
        for (heads, kvHeads) in [(8, 8), (8, 2), (9, 3), (12, 4), (32, 4), (15, 5), (40, 8)] {
            let configuration = configuration(heads: heads, kvHeads: kvHeads)
            let plans = try (0..<rankCount).map {
                try ShardPlan(configuration: configuration, rank: $0, rankCount: rankCount)
            }
            #expect(plans.flatMap { Array($0.heads) } == Array(0..<heads))
            #expect(plans.flatMap { Array($0.feedForward) } == Array(0..<101))
            #expect(plans.flatMap { Array($0.vocabulary) } == Array(0..<117))
            #expect(plans.flatMap { Array($0.segments) } == Array(0..<8))
            for plan in plans {
                #expect(plan.heads.allSatisfy { plan.kvHeads.contains($0 / (heads / kvHeads)) })
                #expect(plan.vocabularyWidths[plan.rank] == plan.vocabulary.count)
            }
        }
    }

    @Test func aRankWithoutAHeadIsRefused() {
        #expect(throws: EngineError.rankWithoutHead(rank: 0, rankCount: 8, headCount: 6)) {
            try ShardPlan(configuration: configuration(heads: 6, kvHeads: 3), rank: 3, rankCount: 8)
        }
        #expect(throws: EngineError.rankOutOfRange(rank: 0, rankCount: 9, rankCountMax: 8)) {
            try ShardPlan(configuration: configuration(heads: 32, kvHeads: 32), rank: 0, rankCount: 9)
        }
        #expect(throws: EngineError.rankOutOfRange(rank: 2, rankCount: 2, rankCountMax: 8)) {
            try ShardPlan(configuration: configuration(heads: 32, kvHeads: 32), rank: 2, rankCount: 2)
        }
    }
}
