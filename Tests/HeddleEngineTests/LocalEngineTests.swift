import Glibc
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleFiles
import HeddleKernels
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
            options.weightFormat = .f32
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

    /// The same with everything that looks at the tokens so far, and with log-probabilities of the prompt.
    @Test(arguments: Golden.names) func penaltiesDependOnTheRequestAlone(_ name: String) throws {
        let golden = try Golden(name)
        func sampled(_ rankCount: Int, blockCount: Int, chunk: Int, together: Bool) throws -> [LocalResult] {
            var options = LocalEngine.Options()
            options.rankCount = rankCount
            options.forward.blockCount = blockCount
            options.chunkTokenCountMax = chunk
            let engine = try LocalEngine(model: golden.model, options: options)
            let all = requests(golden, engine) {
                $0.temperature = 1.1
                $0.minP = 0.01
                $0.typicalP = 0.97
                $0.repetitionPenalty = 1.2
                $0.presencePenalty = 0.4
                $0.frequencyPenalty = 0.3
                $0.logitBias = [.init(token: 5, bias: 2), .init(token: 9, bias: -100)]
                $0.tokenCountMin = 12
                $0.stopTokens = Array(10..<30)
                $0.promptLogprobCount = 2
                $0.seed = 11
            }
            return together ? try engine.generate(all) : try all.flatMap { try engine.generate([$0]) }
        }
        let expected = try sampled(1, blockCount: 64, chunk: 256, together: false)
        #expect(try sampled(1, blockCount: 64, chunk: 5, together: true) == expected)
        // Room for the longest sequence, and no more.
        let few = golden.sequences.map { KVBlocks.blockCount(forTokens: $0.rows) }.max() ?? 0
        #expect(try sampled(1, blockCount: few, chunk: 16, together: true) == expected)
        #expect(try sampled(2, blockCount: 64, chunk: 256, together: true) == expected)
        #expect(try sampled(2, blockCount: few + 1, chunk: 7, together: true) == expected)
        for (result, sequence) in zip(expected, golden.sequences) {
            #expect(result.tokens.count >= 12 && !result.tokens.contains(9))
            #expect(!result.tokens.prefix(12).contains { (10..<30).contains($0) })
            #expect(result.promptLogprobs.map(\.token) == Array(sequence.prompt.dropFirst()))
        }
    }

    /// A choice that another worker goes on with, from any of its tokens, draws what the first would have drawn.
    @Test func aReplayedSequenceGoesOnWithItsOwnTokens() throws {
        let golden = try Golden("heads4")
        let parameters = SamplingParameters(
            temperature: 1.3, repetitionPenalty: 1.4, presencePenalty: 0.5, frequencyPenalty: 0.7, seed: 5,
            tokenCountMax: 40)
        let engine = try LocalEngine(model: golden.model)
        let prompt = golden.sequences[0].prompt
        let tokens = try engine.generate([LocalRequest(promptTokens: prompt, parameters: parameters)])[0].tokens
        let feed = Driver.Feed(1, adapter: nil, tokens: prompt + tokens)
        let rows = try Driver.run([feed], on: RankGroup(golden), chunk: .max, blocks: Array(0..<16))[0]
        for count in tokens.indices {
            var sampler = SequenceSampler(parameters, choice: 0, prompt: prompt, generated: Array(tokens[..<count]))
            let end = prompt.count + count
            let memory = FloatMemory(count: rows[end - 1].count)
            _ = memory.floats.update(fromContentsOf: rows[end - 1])
            let segment = StepPlan.Segment(
                sequence: SequenceID(1), adapter: nil, tokens: Array((prompt + tokens)[..<end]), firstPosition: 0,
                blocks: [], logits: .last)
            let logits = Logits(memory: memory, rowCount: 1, vocabularyCount: rows[end - 1].count)
            let outcome = sampler.read(segment, logits, firstRow: 0, memory: SamplingMemory())
            #expect(outcome.token == tokens[count], "after \(count) tokens")
        }
    }

    @Test(arguments: Golden.names) func promptLogprobsAreThoseOfTransformersLogits(_ name: String) throws {
        let golden = try Golden(name)
        var options = LocalEngine.Options()
        options.chunkTokenCountMax = 9
        options.weightFormat = .f32
        let engine = try LocalEngine(model: golden.model, options: options)
        let results = try engine.generate(requests(golden, engine) { $0.promptLogprobCount = 3 })
        for (index, sequence) in golden.sequences.enumerated() {
            #expect(results[index].tokens == sequence.tokens)
            let found = results[index].promptLogprobs
            #expect(found.count == sequence.prompt.count - 1)
            let width = golden.logits[index].count / sequence.rows
            for (position, logprobs) in found.enumerated() {
                let row = golden.logits[index][(position * width)..<((position + 1) * width)].map(Double.init)
                let largest = row.max() ?? 0
                let shift = largest + log(row.reduce(0) { $0 + exp($1 - largest) })
                #expect(logprobs.token == sequence.prompt[position + 1] && logprobs.top.count == 3)
                for entry in logprobs.top + [.init(token: logprobs.token, logprob: logprobs.logprob)] {
                    let expected = row[Int(entry.token)] - shift
                    #expect(abs(Double(entry.logprob) - expected) <= 2 * sequence.bf16_deviation + 1e-5)
                }
            }
        }
    }

    @Test func ignoredEndTokensAreTokensLikeAnyOther() throws {
        let golden = try Golden("heads4")
        let engine = try LocalEngine(model: golden.model)
        let ends = [golden.sequences[0].tokens[9]]
        func tokens(_ isIgnored: Bool) throws -> [TokenID] {
            let parameters = SamplingParameters(tokenCountMax: 32, ignoresEndTokens: isIgnored)
            let request = LocalRequest(
                promptTokens: golden.sequences[0].prompt, parameters: parameters.ending(at: ends))
            return try engine.generate([request])[0].tokens
        }
        #expect(try tokens(false).count < 10)
        #expect(try tokens(true) == golden.sequences[0].tokens)
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
