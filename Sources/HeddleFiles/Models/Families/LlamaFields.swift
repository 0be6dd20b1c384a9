/// Decides what a config.json of the Llama family says (1, 2 and 3.x).
enum LlamaFields {
    static func read(_ fields: DecoderFields) throws(FieldError) -> ModelConfiguration {
        var model = try fields.model(.llama, DecoderFields.Defaults())
        model.block.hasInputBias = try fields.reader.bool("attention_bias", default: false)
        model.block.hasOutputBias = model.block.hasInputBias
        model.block.hasFeedForwardBias = try fields.reader.bool("mlp_bias", default: false)
        return model
    }

    static let table = FieldTable(
        "llama", read: ["attention_bias", "mlp_bias"],
        harmless: [
            // Says in how many slices the original training computed a product.
            "pretraining_tp"
        ],
        only: [
            "hidden_act": [.text("silu"), .text("swish")],
            "sliding_window": [.null],
            "use_sliding_window": [.bool(false), .null],
            "rope_interleaved": [.bool(false), .null],
            "qk_norm": [.bool(false), .null],
            "use_qk_norm": [.bool(false), .null],
            "is_llama_config": [.bool(true), .bool(false), .null],
        ])
}
