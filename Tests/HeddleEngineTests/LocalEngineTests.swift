import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles
import Testing

/// The scheduler, the ranks and the sampler together, without a mesh.
@Suite(.serialized) struct LocalEngineTests {
    private func requests(
        _ golden: Golden, _ engine: LocalEngine, _ change: (inout SamplingParameters) -> Void = { _ in }
    )
        -> [LocalRequest]
    {
        golden.sequences.map { sequence in
            var parameters = SamplingParameters(tokenCountMax: sequence.tokens.count, logprobCount: 3)
            change(&parameters)
            let adapter = sequence.adapter.flatMap { name in
                golden.adapters[name].map { engine.add($0, named: AdapterName(name)) }
            }
            return LocalRequest(promptTokens: sequence.prompt, adapter: adapter, parameters: parameters)
        }
    }

    @Test(arguments: Golden.names) func greedyTokensAreTransformersOwn(_ name: String) throws {
        let golden = try Golden(name)
        for rankCount in 1...4 {
            var options = LocalEngine.Options()
            options.rankCount = rankCount
            options.chunkTokenCountMax = 10
            let engine = try LocalEngine(model: golden.model, options: options)
            let results = try engine.generate(requests(golden, engine))
            for (index, sequence) in golden.sequences.enumerated() {
                #expect(results[index].tokens == sequence.tokens, "\(rankCount) ranks, \(sequence.adapter ?? "base")")
                #expect(results[index].finish == .length)
                #expect(results[index].logprobs.map { $0.top.first?.token } == sequence.tokens)
            }
        }
    }

    /// Sampled tokens and their log-probabilities are the same bits on any number of ranks, alone or together, and with so few
    /// KV blocks that sequences are preempted.
    @Test(arguments: Golden.names) func sampledTokensDependOnTheRequestAlone(_ name: String) throws {
        let golden = try Golden(name)
        func sampled(_ rankCount: Int, blockCount: Int, together: Bool) throws -> [LocalResult] {
            var options = LocalEngine.Options()
            options.rankCount = rankCount
            options.forward.blockCount = blockCount
            let engine = try LocalEngine(model: golden.model, options: options)
            let all = requests(golden, engine) {
                $0.temperature = 1.2
                $0.topK = 40
                $0.topP = 0.95
                $0.seed = 7
            }
            return together ? try engine.generate(all) : try all.flatMap { try engine.generate([$0]) }
        }
        let expected = try sampled(1, blockCount: 64, together: false)
        #expect(try sampled(1, blockCount: 64, together: true) == expected)
        // Room for the longest sequence, and no more.
        let few = golden.sequences.map { KVBlocks.blockCount(forTokens: $0.rows) }.max() ?? 0
        #expect(try sampled(1, blockCount: few, together: true) == expected)
        #expect(try sampled(2, blockCount: 64, together: true) == expected)
        #expect(try sampled(3, blockCount: few + 2, together: true) == expected)
        #expect(try sampled(4, blockCount: 64, together: false) == expected)
        #expect(expected.map(\.tokens) != golden.sequences.map(\.tokens))
    }

    @Test func aStopTokenEndsAChoiceAndIsNotPartOfIt() throws {
        let golden = try Golden("heads4")
        let engine = try LocalEngine(model: golden.model)
        let stop = golden.sequences[0].tokens[9]
        let first = golden.sequences[0].tokens.firstIndex(of: stop) ?? 0
        let results = try engine.generate(requests(golden, engine) { $0.stopTokens = [stop] })
        #expect(results[0].tokens == Array(golden.sequences[0].tokens[..<first]))
        #expect(results[0].finish == .stop)
    }

    @Test func aListenerEndsARequest() throws {
        let golden = try Golden("heads4")
        let engine = try LocalEngine(model: golden.model)
        var heard = 0
        let results = try engine.generate(Array(requests(golden, engine)[..<1])) { _, _ in
            heard += 1
            return heard == 5 ? .stop : .goOn
        }
        #expect(results[0].tokens == Array(golden.sequences[0].tokens[..<5]))
        #expect(results[0].finish == .stop)
    }

    @Test func aRequestThatCannotFitIsRefusedAlone() throws {
        let golden = try Golden("heads4")
        var options = LocalEngine.Options()
        options.forward.blockCount = 4
        let engine = try LocalEngine(model: golden.model, options: options)
        var all = requests(golden, engine)
        all[1].promptTokens = Array(repeating: 5, count: 60)
        all[2].promptTokens = []
        let results = try engine.generate(all)
        #expect(results[0].tokens == golden.sequences[0].tokens)
        #expect(results[1].error == .promptTooLong(tokenCount: 60, tokenCountMax: 64))
        #expect(results[2].error == .emptyPrompt)
    }

    @Test func tooManyRanksAreRefused() throws {
        let golden = try Golden("heads4")
        var options = LocalEngine.Options()
        options.rankCount = 8
        #expect(throws: EngineError.rankWithoutHead(rank: 0, rankCount: 8, headCount: 4)) {
            try LocalEngine(model: golden.model, options: options)
        }
        options.rankCount = 0
        #expect(throws: EngineError.rankOutOfRange(rank: 0, rankCount: 0, rankCountMax: 8)) {
            try LocalEngine(model: golden.model, options: options)
        }
    }
}

/// What a rank does when the others are gone.
@Suite struct LostRankTests {
    @Test func anAbortedGroupEndsTheStepWithItsError() throws {
        let golden = try Golden("heads4")
        let collectives = try SharedMemoryCollective.threads(rankCount: 2)
        let plan = try ShardPlan(configuration: golden.model.configuration, rank: 0, rankCount: 2)
        let pass = try CPUForwardPass(
            shard: PackedShard(model: golden.model, plan: plan), collective: collectives[0])
        collectives[1].abort()
        #expect(throws: CollectiveError.aborted) {
            try pass.run(
                StepPlan(
                    step: 1,
                    segments: [
                        StepPlan.Segment(
                            sequence: SequenceID(1), adapter: nil, tokens: [3, 4], firstPosition: 0,
                            blocks: [BlockID(0)],
                            logits: .last)
                    ]))
        }
    }
}
