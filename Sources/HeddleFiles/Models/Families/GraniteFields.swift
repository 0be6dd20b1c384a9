/// Decides what a config.json of the Granite family says: Llama's block with four multipliers.
enum GraniteFields {
    static func read(_ fields: DecoderFields) throws(FieldError) -> ModelConfiguration {
        var model = try fields.model(.granite, DecoderFields.Defaults())
        let reader = fields.reader
        model.block.hasInputBias = try reader.bool("attention_bias", default: false)
        model.block.hasOutputBias = model.block.hasInputBias
        model.block.hasFeedForwardBias = try reader.bool("mlp_bias", default: false)
        model.block.embeddingScale = try reader.positiveNumber("embedding_multiplier", default: 1)
        // The default is 1, not the root of the head's dimension.
        model.block.scoreScale = try reader.positiveNumber("attention_multiplier", default: 1)
        model.block.residualScale = try reader.positiveNumber("residual_multiplier", default: 1)
        model.block.logitDivisor = try reader.positiveNumber("logits_scaling", default: 1)
        return model
    }

    static let table = FieldTable(
        "granite",
        read: [
            "attention_bias", "mlp_bias", "embedding_multiplier", "attention_multiplier", "residual_multiplier",
            "logits_scaling",
        ],
        harmless: ["pretraining_tp"], only: ["hidden_act": [.text("silu"), .text("swish")]])
}
