import Foundation
import HeddleCore
import HeddleEngine
import Testing

@Suite struct SamplerTests {
    private struct Case: Decodable {
        var temperature: Float
        var top_k: Int
        var top_p: Float
        var logits: [Float]
        var log_softmax: [Double]
        var probabilities: [Double]

        func sampler(seed: UInt64 = 0) -> Sampler {
            Sampler(SamplingParameters(temperature: temperature, topK: top_k, topP: top_p, seed: seed))
        }
    }

    private let memory = SamplingMemory()

    /// A history of so many tokens, none of which matters.
    private func history(_ count: Int) -> TokenHistory {
        TokenHistory(prompt: Array(repeating: 0, count: count), isCounting: false)
    }

    private func draw(_ sampler: Sampler, _ logits: UnsafeBufferPointer<Float>, choice: Int, position: Int) -> TokenID {
        sampler.token(logits, after: history(position), choice: choice, memory: memory)
    }

    private func cases() throws -> [Case] {
        struct File: Decodable { var cases: [Case] }
        let data = try Data(contentsOf: URL(filePath: Golden.folder + "/sampling.json"))
        return try JSONDecoder().decode(File.self, from: data).cases
    }

    /// Known answers of the generator's authors (Random123's kat_vectors).
    @Test func theGeneratorDrawsItsKnownAnswers() {
        #expect(
            CounterGenerator(key: 0).words(SIMD4(repeating: 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            CounterGenerator(key: .max).words(SIMD4(repeating: .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            CounterGenerator(key: 0x299f_31d0_a409_3822).words(
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func probabilitiesAreTransformersOwn() throws {
        let cases = try cases()
        #expect(cases.count == 10)
        for entry in cases {
            let kept = entry.logits.withUnsafeBufferPointer {
                entry.sampler().probabilities($0, after: history(0), memory: memory)
            }
            var found = [Double](repeating: 0, count: entry.logits.count)
            for (token, probability) in kept { found[Int(token)] = probability }
            let worst = zip(found, entry.probabilities).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(worst < 1e-6, "temperature \(entry.temperature), top-k \(entry.top_k), top-p \(entry.top_p)")
            #expect(
                found.map { $0 > 0 } == entry.probabilities.map { $0 > 0 },
                "temperature \(entry.temperature), top-k \(entry.top_k), top-p \(entry.top_p)")
        }
    }

    /// Drawing many positions gives each token as often as its probability says: a chi-square test with a fixed seed.
    @Test func drawsFollowTheProbabilities() throws {
        let count = 20_000
        for entry in try cases() {
            let sampler = entry.sampler(seed: 99)
            var counts = [Int](repeating: 0, count: entry.logits.count)
            entry.logits.withUnsafeBufferPointer { logits in
                for position in 0..<count { counts[Int(draw(sampler, logits, choice: 1, position: position))] += 1 }
            }
            var statistic = 0.0
            var cells = 0
            var rest = (expected: 0.0, found: 0.0)
            for (found, probability) in zip(counts, entry.probabilities) {
                let expected = probability * Double(count)
                if probability == 0 { #expect(found == 0) }
                if expected < 5 {
                    rest = (rest.expected + expected, rest.found + Double(found))
                    continue
                }
                statistic += (Double(found) - expected) * (Double(found) - expected) / expected
                cells += 1
            }
            if rest.expected >= 5 {
                statistic += (rest.found - rest.expected) * (rest.found - rest.expected) / rest.expected
                cells += 1
            }
            // Mean cells − 1, variance twice that: five deviations are one in millions.
            let freedom = Double(max(cells - 1, 1))
            #expect(statistic < freedom + 5 * (2 * freedom).squareRoot() + 5)
        }
    }

    @Test func theDrawDependsOnSeedChoiceAndPositionAlone() throws {
        let entry = try cases()[1]
        entry.logits.withUnsafeBufferPointer { logits in
            func draws(_ seed: UInt64, _ choice: Int) -> [TokenID] {
                (0..<64).map { draw(entry.sampler(seed: seed), logits, choice: choice, position: $0) }
            }
            #expect(draws(1, 0) == draws(1, 0))
            #expect(draws(1, 0) != draws(2, 0))
            #expect(draws(1, 0) != draws(1, 1))
            #expect(
                draws(1, 0).reversed()
                    == (0..<64).reversed().map {
                        draw(entry.sampler(seed: 1), logits, choice: 0, position: $0)
                    })
        }
    }

    @Test func greedyTakesTheSmallerIdOfATie() {
        let greedy = Sampler(SamplingParameters())
        let logits: [Float] = [0, 3, -1, 3, 3]
        #expect(logits.withUnsafeBufferPointer { draw(greedy, $0, choice: 0, position: 0) } == 1)
    }

    @Test func logprobsAreOfTheRawLogitsInOrder() throws {
        for entry in try cases() {
            let logprobs = entry.logits.withUnsafeBufferPointer { TokenLogprobs(17, in: $0, count: 6, memory: memory) }
            let expected = entry.log_softmax.enumerated()
                .sorted { $0.element == $1.element ? $0.offset < $1.offset : $0.element > $1.element }
            #expect(logprobs.token == 17)
            #expect(abs(Double(logprobs.logprob) - entry.log_softmax[17]) < 1e-5)
            #expect(logprobs.top.map { Int($0.token) } == expected.prefix(6).map(\.offset))
            for (found, reference) in zip(logprobs.top, expected) {
                #expect(abs(Double(found.logprob) - reference.element) < 1e-5)
            }
            let alone = entry.logits.withUnsafeBufferPointer { TokenLogprobs(3, in: $0, count: 0, memory: memory) }
            #expect(alone.top.isEmpty)
        }
    }
}
