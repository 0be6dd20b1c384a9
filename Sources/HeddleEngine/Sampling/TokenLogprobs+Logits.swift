import HeddleCore
import HeddleKernels

extension TokenLogprobs {
    /// Log-probabilities of the model itself, before penalties, temperature and cuts: of the chosen token, and of the `count`
    /// likeliest, likeliest first, ties to the smaller id.
    public init(_ chosen: TokenID, in logits: UnsafeBufferPointer<Float>, count: Int, memory: SamplingMemory) {
        let shift = Self.logSumExp(logits, memory)
        func logprob(_ token: TokenID) -> Float {
            let value = Float(Double(logits[Int(token)]) - shift)
            // Where the model gave no number, nothing is likely; every reader may rely on numbers.
            return value.isNaN ? -.infinity : value
        }
        self.init(
            token: chosen, logprob: logprob(chosen),
            top: Self.likeliest(count, in: logits).map { Entry(token: $0, logprob: logprob($0)) })
    }

    /// The number by which logits differ from log-probabilities.
    private static func logSumExp(_ logits: UnsafeBufferPointer<Float>, _ memory: SamplingMemory) -> Double {
        let largest = logits[RowKernels.argmax(logits)]
        guard largest.isFinite else { return Double(largest) }
        memory.reserve(logits.count)
        _ = memory.scores.floats.update(fromContentsOf: logits)
        var candidates = Candidates(memory, vocabularyCount: logits.count, largest: largest, temperature: 1)
        candidates.weigh()
        return Double(largest) + PortableLogarithm.of(candidates.total)
    }

    private static func likeliest(_ count: Int, in logits: UnsafeBufferPointer<Float>) -> [TokenID] {
        var best: [TokenID] = []
        for index in logits.indices where count > 0 {
            let value = logits[index]
            if best.count == count, let last = best.last, !(value > logits[Int(last)]) { continue }
            // Behind every one that is at least as likely: ids ascend, so ties stay in their order.
            let place = best.firstIndex { logits[Int($0)] < value } ?? best.count
            best.insert(TokenID(truncatingIfNeeded: index), at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}

/// The natural logarithm in operations that IEEE 754 defines to the bit; the best of several choices is found by sums of it.
enum PortableLogarithm {
    /// - Parameter value: 1 or more, and finite.
    /// - Returns: the logarithm within a few units in the last place.
    static func of(_ value: Double) -> Double {
        precondition(value >= 1 && value.isFinite, "the sum of weights holds the likeliest's 1")
        var (mantissa, exponent) = (value.significand, Double(value.exponent))
        // Between √½ and √2, where the series converges fast.
        if mantissa > 1.4142135623730951 { (mantissa, exponent) = (mantissa / 2, exponent + 1) }
        // log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) for s = (m − 1) / (m + 1), at most 0.172.
        let s = (mantissa - 1) / (mantissa + 1)
        let square = s * s
        var series = 0.0
        for power in stride(from: 23.0, through: 1, by: -2) { series = series * square + 1 / power }
        // ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
        return exponent * 0x1.62e42feep-1 + (2 * s * series + exponent * 0x1.a39ef35793c76p-33)
    }
}
