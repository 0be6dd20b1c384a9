import HeddleCore
import HeddleGrammar
import HeddleKernels

/// Decides the next token from one row of logits: a pure function of logits, parameters, choice and the tokens so far.
///
/// In Hugging Face's order: `LogitProcessors`; a temperature of 0 then takes the likeliest token, ties to the smaller id. Else
/// logits are divided by the temperature and cut by top-k, top-p, min-p and typical-p (`Candidates`), and what is left is
/// drawn from in the order of ids. Nothing here sorts, and no function of libm decides anything: a token costs a few passes
/// over the vocabulary, and the same bits on every machine.
public struct Sampler: Sendable {
    /// What decides the draws.
    public let parameters: SamplingParameters
    private let processors: LogitProcessors
    private let generator: CounterGenerator

    /// Parameters that were checked with `firstError`.
    public init(_ parameters: SamplingParameters) {
        self.parameters = parameters
        processors = LogitProcessors(parameters)
        generator = CounterGenerator(key: parameters.seed)
    }

    /// What the sampler needs to know of a sequence's tokens.
    public func history(prompt: [TokenID], generated: [TokenID] = []) -> TokenHistory {
        TokenHistory(prompt: prompt, generated: generated, isCounting: processors.needsTokens)
    }

    /// The token behind those of the history.
    ///
    /// - Parameter mask: what a constraint lets come; nil for all.
    public func token(
        _ logits: UnsafeBufferPointer<Float>, after history: TokenHistory, choice: Int, mask: TokenMask? = nil,
        memory: SamplingMemory
    ) -> TokenID {
        if parameters.temperature == 0, mask == nil, processors.isIdle(after: history) {
            return TokenID(truncatingIfNeeded: RowKernels.argmax(logits))
        }
        let scores = process(logits, after: history, mask: mask, memory: memory)
        let likeliest = RowKernels.argmax(scores)
        guard parameters.temperature > 0, let candidates = cut(scores, largest: scores[likeliest], memory) else {
            return allowed(TokenID(truncatingIfNeeded: likeliest), by: mask)
        }
        return allowed(candidates.draw(generator.uniform(choice: choice, position: history.count)), by: mask)
    }

    /// The token, or where the model gave nothing that is allowed a number that could be compared, the first that is.
    private func allowed(_ token: TokenID, by mask: TokenMask?) -> TokenID {
        guard let mask, !mask.contains(token), !(mask.allowsEnd && parameters.stopTokens.contains(token)) else {
            return token
        }
        return mask.first ?? parameters.stopTokens.first ?? token
    }

    /// What may be drawn and how likely each is, in the order of ids; probabilities sum to one.
    public func probabilities(
        _ logits: UnsafeBufferPointer<Float>, after history: TokenHistory, memory: SamplingMemory
    ) -> [(token: TokenID, probability: Double)] {
        let scores = process(logits, after: history, memory: memory)
        let likeliest = RowKernels.argmax(scores)
        guard parameters.temperature > 0, let candidates = cut(scores, largest: scores[likeliest], memory) else {
            return [(TokenID(truncatingIfNeeded: likeliest), 1)]
        }
        let total = candidates.total
        return (0..<candidates.count).compactMap { index in
            let weight = candidates.weight(index)
            return weight > 0 ? (candidates.token(index), weight / total) : nil
        }
    }

    /// The logits as they are after bias, penalties and what may not come yet.
    public func processed(
        _ logits: UnsafeBufferPointer<Float>, after history: TokenHistory, memory: SamplingMemory
    ) -> [Float] { Array(process(logits, after: history, memory: memory)) }

    private func process(
        _ logits: UnsafeBufferPointer<Float>, after history: TokenHistory, mask: TokenMask? = nil,
        memory: SamplingMemory
    ) -> UnsafeBufferPointer<Float> {
        memory.reserve(logits.count)
        let scores = UnsafeMutableBufferPointer(rebasing: memory.scores.floats[..<logits.count])
        _ = scores.update(fromContentsOf: logits)
        processors.apply(to: scores, after: history)
        if let mask { processors.apply(mask, to: scores, unprocessed: logits) }
        return UnsafeBufferPointer(scores)
    }

    /// Nil where no logit is a number that others can be compared with.
    private func cut(
        _ scores: UnsafeBufferPointer<Float>, largest: Float, _ memory: SamplingMemory
    ) -> Candidates? {
        guard largest.isFinite else { return nil }
        var candidates = Candidates(
            memory, vocabularyCount: scores.count, largest: largest, temperature: parameters.temperature)
        candidates.keepTopK(parameters.topK)
        candidates.weigh()
        candidates.keepTopP(parameters.topP)
        candidates.keepMinP(parameters.minP)
        candidates.keepTypical(parameters.typicalP)
        return candidates
    }
}
