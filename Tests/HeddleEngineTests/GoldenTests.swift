import HeddleCore
import HeddleEngine
import Testing

/// What this engine computes against what `transformers` and `peft` computed in float64 (Goldens/make_goldens.py).
@Suite struct GoldenTests {
    /// The prompt in one piece, then one token at a time, every sequence of the folder in one batch: base rows beside rows of
    /// adapters of different ranks.
    @Test(arguments: Golden.names) func logitsAndGreedyTokensAgree(_ name: String) throws {
        let golden = try Golden(name)
        let group = try RankGroup(golden)
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
                    row.withUnsafeBufferPointer { greedy.token($0, choice: 0, position: 0) })
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

    /// Weights rounded to bf16 stay within the tolerance that bf16 weights and activations need.
    @Test(arguments: Golden.names) func bf16WeightsStayWithinTheTolerance(_ name: String) throws {
        let golden = try Golden(name)
        let group = try RankGroup(golden, format: .bf16)
        let feeds = golden.sequences.indices.map { index in
            golden.feed(index)
        }
        let logits = try Driver.run(feeds, on: group, chunk: .max, blocks: Array(0..<64))
        for (index, sequence) in golden.sequences.enumerated() {
            let worst = zip(logits[index].joined(), golden.logits[index]).reduce(0.0) {
                max($0, Double(abs($1.0 - $1.1)))
            }
            #expect(worst <= sequence.bf16_deviation, "\(name) \(sequence.adapter ?? "base")")
        }
    }

    private let greedy = Sampler(SamplingParameters())
}
