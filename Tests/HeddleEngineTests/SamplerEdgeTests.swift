import Glibc
import HeddleCore
import HeddleEngine
import HeddleKernels
import Testing

/// What the goldens do not reach: ties, numbers that are none, large vocabularies, and what a sequence's sampler remembers.
@Suite struct SamplerEdgeTests {
    private let memory = SamplingMemory()

    private func kept(_ logits: [Float], _ parameters: SamplingParameters) -> [TokenID] {
        let sampler = Sampler(parameters)
        return logits.withUnsafeBufferPointer {
            sampler.probabilities($0, after: sampler.history(prompt: [0]), memory: memory).map(\.token)
        }
    }

    @Test func topPKeepsTheSmallerIdsOfATieAndTheOthersKeepAll() {
        let logits: [Float] = [1, 5, 1, 5, 5, 5, 1]
        #expect(kept(logits, SamplingParameters(temperature: 1, topP: 0.4)) == [1, 3])
        #expect(kept(logits, SamplingParameters(temperature: 1, topK: 2)) == [1, 3, 4, 5])
        #expect(kept(logits, SamplingParameters(temperature: 1, minP: 1)) == [1, 3, 4, 5])
        #expect(kept(logits, SamplingParameters(temperature: 1, typicalP: 0.1)) == [1, 3, 4, 5])
        #expect(kept(logits, SamplingParameters(temperature: 1, topP: 1e-30)) == [1])
    }

    @Test func logitsThatAreNoNumbersAreNeverDrawn() {
        let everything = SamplingParameters(temperature: 1, topK: 3, topP: 0.99, minP: 0.001, typicalP: 0.999)
        #expect(kept([.nan, 2, -.infinity, 2, .nan], everything) == [1, 3])
        #expect(kept([.nan, .nan], everything) == [0])
        #expect(kept([0, .infinity, 3, .infinity], everything) == [1])
        #expect(kept([-.infinity, -.infinity], everything) == [0])
        let extremes: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0]
        #expect(kept(extremes, SamplingParameters(temperature: .leastNonzeroMagnitude)) == [0])
        #expect(kept(extremes, SamplingParameters(temperature: 100, topP: 0.5, typicalP: 0.5)) == [0])
    }

    /// A selection without sorting leaves what sorting leaves, also where a hundred thousand tokens are alike.
    @Test(arguments: [0, 1, 2, 3])
    func cutsOfALargeVocabularyAreThoseOfASort(seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func random() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) * 0x1p-24
        }
        let logits = (0..<100_003).map { _ in
            // Seed 3 has few different values, and so ties of thousands.
            seed == 3 ? Float(Int(random() * 20)) / 10 : random() * [1, 10, 30][min(seed, 2)]
        }
        let largest = logits.max() ?? 0
        let weights = RowKernels.exponentials(logits.map { $0 - largest }).map(Double.init)
        let order = logits.indices.sorted { logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1] }
        for count in [1, 40, 5000, 99_999] {
            let last = logits[order[count - 1]]
            let expected = logits.indices.filter { logits[$0] >= last }.map { TokenID($0) }
            #expect(kept(logits, SamplingParameters(temperature: 1, topK: count)) == expected)
        }
        let total = weights.reduce(0, +)
        for mass: Float in [0.05, 0.5, 0.9, 0.9999] {
            var sum = 0.0
            let needed = order.prefix { index in
                defer { sum += weights[index] }
                return sum < Double(mass) * total
            }
            // Where sums in another order fall on the other side of the target, one token more or less is kept.
            let found = kept(logits, SamplingParameters(temperature: 1, topP: mass))
            let difference = Set(found).symmetricDifference(needed.map { TokenID($0) })
            #expect(difference.count <= 1 && found == found.sorted(), "mass \(mass)")
        }
    }

    /// Every instruction set keeps the same tokens with the same probabilities, to the bit, and so draws the same.
    @Test func instructionSetsCutAndWeighAlike() {
        var state: UInt64 = 7
        let logits = (0..<5003).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) * 0x1p-20
        }
        let sampler = Sampler(
            SamplingParameters(
                temperature: 0.9, topK: 4000, topP: 0.99, minP: 1e-6, typicalP: 0.98, repetitionPenalty: 1.1))
        let history = sampler.history(prompt: [3, 4, 5])
        let before = InstructionSet.current
        defer { before.use() }
        let found = InstructionSet.available.map { instructions in
            instructions.use()
            return logits.withUnsafeBufferPointer { row in
                sampler.probabilities(row, after: history, memory: memory).map {
                    "\($0.token) \($0.probability.bitPattern)"
                }
                    + TokenLogprobs(9, in: row, count: 20, memory: memory).top.map { "\($0.logprob.bitPattern)" }
            }
        }
        #expect(found.allSatisfy { $0 == found[0] } && found[0].count > 100)
    }

    @Test func theLogarithmIsThatOfTheLibraryAlmostToTheBit() {
        for index in 0..<2000 {
            // Of one to fifty equal logits with others far below, the likeliest has −log n.
            let count = index % 50 + 1
            let logits = (0..<100).map { Float($0 < count ? 3 : -200) }
            let logprobs = logits.withUnsafeBufferPointer { TokenLogprobs(0, in: $0, count: 0, memory: memory) }
            #expect(abs(Double(logprobs.logprob) + log(Double(count))) < 1e-6)
        }
    }

    @Test func aReplayedHistoryIsTheOneThatGrew() {
        var grown = TokenHistory(prompt: [3, 3, 8], isCounting: true)
        let tokens: [TokenID] = [8, 9, 9, 3, 9]
        for (count, token) in tokens.enumerated() {
            #expect(grown == TokenHistory(prompt: [3, 3, 8], generated: Array(tokens[..<count]), isCounting: true))
            grown.append(token)
        }
        #expect(grown.count == 8 && grown.generatedCount == 5)
    }
}
