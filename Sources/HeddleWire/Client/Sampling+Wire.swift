import CHeddleWire
import HeddleCore

// MARK: Writing

extension MessageArena {
    func sampling(_ sampling: RequestedSampling) -> UnsafeMutablePointer<Heddle__Client__V1__Sampling> {
        make(heddle__client__v1__sampling__init) { message in
            message.generator_case = HEDDLE__CLIENT__V1__SAMPLING__GENERATOR_SEED
            message.seed = sampling.seed
            message.choices_case = HEDDLE__CLIENT__V1__SAMPLING__CHOICES_N
            message.n = UInt32(clamping: sampling.choiceCount)
            message.n_stop = sampling.stopStrings.count
            message.stop = array(sampling.stopStrings.map { bytes($0) })
            message.n_stop_token_ids = sampling.stopTokens.count
            message.stop_token_ids = array(sampling.stopTokens.map(UInt32.init(bitPattern:)))
            if let count = sampling.logprobCount {
                message.report_case = HEDDLE__CLIENT__V1__SAMPLING__REPORT_LOGPROBS
                message.logprobs = UInt32(clamping: count)
            }
            message.presence_penalty = sampling.presencePenalty
            message.frequency_penalty = sampling.frequencyPenalty
            message.n_logit_bias = sampling.logitBias.count
            message.logit_bias = messages(
                sampling.logitBias.map { entry in
                    make(heddle__client__v1__sampling__logit_bias_entry__init) {
                        $0.key = UInt32(bitPattern: entry.token)
                        $0.value = entry.bias
                    }
                })
            message.ignore_eos = sampling.ignoresEndTokens ? 1 : 0
            if let count = sampling.promptLogprobCount {
                message.prompt_report_case = HEDDLE__CLIENT__V1__SAMPLING__PROMPT_REPORT_PROMPT_LOGPROBS
                message.prompt_logprobs = UInt32(clamping: count)
            }
            if let count = sampling.bestOf {
                message.selection_case = HEDDLE__CLIENT__V1__SAMPLING__SELECTION_BEST_OF
                message.best_of = UInt32(clamping: count)
            }
            switch sampling.constraint {
            case .jsonObject:
                message.constraint_case = HEDDLE__CLIENT__V1__SAMPLING__CONSTRAINT_JSON_OBJECT
                message.json_object = 1
            case .jsonSchema(let text):
                message.constraint_case = HEDDLE__CLIENT__V1__SAMPLING__CONSTRAINT_JSON_SCHEMA
                message.json_schema = bytes(text)
            case nil: break
            }
            writeDefaulted(sampling, into: &message)
        }
    }

    /// What a model may have a default of; absent where the client leaves it to that.
    private func writeDefaulted(_ sampling: RequestedSampling, into message: inout Heddle__Client__V1__Sampling) {
        if let temperature = sampling.temperature {
            message.heat_case = HEDDLE__CLIENT__V1__SAMPLING__HEAT_TEMPERATURE
            message.temperature = temperature
        }
        if let count = sampling.topK {
            message.likeliest_case = HEDDLE__CLIENT__V1__SAMPLING__LIKELIEST_TOP_K
            message.top_k = UInt32(clamping: count)
        }
        if let mass = sampling.topP {
            message.nucleus_case = HEDDLE__CLIENT__V1__SAMPLING__NUCLEUS_TOP_P
            message.top_p = mass
        }
        if let least = sampling.minP {
            message.least_case = HEDDLE__CLIENT__V1__SAMPLING__LEAST_MIN_P
            message.min_p = least
        }
        if let mass = sampling.typicalP {
            message.typical_case = HEDDLE__CLIENT__V1__SAMPLING__TYPICAL_TYPICAL_P
            message.typical_p = mass
        }
        if let penalty = sampling.repetitionPenalty {
            message.repetition_case = HEDDLE__CLIENT__V1__SAMPLING__REPETITION_REPETITION_PENALTY
            message.repetition_penalty = penalty
        }
        if let count = sampling.tokenCountMax {
            message.length_case = HEDDLE__CLIENT__V1__SAMPLING__LENGTH_MAX_TOKENS
            message.max_tokens = UInt32(clamping: count)
        }
        if let count = sampling.tokenCountMin {
            message.least_length_case = HEDDLE__CLIENT__V1__SAMPLING__LEAST_LENGTH_MIN_TOKENS
            message.min_tokens = UInt32(clamping: count)
        }
    }
}

// MARK: Reading

func readSampling(
    _ message: Heddle__Client__V1__Sampling?, id: RequestID, limits: ClientLimits
) throws(RequestError) -> RequestedSampling {
    // The seed must not differ when the same request is submitted again, so it cannot be drawn here.
    var sampling = RequestedSampling(seed: id.low)
    guard let message else { return sampling }
    readDefaulted(message, into: &sampling)
    if message.generator_case == HEDDLE__CLIENT__V1__SAMPLING__GENERATOR_SEED { sampling.seed = message.seed }
    if message.choices_case == HEDDLE__CLIENT__V1__SAMPLING__CHOICES_N { sampling.choiceCount = Int(message.n) }
    if message.report_case == HEDDLE__CLIENT__V1__SAMPLING__REPORT_LOGPROBS {
        sampling.logprobCount = Int(message.logprobs)
    }
    readOthers(message, into: &sampling)
    switch message.constraint_case {
    case HEDDLE__CLIENT__V1__SAMPLING__CONSTRAINT_JSON_OBJECT:
        sampling.constraint = message.json_object != 0 ? .jsonObject : nil
    case HEDDLE__CLIENT__V1__SAMPLING__CONSTRAINT_JSON_SCHEMA:
        let schema = try text(message.json_schema, "json_schema", byteCountMax: limits.request.schemaByteCountMax)
        sampling.constraint = .jsonSchema(schema)
    default: break
    }
    sampling.logitBias = try readLogitBias(message, limits: limits)
    guard message.n_stop <= limits.request.stopStringCountMax else {
        throw .invalidParameter(
            name: "stop", value: "\(message.n_stop)", rule: "at most \(limits.request.stopStringCountMax) strings")
    }
    for stop in elements(message.stop, message.n_stop) {
        sampling.stopStrings.append(try text(stop, "stop", byteCountMax: limits.request.stopStringByteCountMax))
    }
    guard message.n_stop_token_ids <= limits.request.stopTokenCountMax else {
        throw .invalidParameter(
            name: "stop_token_ids", value: "\(message.n_stop_token_ids)",
            rule: "at most \(limits.request.stopTokenCountMax) tokens")
    }
    for id in elements(message.stop_token_ids, message.n_stop_token_ids) {
        guard let token = TokenID(exactly: id) else {
            throw .invalidParameter(name: "stop_token_ids", value: "\(id)", rule: "a token id below 2147483648")
        }
        sampling.stopTokens.append(token)
    }
    return sampling
}

private func readDefaulted(_ message: Heddle__Client__V1__Sampling, into sampling: inout RequestedSampling) {
    if message.heat_case == HEDDLE__CLIENT__V1__SAMPLING__HEAT_TEMPERATURE {
        sampling.temperature = message.temperature
    }
    if message.likeliest_case == HEDDLE__CLIENT__V1__SAMPLING__LIKELIEST_TOP_K { sampling.topK = Int(message.top_k) }
    if message.nucleus_case == HEDDLE__CLIENT__V1__SAMPLING__NUCLEUS_TOP_P { sampling.topP = message.top_p }
    if message.least_case == HEDDLE__CLIENT__V1__SAMPLING__LEAST_MIN_P { sampling.minP = message.min_p }
    if message.typical_case == HEDDLE__CLIENT__V1__SAMPLING__TYPICAL_TYPICAL_P { sampling.typicalP = message.typical_p }
    if message.repetition_case == HEDDLE__CLIENT__V1__SAMPLING__REPETITION_REPETITION_PENALTY {
        sampling.repetitionPenalty = message.repetition_penalty
    }
    if message.length_case == HEDDLE__CLIENT__V1__SAMPLING__LENGTH_MAX_TOKENS {
        sampling.tokenCountMax = Int(message.max_tokens)
    }
    if message.least_length_case == HEDDLE__CLIENT__V1__SAMPLING__LEAST_LENGTH_MIN_TOKENS {
        sampling.tokenCountMin = Int(message.min_tokens)
    }
}

private func readOthers(_ message: Heddle__Client__V1__Sampling, into sampling: inout RequestedSampling) {
    sampling.presencePenalty = message.presence_penalty
    sampling.frequencyPenalty = message.frequency_penalty
    sampling.ignoresEndTokens = message.ignore_eos != 0
    if message.prompt_report_case == HEDDLE__CLIENT__V1__SAMPLING__PROMPT_REPORT_PROMPT_LOGPROBS {
        sampling.promptLogprobCount = Int(message.prompt_logprobs)
    }
    if message.selection_case == HEDDLE__CLIENT__V1__SAMPLING__SELECTION_BEST_OF {
        sampling.bestOf = Int(message.best_of)
    }
}

/// By token, because a map has no order of its own; `firstError` refuses a token that is there twice.
private func readLogitBias(
    _ message: Heddle__Client__V1__Sampling, limits: ClientLimits
) throws(RequestError) -> [SamplingParameters.LogitBias] {
    guard message.n_logit_bias <= limits.request.logitBiasCountMax else {
        throw .invalidParameter(
            name: "logit_bias", value: "\(message.n_logit_bias) tokens",
            rule: "at most \(limits.request.logitBiasCountMax) tokens")
    }
    var biases: [SamplingParameters.LogitBias] = []
    for entry in elements(message.logit_bias, message.n_logit_bias) {
        guard let entry, let token = TokenID(exactly: entry.pointee.key) else {
            throw .invalidParameter(
                name: "logit_bias", value: "for token \(entry?.pointee.key ?? 0)", rule: "token ids below 2147483648")
        }
        biases.append(SamplingParameters.LogitBias(token: token, bias: entry.pointee.value))
    }
    return biases.sorted { $0.token < $1.token }
}
