import HeddleCore
import HeddleGrammar

/// Changes logits by what a request says of single tokens, before anything is drawn or the likeliest is taken.
///
/// In the order of Hugging Face's `generate`: logit bias (its `sequence_bias`), repetition penalty, then as custom processors
/// stand there the frequency and presence penalties, which are OpenAI's and vLLM's and count generated tokens alone, and last
/// what may not come yet (its `min_new_tokens`). Every one touches only the tokens that it is about. A constraint's mask comes last
/// of all: whatever was added, what it forbids stays forbidden.
struct LogitProcessors: Sendable {
    private let parameters: SamplingParameters

    init(_ parameters: SamplingParameters) { self.parameters = parameters }

    /// Whether a penalty needs to know the sequence's tokens.
    var needsTokens: Bool {
        parameters.repetitionPenalty != 1 || parameters.presencePenalty != 0 || parameters.frequencyPenalty != 0
    }

    /// Whether the next token's logits stay as they are.
    func isIdle(after history: TokenHistory) -> Bool {
        parameters.logitBias.isEmpty && !needsTokens && !isHoldingBackEnd(history)
    }

    func apply(to logits: UnsafeMutableBufferPointer<Float>, after history: TokenHistory) {
        for entry in parameters.logitBias where logits.indices.contains(Int(entry.token)) {
            logits[Int(entry.token)] += entry.bias
        }
        if parameters.repetitionPenalty != 1 { penaliseRepetition(logits, history) }
        let (frequency, presence) = (parameters.frequencyPenalty, parameters.presencePenalty)
        if frequency != 0 || presence != 0 {
            for entry in history.entries where entry.generatedCount > 0 && logits.indices.contains(Int(entry.token)) {
                logits[Int(entry.token)] -= frequency * Float(entry.generatedCount)
                logits[Int(entry.token)] -= presence
            }
        }
        if isHoldingBackEnd(history) {
            for token in parameters.stopTokens where logits.indices.contains(Int(token)) {
                logits[Int(token)] = -.infinity
            }
        }
    }

    /// Takes away what the constraint does not let come. The answer may end where it is complete, and it must where nothing may
    /// follow, also before `tokenCountMin`.
    func apply(_ mask: TokenMask, to logits: UnsafeMutableBufferPointer<Float>, unprocessed: UnsafeBufferPointer<Float>)
    {
        let mustEnd = mask.allowsEnd && mask.isEmpty
        let ends = parameters.stopTokens.filter { mask.allowsEnd && logits.indices.contains(Int($0)) }
        let kept = ends.map { (Int($0), mustEnd ? unprocessed[Int($0)] : logits[Int($0)]) }
        for (index, word) in mask.words.enumerated() where word != .max {
            let first = index * 64
            let count = min(64, logits.count - first)
            guard count > 0 else { break }
            if word == 0 {
                logits[first..<(first + count)].update(repeating: -.infinity)
            } else {
                for offset in 0..<count where word >> UInt64(offset) & 1 == 0 { logits[first + offset] = -.infinity }
            }
        }
        for index in min(mask.words.count * 64, logits.count)..<logits.count { logits[index] = -.infinity }
        for (token, logit) in kept { logits[token] = logit }
    }

    private func isHoldingBackEnd(_ history: TokenHistory) -> Bool {
        history.generatedCount < parameters.tokenCountMin && !parameters.stopTokens.isEmpty
    }

    private func penaliseRepetition(_ logits: UnsafeMutableBufferPointer<Float>, _ history: TokenHistory) {
        let penalty = parameters.repetitionPenalty
        for entry in history.entries where logits.indices.contains(Int(entry.token)) {
            let logit = logits[Int(entry.token)]
            logits[Int(entry.token)] = logit < 0 ? logit * penalty : logit / penalty
        }
    }
}
