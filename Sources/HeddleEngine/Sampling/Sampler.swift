import Glibc
import HeddleCore
import HeddleKernels

/// Decides the next token from one row of logits: a pure function of logits, parameters, choice and position.
///
/// A temperature of 0 takes the likeliest token, ties to the smaller id. Otherwise logits are divided by the temperature, cut
/// to the `topK` largest (those equal to the k-th stay), then to the likeliest whose probability reaches `topP`, in this order
/// and with the edge cases of Hugging Face's warpers; what is left is drawn from in the order of token ids.
public struct Sampler: Sendable {
    /// What decides the draws.
    public let parameters: SamplingParameters
    private let generator: CounterGenerator

    /// Parameters that were checked with `firstError`.
    public init(_ parameters: SamplingParameters) {
        self.parameters = parameters
        generator = CounterGenerator(key: parameters.seed)
    }

    /// The token at `position` of the sequence (prompt and generated tokens counted together).
    public func token(_ logits: UnsafeBufferPointer<Float>, choice: Int, position: Int) -> TokenID {
        if parameters.temperature == 0 { return TokenID(RowKernels.argmax(logits)) }
        let kept = distribution(logits)
        let total = kept.reduce(0) { $0 + $1.weight }
        var left = generator.uniform(choice: choice, position: position) * total
        for entry in kept {
            left -= entry.weight
            if left < 0 { return entry.token }
        }
        // Only rounding leads here: the sum of the parts fell short of the total.
        return kept.last?.token ?? TokenID(RowKernels.argmax(logits))
    }

    /// Log-probabilities of the model itself, before temperature and cuts: of the chosen token, and of the `count` likeliest,
    /// likeliest first, ties to the smaller id.
    public static func logprobs(
        _ logits: UnsafeBufferPointer<Float>, chosen: TokenID, count: Int
    ) -> TokenLogprobs {
        let shift = RowKernels.logSumExp(logits)
        var best: [TokenID] = []
        for index in logits.indices where count > 0 {
            let value = logits[index]
            if best.count == count, let last = best.last, !(value > logits[Int(last)]) { continue }
            // Behind every one that is at least as likely: ids ascend, so ties stay in their order.
            let place = best.firstIndex { logits[Int($0)] < value } ?? best.count
            best.insert(TokenID(index), at: place)
            if best.count > count { best.removeLast() }
        }
        return TokenLogprobs(
            token: chosen, logprob: Float(Double(logits[Int(chosen)]) - shift),
            top: best.map { .init(token: $0, logprob: Float(Double(logits[Int($0)]) - shift)) })
    }

    /// What may be drawn and how likely each is, in the order of ids; probabilities sum to one.
    public func probabilities(_ logits: UnsafeBufferPointer<Float>) -> [(token: TokenID, probability: Double)] {
        let kept = distribution(logits)
        let total = kept.reduce(0) { $0 + $1.weight }
        return kept.map { ($0.token, $0.weight / total) }
    }

    private struct Entry {
        var token: TokenID
        var weight: Double
    }

    /// Weights exp((logit − largest) / temperature) of the tokens that stay.
    private func distribution(_ logits: UnsafeBufferPointer<Float>) -> [Entry] {
        let largest = Double(logits[RowKernels.argmax(logits)])
        let temperature = Double(parameters.temperature)
        let threshold = topKThreshold(logits)
        var kept: [Entry] = []
        kept.reserveCapacity(logits.count)
        for index in logits.indices where logits[index] >= threshold {
            kept.append(
                Entry(token: TokenID(index), weight: exp((Double(logits[index]) - largest) / temperature)))
        }
        return parameters.topP < 1 ? cutToTopP(kept) : kept
    }

    /// The k-th largest logit; −∞ where all stay.
    private func topKThreshold(_ logits: UnsafeBufferPointer<Float>) -> Float {
        let count = parameters.topK
        if count == 0 || count >= logits.count { return -.infinity }
        // A heap of the k largest so far, the smallest on top.
        var heap = Array(logits[..<count])
        func sink(_ start: Int) {
            var at = start
            while true {
                let left = 2 * at + 1
                if left >= count { return }
                let child = left + 1 < count && heap[left + 1] < heap[left] ? left + 1 : left
                if heap[at] <= heap[child] { return }
                heap.swapAt(at, child)
                at = child
            }
        }
        for start in stride(from: count / 2 - 1, through: 0, by: -1) { sink(start) }
        for value in logits[count...] where value > heap[0] {
            heap[0] = value
            sink(0)
        }
        return heap[0]
    }

    /// Takes away the least likely tokens whose probabilities, summed from the least likely on, stay within 1 − topP; never
    /// the likeliest.
    private func cutToTopP(_ entries: [Entry]) -> [Entry] {
        let total = entries.reduce(0) { $0 + $1.weight }
        let room = (1 - Double(parameters.topP)) * total
        // All that are below half an even share of the room go whatever the rest is, so only the others need be sorted.
        let floor = room / Double(entries.count) / 2
        var spent = 0.0
        var sorted: [Entry] = []
        for entry in entries {
            if entry.weight < floor { spent += entry.weight } else { sorted.append(entry) }
        }
        // Likeliest first, ties to the smaller id.
        sorted.sort { $0.weight == $1.weight ? $0.token < $1.token : $0.weight > $1.weight }
        while sorted.count > 1, let last = sorted.last, spent + last.weight <= room {
            spent += last.weight
            sorted.removeLast()
        }
        sorted.sort { $0.token < $1.token }
        return sorted
    }
}
