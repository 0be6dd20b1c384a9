import HeddleCore

/// Changes logits by what a request says of single tokens, before anything is drawn or the likeliest is taken.
///
/// In the order of Hugging Face's `generate`: logit bias (its `sequence_bias`), repetition penalty, then as custom processors
/// stand there the frequency and presence penalties, which are OpenAI's and vLLM's and count generated tokens alone, and last
/// what may not come yet (its `min_new_tokens`). Every one touches only the tokens that it is about.
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
