extension Assignment {
    /// The first value that no engine can run, whoever sent it; nil when all can.
    ///
    /// Routers have checked what a request may ask for, by limits that a worker does not know. This is what remains when a
    /// router is not the one that it says, or has another tokenizer: nothing of it may fail a step that others share.
    public func formError(vocabularyCount: Int) -> RequestError? {
        if let error = parameters.firstError(limits: .form) { return error }
        if let token = token(outside: vocabularyCount) {
            return .promptTokenOutOfRange(token: token, vocabularyCount: vocabularyCount)
        }
        let error = parameters.firstError(
            promptTokenCount: promptTokens.count, vocabularyCount: vocabularyCount, limits: .form)
        if let error { return error }
        var numbers: Set<Int> = []
        for choice in choices {
            guard (0..<parameters.runCount).contains(choice.number), numbers.insert(choice.number).inserted else {
                return .invalidParameter(
                    name: "choice", value: "\(choice.number)", rule: "each number below \(parameters.runCount) once")
            }
        }
        return nil
    }
}

extension RequestLimits {
    /// What bounds the values' form alone.
    fileprivate static var form: RequestLimits {
        var limits = RequestLimits()
        limits.temperatureMax = .greatestFiniteMagnitude
        limits.repetitionPenaltyMax = .greatestFiniteMagnitude
        limits.penaltyMax = .greatestFiniteMagnitude
        limits.logitBiasMax = .greatestFiniteMagnitude
        limits.logitBiasCountMax = .max
        limits.promptLogprobEntryCountMax = .max
        limits.choiceCountMax = .max
        limits.stopStringCountMax = .max
        limits.stopStringByteCountMax = .max
        limits.stopTokenCountMax = .max
        limits.logprobCountMax = 1 << 32
        return limits
    }
}
