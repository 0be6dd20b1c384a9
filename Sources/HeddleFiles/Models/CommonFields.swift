import HeddleCore

/// The fields that `transformers` writes into the config.json of every family, and what they may say.
enum CommonFields {
    /// Names, training settings, output settings of the Python library, and defaults of its `generate`, which Heddle's
    /// requests state themselves.
    static let harmless = [
        "_name_or_path", "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "attn_implementation",
        "auto_map", "transformers_version", "transformers.js_config", "torch_dtype", "dtype", "use_cache",
        "initializer_range", "attention_dropout", "hidden_dropout", "resid_dropout", "embd_dropout",
        "classifier_dropout", "id2label", "label2id", "problem_type", "num_labels", "pad_token_id", "sep_token_id",
        "cls_token_id", "mask_token_id", "unk_token_id", "decoder_start_token_id", "output_attentions",
        "output_hidden_states", "return_dict", "return_dict_in_generate", "output_scores", "torchscript",
        "tf_legacy_loss", "use_bfloat16", "task_specific_params", "finetuning_task", "prefix", "tokenizer_class",
        "gradient_checkpointing", "unsloth_version", "unsloth_fixed", "max_length", "min_length", "do_sample",
        "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p",
        "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
        "bad_words_ids", "num_return_sequences", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
        "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
    ]

    /// Fields of the sizes that `DecoderFields` reads for every family.
    static let sizes = [
        "architectures", "hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
        "num_hidden_layers", "intermediate_size", "rope_theta", "rope_scaling", "rope_parameters",
        "partial_rotary_factor", "original_max_position_embeddings", "rms_norm_eps", "tie_word_embeddings",
        "max_position_embeddings", "bos_token_id", "eos_token_id",
    ]

    /// Fields that change nothing with these values only.
    static let only: [String: [JSONValue]] = [
        "chunk_size_feed_forward": [.integer(0)],
        "is_encoder_decoder": [.bool(false)],
        "is_decoder": [.bool(false), .bool(true)],
        "add_cross_attention": [.bool(false)],
        "cross_attention_hidden_size": [.null],
        "tie_encoder_decoder": [.bool(false)],
        "pruned_heads": [.emptyObject, .null],
        "quantization_config": [.null],
        "compression_config": [.null],
    ]
}

/// Reads the ids of special tokens, each of which may be null.
enum TokenFields {
    /// `bos_token_id`: missing takes the family's default where the vocabulary has it, null is none.
    static func begin(
        _ reader: FieldReader, vocabularyCount: Int, default fallback: Int?
    ) throws(FieldError) -> TokenID? {
        guard let value = reader.object["bos_token_id"] else {
            return fallback.flatMap { $0 < vocabularyCount ? TokenID($0) : nil }
        }
        if value == .null { return nil }
        return try token(value, "bos_token_id", reader, vocabularyCount: vocabularyCount)
    }

    /// `eos_token_id`, one or a list: missing takes the family's default where the vocabulary has it, null is none.
    static func ends(
        _ reader: FieldReader, vocabularyCount: Int, default fallback: [Int], limits: ModelLimits
    ) throws(FieldError) -> [TokenID] {
        guard let value = reader.object["eos_token_id"] else {
            return fallback.filter { $0 < vocabularyCount }.map { TokenID($0) }
        }
        if value == .null { return [] }
        let values = value.array ?? [value]
        guard values.count <= limits.endTokenCountMax else {
            throw reader.invalid("eos_token_id", value, "at most \(limits.endTokenCountMax) tokens")
        }
        var tokens: [TokenID] = []
        for value in values {
            let end = try token(value, "eos_token_id", reader, vocabularyCount: vocabularyCount)
            if !tokens.contains(end) { tokens.append(end) }
        }
        return tokens
    }

    private static func token(
        _ value: JSONValue, _ field: String, _ reader: FieldReader, vocabularyCount: Int
    ) throws(FieldError) -> TokenID {
        guard let number = value.integer, (0..<vocabularyCount).contains(number) else {
            throw reader.invalid(field, value, "a token of the vocabulary 0..<\(vocabularyCount)")
        }
        return TokenID(number)
    }
}
