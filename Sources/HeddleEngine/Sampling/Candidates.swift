import HeddleCore
import HeddleKernels

/// What may still be drawn, in the order of ids, and how likely each is; every cut leaves fewer, and at least the likeliest.
///
/// A score is how far a token's logit, divided by the temperature, is below the largest; its weight is exp of that, so that
/// the likeliest weighs 1. The cuts are Hugging Face's warpers with their edge cases, over f32 scores and f64 sums.
struct Candidates {
    private let memory: SamplingMemory
    private(set) var count: Int
    private var isWeighed = false

    /// All tokens of the vocabulary, whose processed logits are the first `vocabularyCount` of `memory.scores`.
    ///
    /// - Parameter largest: the largest of them, finite.
    init(_ memory: SamplingMemory, vocabularyCount: Int, largest: Float, temperature: Float) {
        self.memory = memory
        count = vocabularyCount
        let (scores, tokens) = (memory.scores.floats, memory.tokens)
        for index in 0..<vocabularyCount {
            // The difference first, so that no temperature makes the largest infinite. A NaN is never drawn.
            let score = (scores[index] - largest) / temperature
            scores[index] = score <= 0 ? score : -.infinity
            tokens[index] = TokenID(truncatingIfNeeded: index)
        }
    }

    func token(_ index: Int) -> TokenID { memory.tokens[index] }
    func weight(_ index: Int) -> Double { Double(memory.weights.floats[index]) }

    /// Leaves the `limit` likeliest; those that are as likely as the last of them stay.
    mutating func keepTopK(_ limit: Int) {
        guard limit > 0, limit < count else { return }
        let keys = fillKeys { 0 - $0 }
        let cut = MassSelection(keys, masses: nil, target: Double(limit), buckets: memory.buckets).threshold
        keep { keys[$0] <= cut }
    }

    /// Makes the weights, which all that follows needs; no more of them than `keepTopK` left.
    mutating func weigh() {
        let weights = UnsafeMutableBufferPointer(rebasing: memory.weights.floats[..<count])
        for index in 0..<count { weights[index] = memory.scores.floats[index] }
        RowKernels.exponentiate(weights)
        isWeighed = true
    }

    /// Leaves the fewest likeliest that together reach the part `mass` of the probability; of equals the smaller ids.
    mutating func keepTopP(_ mass: Float) {
        guard mass < 1 else { return }
        let keys = fillKeys { 0 - $0 }
        let target = Double(mass) * total
        let cut = MassSelection(keys, masses: weights, target: target, buckets: memory.buckets)
        var sum = cut.massBelow
        let weights = weights
        keep { index in
            if keys[index] != cut.threshold { return keys[index] < cut.threshold }
            // What was kept moved to places before this one, which are not read again.
            defer { sum += Double(weights[index]) }
            return sum < target
        }
    }

    /// Leaves what is at least `part` times as likely as the likeliest, whose weight is 1.
    mutating func keepMinP(_ part: Float) {
        guard part > 0 else { return }
        let weights = weights
        keep { weights[$0] >= part }
    }

    /// Leaves the tokens whose log-probability is nearest to the expected one until together they reach the part `mass`;
    /// all that are as near as the last of them.
    mutating func keepTypical(_ mass: Float) {
        guard mass < 1 else { return }
        var moment = 0.0
        let total = total
        for index in 0..<count where weights[index] > 0 {
            moment += weight(index) * Double(memory.scores.floats[index])
        }
        // The logarithm of the sum, by which scores differ from log-probabilities, is in both and goes.
        let expected = Float(moment / total)
        let keys = fillKeys { ($0 - expected).magnitude }
        let cut = MassSelection(keys, masses: weights, target: Double(mass) * total, buckets: memory.buckets).threshold
        keep { keys[$0] <= cut }
    }

    /// The sum of the weights.
    var total: Double {
        var sum = 0.0
        for start in stride(from: 0, to: count, by: Self.blockCount) { sum += blockSum(start) }
        return sum
    }

    /// The token at the part `uniform`, from 0 up to, without, 1, of the whole.
    func draw(_ uniform: Double) -> TokenID {
        precondition(isWeighed && count > 0, "tokens are drawn from weights")
        var left = uniform * total
        var last = 0
        for start in stride(from: 0, to: count, by: Self.blockCount) {
            let sum = blockSum(start)
            if left >= sum {
                left -= sum
                if sum > 0 { last = start }
                continue
            }
            for index in start..<min(count, start + Self.blockCount) where weights[index] > 0 {
                left -= weight(index)
                if left < 0 { return token(index) }
            }
            last = start
            break
        }
        // Only rounding leads here: the sum of the parts fell short of the total. The last that can be drawn is meant.
        let block = last..<min(count, last + Self.blockCount)
        return token(block.last { weights[$0] > 0 } ?? 0)
    }

    // MARK: Parts

    /// Weights are summed block by block, so that a draw passes over most of them by the block.
    private static let blockCount = 512

    private func blockSum(_ start: Int) -> Double {
        let end = min(count, start + Self.blockCount)
        let weights = weights
        // Four sums side by side, in one order on every machine.
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var index = start
        while index + 4 <= end {
            a += Double(weights[index])
            b += Double(weights[index + 1])
            c += Double(weights[index + 2])
            d += Double(weights[index + 3])
            index += 4
        }
        while index < end {
            a += Double(weights[index])
            index += 1
        }
        return (a + b) + (c + d)
    }

    private var weights: UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: memory.weights.floats[..<count])
    }

    private func fillKeys(_ key: (Float) -> Float) -> UnsafeBufferPointer<Float> {
        let (scores, keys) = (memory.scores.floats, memory.keys.floats)
        for index in 0..<count { keys[index] = key(scores[index]) }
        return UnsafeBufferPointer(rebasing: keys[..<count])
    }

    private mutating func keep(_ isKept: (Int) -> Bool) {
        let (scores, weights, tokens) = (memory.scores.floats, memory.weights.floats, memory.tokens)
        var kept = 0
        for index in 0..<count where isKept(index) {
            scores[kept] = scores[index]
            weights[kept] = weights[index]
            tokens[kept] = tokens[index]
            kept += 1
        }
        count = kept
    }
}
