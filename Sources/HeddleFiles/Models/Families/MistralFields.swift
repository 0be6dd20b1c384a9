/// Decides what a config.json of the Mistral family says: Llama's block with a window in every layer, or in none.
enum MistralFields {
    static func read(_ fields: DecoderFields) throws(FieldError) -> ModelConfiguration {
        var defaults = DecoderFields.Defaults()
        defaults.kvHeadCount = 8
        defaults.positionCountMax = 131_072
        var model = try fields.model(.mistral, defaults)
        let window = try fields.window(default: 4096)
        for layer in model.layers.indices { model.layers[layer].window = window }
        return model
    }

    static let table = FieldTable(
        "mistral", read: ["sliding_window"],
        only: [
            "hidden_act": [.text("silu"), .text("swish")],
            "attention_bias": [.bool(false), .null],
            "mlp_bias": [.bool(false), .null],
        ])
}
