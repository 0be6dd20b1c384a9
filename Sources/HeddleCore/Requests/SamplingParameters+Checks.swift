extension SamplingParameters {
    /// The first value that cannot be served, named with its limits; nil when all can.
    public func firstError(limits: RequestLimits) -> RequestError? {
        distributionError(limits) ?? penaltyError(limits) ?? lengthError(limits) ?? reportError(limits)
            ?? constraintError(limits)
    }

    private func distributionError(_ limits: RequestLimits) -> RequestError? {
        if !(0...limits.temperatureMax).contains(temperature) {
            return invalid("temperature", temperature, "a number from 0 to \(limits.temperatureMax)")
        }
        if topK < 0 { return invalid("top_k", topK, "a whole number from 0 (all tokens)") }
        if !(topP > 0 && topP <= 1) { return invalid("top_p", topP, "a number above 0 and up to 1") }
        if !(0...1).contains(minP) { return invalid("min_p", minP, "a number from 0 to 1") }
        if !(typicalP > 0 && typicalP <= 1) { return invalid("typical_p", typicalP, "a number above 0 and up to 1") }
        return nil
    }

    private func penaltyError(_ limits: RequestLimits) -> RequestError? {
        if !(repetitionPenalty > 0 && repetitionPenalty <= limits.repetitionPenaltyMax) {
            return invalid(
                "repetition_penalty", repetitionPenalty, "a number above 0 and up to \(limits.repetitionPenaltyMax)")
        }
        let penalties = [("presence_penalty", presencePenalty), ("frequency_penalty", frequencyPenalty)]
        for (name, penalty) in penalties where !(penalty.magnitude <= limits.penaltyMax) {
            return invalid(name, penalty, "a number from \(-limits.penaltyMax) to \(limits.penaltyMax)")
        }
        if logitBias.count > limits.logitBiasCountMax {
            return invalid("logit_bias", "\(logitBias.count) tokens", "at most \(limits.logitBiasCountMax) tokens")
        }
        for entry in logitBias where !(entry.bias.magnitude <= limits.logitBiasMax) {
            return invalid(
                "logit_bias", "\(entry.bias) for token \(entry.token)",
                "numbers from \(-limits.logitBiasMax) to \(limits.logitBiasMax)")
        }
        for (entry, next) in zip(logitBias, logitBias.dropFirst()) where entry.token >= next.token {
            return invalid("logit_bias", "not in order at token \(next.token)", "one number for each token, by token")
        }
        return nil
    }

    private func lengthError(_ limits: RequestLimits) -> RequestError? {
        if !(1...limits.choiceCountMax).contains(choiceCount) {
            return invalid("n", choiceCount, "a whole number from 1 to \(limits.choiceCountMax)")
        }
        if let bestOf, !(choiceCount...limits.choiceCountMax).contains(bestOf) {
            return invalid("best_of", bestOf, "a whole number from n, \(choiceCount), to \(limits.choiceCountMax)")
        }
        if tokenCountMax < 1 { return invalid("max_tokens", tokenCountMax, "a whole number from 1") }
        if !(0...tokenCountMax).contains(tokenCountMin) {
            return invalid("min_tokens", tokenCountMin, "a whole number from 0 to max_tokens, \(tokenCountMax)")
        }
        if stopStrings.count > limits.stopStringCountMax {
            return invalid("stop", stopStrings.count, "at most \(limits.stopStringCountMax) strings")
        }
        for stop in stopStrings where !(1...limits.stopStringByteCountMax).contains(stop.utf8.count) {
            return invalid("stop", stop.utf8.count, "strings of 1 to \(limits.stopStringByteCountMax) bytes")
        }
        if stopTokens.count > limits.stopTokenCountMax {
            return invalid("stop_token_ids", stopTokens.count, "at most \(limits.stopTokenCountMax) tokens")
        }
        return nil
    }

    private func constraintError(_ limits: RequestLimits) -> RequestError? {
        guard let constraint else { return nil }
        if ignoresEndTokens {
            return invalid("ignore_eos", true, "false where the answer is constrained, since the end token ends it")
        }
        if case .jsonSchema(let text) = constraint, text.utf8.count > limits.schemaByteCountMax {
            return invalid("json_schema", "\(text.utf8.count) bytes", "at most \(limits.schemaByteCountMax) bytes")
        }
        return nil
    }

    private func reportError(_ limits: RequestLimits) -> RequestError? {
        for (name, count) in [("logprobs", logprobCount), ("prompt_logprobs", promptLogprobCount)] {
            guard let count, !(0...limits.logprobCountMax).contains(count) else { continue }
            return invalid(name, count, "a whole number from 0 to \(limits.logprobCountMax)")
        }
        return nil
    }

    /// What is wrong with these values for a prompt of so many tokens of a vocabulary of so many; nil when nothing is.
    public func firstError(promptTokenCount: Int, vocabularyCount: Int, limits: RequestLimits) -> RequestError? {
        let isOutside = { (token: TokenID) in !(0..<vocabularyCount).contains(Int(token)) }
        let rule = "tokens of the vocabulary 0..<\(vocabularyCount)"
        if let token = stopTokens.first(where: isOutside) { return invalid("stop_token_ids", token, rule) }
        if let entry = logitBias.first(where: { isOutside($0.token) }) {
            return invalid("logit_bias", "for token \(entry.token)", rule)
        }
        if let count = promptLogprobCount {
            let (entries, overflow) = promptTokenCount.multipliedReportingOverflow(by: count + 1)
            if overflow || entries > limits.promptLogprobEntryCountMax {
                return invalid(
                    "prompt_logprobs", "\(count) beside each of \(promptTokenCount) tokens",
                    "at most \(limits.promptLogprobEntryCountMax) log-probabilities in all, the tokens' own included")
            }
        }
        return nil
    }

    private func invalid(_ parameter: String, _ value: some CustomStringConvertible, _ rule: String) -> RequestError {
        .invalidParameter(name: parameter, value: value.description, rule: rule)
    }
}
