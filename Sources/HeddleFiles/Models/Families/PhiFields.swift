/// Decides what a config.json of the Phi-3 family says: fused projections, rotation of a part of each head, LongRoPE with a
/// cache that is computed anew, and a window in every layer or in none.
enum PhiFields {
    static func read(_ fields: DecoderFields) throws(FieldError) -> ModelConfiguration {
        var defaults = DecoderFields.Defaults()
        defaults.positionCountMax = 4096
        defaults.rmsNormEpsilon = 1e-5
        defaults.endTokens = [32_000]
        defaults.rotary = RotaryFields.Family(
            isPartial: true, originalPositionCount: 4096, isPhi: true, refused: ["linear", "dynamic", "llama3", "yarn"])
        var model = try fields.model(.phi3, defaults)
        model.block.isFused = true
        let window = try fields.window(default: nil)
        for layer in model.layers.indices { model.layers[layer].window = window }
        return model
    }

    static let table = FieldTable(
        "phi3", read: ["sliding_window"], harmless: ["embd_pdrop", "resid_pdrop"],
        only: [
            "hidden_act": [.text("silu"), .text("swish")],
            "attention_bias": [.bool(false), .null],
            "mlp_bias": [.bool(false), .null],
            "lm_head_bias": [.bool(false), .null],
            "interpolate_factor": [.integer(1), .null],
            "full_attn_mod": [.integer(1), .null],
        ])
}
