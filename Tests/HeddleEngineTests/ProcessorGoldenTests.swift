import Foundation
import HeddleCore
import HeddleEngine
import Testing

/// Every processor and warper, alone and together, against transformers' own (Goldens/make_sampling.py).
@Suite struct ProcessorGoldenTests {
    private struct Case: Decodable {
        struct Settings: Decodable {
            struct Bias: Decodable {
                var token: TokenID
                var bias: Float
            }
            var temperature: Float?
            var top_k: Int?
            var top_p: Float?
            var min_p: Float?
            var typical_p: Float?
            var repetition_penalty: Float?
            var presence_penalty: Float?
            var frequency_penalty: Float?
            var logit_bias: [Bias]
            var min_tokens: Int?
        }

        var settings: Settings
        var prompt: [TokenID]
        var generated: [TokenID]
        var logits: [Float]
        /// Null is minus infinity.
        var processed: [Float?]
        var probabilities: [Double]
        var kept: Int
    }

    private struct File: Decodable {
        var end_tokens: [TokenID]
        var cases: [Case]
    }

    private static let file: File? = {
        let url = URL(filePath: Golden.folder + "/sampling_processors.json")
        return (try? Data(contentsOf: url)).flatMap { try? JSONDecoder().decode(File.self, from: $0) }
    }()

    private let memory = SamplingMemory()

    private func parameters(_ entry: Case, seed: UInt64 = 0) throws -> SamplingParameters {
        let settings = entry.settings
        let parameters = SamplingParameters(
            temperature: settings.temperature ?? 1, topK: settings.top_k ?? 0, topP: settings.top_p ?? 1,
            minP: settings.min_p ?? 0, typicalP: settings.typical_p ?? 1,
            repetitionPenalty: settings.repetition_penalty ?? 1, presencePenalty: settings.presence_penalty ?? 0,
            frequencyPenalty: settings.frequency_penalty ?? 0,
            logitBias: settings.logit_bias.map { .init(token: $0.token, bias: $0.bias) }, seed: seed,
            tokenCountMax: 64, tokenCountMin: settings.min_tokens ?? 0)
        #expect(parameters.firstError(limits: RequestLimits()) == nil)
        let file = try #require(Self.file)
        return parameters.ending(at: file.end_tokens)
    }

    @Test func processedLogitsAreTransformersOwn() throws {
        let file = try #require(Self.file)
        #expect(file.cases.count == 76)
        for entry in file.cases {
            let sampler = Sampler(try parameters(entry))
            let history = sampler.history(prompt: entry.prompt, generated: entry.generated)
            let found = entry.logits.withUnsafeBufferPointer {
                sampler.processed($0, after: history, memory: memory)
            }
            for (found, expected) in zip(found, entry.processed) {
                guard let expected else {
                    #expect(found == -.infinity, "\(entry.settings)")
                    continue
                }
                #expect(abs(found - expected) <= 1e-6 * max(1, abs(expected)), "\(entry.settings)")
            }
        }
    }

    @Test func probabilitiesAreTransformersOwn() throws {
        for entry in try #require(Self.file).cases {
            let found = try probabilities(entry)
            let worst = zip(found, entry.probabilities).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(worst < 2e-6, "\(entry.settings)")
            #expect(found.count { $0 > 1e-30 } == entry.kept, "\(entry.settings)")
        }
    }

    private func probabilities(_ entry: Case) throws -> [Double] {
        let sampler = Sampler(try parameters(entry))
        let history = sampler.history(prompt: entry.prompt, generated: entry.generated)
        var found = [Double](repeating: 0, count: entry.logits.count)
        let kept = entry.logits.withUnsafeBufferPointer { sampler.probabilities($0, after: history, memory: memory) }
        for (token, probability) in kept { found[Int(token)] = probability }
        return found
    }

    /// Greedy decoding takes the likeliest of the processed logits.
    @Test func greedyTakesTheLikeliestProcessedToken() throws {
        for entry in try #require(Self.file).cases {
            var parameters = try parameters(entry)
            parameters.temperature = 0
            let sampler = Sampler(parameters)
            let history = sampler.history(prompt: entry.prompt, generated: entry.generated)
            let token = entry.logits.withUnsafeBufferPointer {
                sampler.token($0, after: history, choice: 0, memory: memory)
            }
            let processed = entry.processed.map { $0 ?? -.infinity }
            #expect(Int(token) == processed.indices.max { processed[$0] < processed[$1] }, "\(entry.settings)")
        }
    }

    /// Draws of many seeds come as often as transformers' probabilities say: a chi-square test at fixed seeds.
    @Test func drawsFollowTransformersProbabilities() throws {
        let count = 8000
        for entry in try #require(Self.file).cases where entry.logits.count == 61 {
            var counts = [Int](repeating: 0, count: entry.logits.count)
            for seed in 0..<count {
                let sampler = Sampler(try parameters(entry, seed: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15))
                let history = sampler.history(prompt: entry.prompt, generated: entry.generated)
                let token = entry.logits.withUnsafeBufferPointer {
                    sampler.token($0, after: history, choice: 2, memory: memory)
                }
                counts[Int(token)] += 1
            }
            var (statistic, cells) = (0.0, 0)
            var rest = (expected: 0.0, found: 0.0)
            for (found, probability) in zip(counts, entry.probabilities) {
                let expected = probability * Double(count)
                if probability == 0 { #expect(found == 0, "\(entry.settings)") }
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
            let freedom = Double(max(cells - 1, 1))
            #expect(statistic < freedom + 5 * (2 * freedom).squareRoot() + 5, "\(entry.settings)")
        }
    }
}
