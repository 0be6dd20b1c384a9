import HeddleCore

/// Reads generation_config.json: what the model's makers propose for requests that do not say otherwise.
///
/// Unknown fields are passed over, as transformers does; a field that makes `generate()` do what Heddle does not is refused by name,
/// unless its value changes nothing.
package enum GenerationFields {
    /// What is used of the file. `max_length` is not: it counts the prompt too, and most files have it from the context's length.
    package static let used = [
        "do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty", "max_new_tokens",
        "min_new_tokens", "eos_token_id",
    ]

    /// Fields that change what `generate()` gives, with the values by which they do not.
    static let refused: [String: [JSONValue]] = [
        "num_beams": [.null, .integer(1)], "num_beam_groups": [.null, .integer(1)],
        "diversity_penalty": [.null, .integer(0)], "penalty_alpha": [.null, .integer(0)], "dola_layers": [.null],
        "epsilon_cutoff": [.null, .integer(0)], "eta_cutoff": [.null, .integer(0)], "top_h": [.null],
        "encoder_repetition_penalty": [.null, .integer(1)], "no_repeat_ngram_size": [.null, .integer(0)],
        "encoder_no_repeat_ngram_size": [.null, .integer(0)], "bad_words_ids": [.null, .array([])],
        "force_words_ids": [.null, .array([])], "constraints": [.null, .array([])],
        "forced_bos_token_id": [.null], "forced_eos_token_id": [.null],
        "exponential_decay_length_penalty": [.null], "suppress_tokens": [.null, .array([])],
        "begin_suppress_tokens": [.null, .array([])], "sequence_bias": [.null, .emptyObject, .array([])],
        "guidance_scale": [.null, .integer(1)], "watermarking_config": [.null], "stop_strings": [.null, .array([])],
        "token_healing": [.null, .bool(false)], "num_return_sequences": [.null, .integer(1)],
    ]

    private static let table = FieldTable(read: used, harmless: [], only: refused)

    /// Every field that asks for what Heddle does not do.
    static func refusals(of object: JSONObject, file: String) -> [FieldError] {
        table.refusals(of: object, file: file).filter {
            if case .unknown = $0 { false } else { true }
        }
    }

    /// Heddle's defaults, changed by what the file proposes. Tokens are drawn only where `do_sample` is true, as in transformers.
    static func read(_ reader: FieldReader, limits: ModelLimits) throws(FieldError) -> SamplingDefaults {
        let requestLimits = RequestLimits()
        // Files of models that do not sample hold temperatures of 0, and those of old ones a top_p of 0: no proposal.
        func number(_ field: String, atMost most: Float) throws(FieldError) -> Float? {
            guard let value = reader.present(field) else { return nil }
            guard let number = value.number, (0...Double(most)).contains(number) else {
                throw reader.invalid(field, value, "a number from 0 to \(most)")
            }
            let rounded = Float(number)
            return rounded > 0 ? rounded : nil
        }
        func whole(_ field: String) throws(FieldError) -> Int? {
            reader.present(field) == nil ? nil : try reader.integer(field, in: 0...Int(Int32.max))
        }
        var defaults = SamplingDefaults()
        let temperature = try number("temperature", atMost: requestLimits.temperatureMax)
        if try reader.bool("do_sample", default: false) { defaults.temperature = temperature ?? 1 }
        if let count = try whole("top_k") { defaults.topK = count }
        if let mass = try number("top_p", atMost: 1) { defaults.topP = mass }
        if let least = try number("min_p", atMost: 1) { defaults.minP = least }
        if let mass = try number("typical_p", atMost: 1) { defaults.typicalP = mass }
        if let penalty = try number("repetition_penalty", atMost: requestLimits.repetitionPenaltyMax) {
            defaults.repetitionPenalty = penalty
        }
        if let count = try whole("max_new_tokens"), count > 0 { defaults.tokenCountMax = count }
        if let count = try whole("min_new_tokens") { defaults.tokenCountMin = count }
        return defaults
    }
}
