import HeddleCore

/// Decides what a config.json of the Llama family says: which fields fix its numbers, and which others may stand there.
///
/// Another family is another file beside this one: its table of fields, its defaults, and a case of `Architecture`.
enum LlamaConfiguration {
    /// Reads a whole config.json with `transformers`' defaults for fields that are missing.
    static func read(_ object: JSONObject, file: String, limits: ModelLimits) throws(FieldError) -> ModelConfiguration {
        try table.check(object, file: file)
        let reader = FieldReader(object: object, file: file)
        let hiddenSize = try reader.integer("hidden_size", in: 1...limits.hiddenSizeMax)
        let headCount = try reader.integer("num_attention_heads", in: 1...limits.headCountMax)
        let kvHeadCount = try reader.integer("num_key_value_heads", in: 1...limits.headCountMax, default: headCount)
        guard headCount.isMultiple(of: kvHeadCount) else {
            throw reader.invalid(
                "num_key_value_heads", .integer(Int64(kvHeadCount)), "a divisor of num_attention_heads = \(headCount)")
        }
        if reader.present("head_dim") == nil, !hiddenSize.isMultiple(of: headCount) {
            throw reader.invalid(
                "num_attention_heads", .integer(Int64(headCount)),
                "a divisor of hidden_size = \(hiddenSize) where head_dim is not given")
        }
        let headDimension = try reader.integer(
            "head_dim", in: 1...limits.headDimensionMax, default: hiddenSize / headCount)
        guard (1...limits.headDimensionMax).contains(headDimension), headDimension.isMultiple(of: 2) else {
            throw reader.invalid(
                "head_dim", .integer(Int64(headDimension)), "even and at most \(limits.headDimensionMax)")
        }
        let vocabularyCount = try reader.integer("vocab_size", in: 1...limits.vocabularyCountMax)
        return ModelConfiguration(
            architecture: .llama,
            layerCount: try reader.integer("num_hidden_layers", in: 1...limits.layerCountMax),
            hiddenSize: hiddenSize, headCount: headCount, kvHeadCount: kvHeadCount, headDimension: headDimension,
            feedForwardSize: try reader.integer("intermediate_size", in: 1...limits.feedForwardSizeMax),
            vocabularyCount: vocabularyCount,
            ropeTheta: try RotaryFields.theta(reader, default: 10_000),
            rmsNormEpsilon: try reader.positiveNumber("rms_norm_eps", default: 1e-6),
            tiedEmbeddings: try reader.bool("tie_word_embeddings", default: false),
            positionCountMax: try reader.integer(
                "max_position_embeddings", in: 1...limits.positionCountMax, default: 2048),
            beginToken: try TokenFields.begin(reader, vocabularyCount: vocabularyCount, default: 1),
            endTokens: try TokenFields.ends(reader, vocabularyCount: vocabularyCount, default: [2], limits: limits))
    }

    private static let table = FieldTable(
        read: [
            "architectures", "hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim",
            "vocab_size", "num_hidden_layers", "intermediate_size", "rope_theta", "rope_scaling", "rope_parameters",
            "rms_norm_eps", "tie_word_embeddings", "max_position_embeddings", "bos_token_id", "eos_token_id",
        ],
        harmless: CommonFields.harmless + [
            // Says in how many slices the original training computed a product.
            "pretraining_tp"
        ],
        only: CommonFields.only.merging([
            "model_type": [.text("llama")],
            "hidden_act": [.text("silu"), .text("swish")],
            "attention_bias": [.bool(false), .null],
            "mlp_bias": [.bool(false), .null],
            "partial_rotary_factor": [.integer(1), .null],
            "sliding_window": [.null],
            "use_sliding_window": [.bool(false), .null],
            "rope_interleaved": [.bool(false), .null],
            "qk_norm": [.bool(false), .null],
            "use_qk_norm": [.bool(false), .null],
            "is_llama_config": [.bool(true), .bool(false), .null],
        ]) { $1 })
}
