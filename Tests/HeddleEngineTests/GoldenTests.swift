import HeddleCore
import HeddleEngine
import Testing

/// What this engine computes against what `transformers` and `peft` computed in float64 (Goldens/make_goldens.py).
@Suite struct GoldenTests {
    /// The prompt in one piece, then one token at a time, every sequence of the folder in one batch: base rows beside rows of
    /// adapters of different ranks.
    @Test(arguments: Golden.names) func logitsAndGreedyTokensAgree(_ name: String) throws {
        let golden = try Golden(name)
        let group = try RankGroup(golden, format: .f32)
        var driver = Driver(
            golden.sequences.enumerated().map { index, sequence in
                Driver.Feed(index, adapter: golden.slot(index), tokens: sequence.prompt)
            }, blocks: Array(0..<64))
        let prefill = driver.plan(rowsMax: .max)
        #expect(prefill.segments.count == golden.sequences.count)
        driver.finished(prefill, try group.run(prefill))
        // All sequences of a folder decode as far.
        for _ in 0..<(golden.sequences.map(\.tokens.count).max() ?? 0) {
            for index in driver.feeds.indices {
                let row = try #require(driver.feeds[index].logits.last)
                driver.feeds[index].tokens.append(
                    row.withUnsafeBufferPointer { greedy.token($0, after: nothing, choice: 0, memory: memory) })
            }
            let plan = driver.plan(rowsMax: 1)
            driver.finished(plan, try group.run(plan))
        }
        for (index, sequence) in golden.sequences.enumerated() {
            let feed = driver.feeds[index]
            #expect(Array(feed.tokens.dropFirst(sequence.prompt.count)) == sequence.tokens)
            let found = feed.logits.flatMap { $0 }
            #expect(found.count == golden.logits[index].count)
            let worst = zip(found, golden.logits[index]).reduce(0.0) { max($0, Double(abs($1.0 - $1.1))) }
            // The promise is half precision's deviation; what this arithmetic should do is float32's, an order apart at most.
            #expect(worst <= sequence.bf16_deviation, "\(name) \(sequence.adapter ?? "base")")
            #expect(worst <= 10 * sequence.f32_deviation, "\(name) \(sequence.adapter ?? "base")")
            print(
                "golden \(name) \(sequence.adapter ?? "base"): worst error \(worst), tolerance \(sequence.bf16_deviation),"
                    + " transformers' own f32 \(sequence.f32_deviation)")
        }
    }

    /// What a format's rounding may cost. bf16 is held to what transformers' own bf16 costs, times a little, as the worst
    /// of thousands of numbers varies; the root mean square is held to the largest seen over all folders, half as much again.
    private struct Cost {
        var format: WeightFormat
        var worst: Double?
        var error: Double

        static let all = [
            Cost(format: .auto, worst: 1.5, error: 0.03), Cost(format: .bf16, worst: 1.5, error: 0.045),
            Cost(format: .int8, worst: nil, error: 0.09), Cost(format: .int4, worst: nil, error: 0.7),
        ]
    }

    /// How far the logits of whole sequences are from those of float64, with weights held in a format.
    @Test(arguments: Golden.names) func roundedWeightsStayClose(_ name: String) throws {
        let golden = try Golden(name)
        for cost in Cost.all {
            let group = try RankGroup(golden, format: cost.format)
            let feeds = golden.sequences.indices.map { golden.feed($0) }
            let logits = try Driver.run(feeds, on: group, chunk: .max, blocks: Array(0..<64))
            for (index, sequence) in golden.sequences.enumerated() {
                let errors = zip(logits[index].joined(), golden.logits[index]).map { Double($0.0 - $0.1) }
                let worst = errors.reduce(0) { max($0, abs($1)) } / sequence.bf16_deviation
                let size = golden.logits[index].reduce(0.0) { $0 + Double($1) * Double($1) }
                let error = (errors.reduce(0) { $0 + $1 * $1 } / size).squareRoot()
                let what = "\(name) \(sequence.adapter ?? "base") \(cost.format)"
                if let most = cost.worst { #expect(worst <= most, "\(what)") }
                #expect(error <= cost.error, "\(what)")
                print("golden \(what): root mean square error \(error), worst \(worst) of transformers' bf16")
            }
        }
    }

    private let greedy = Sampler(SamplingParameters())
    private let nothing = TokenHistory(prompt: [], isCounting: false)
    private let memory = SamplingMemory()
}
