/// Decides what a config.json of the Qwen2 and Qwen3 families says: biases of q, k and v in the one, norms of each head in
/// the other, and windows in some layers of both where `use_sliding_window` says so.
enum QwenFields {
    static func read(_ fields: DecoderFields, _ architecture: Architecture) throws(FieldError) -> ModelConfiguration {
        var defaults = DecoderFields.Defaults()
        defaults.kvHeadCount = 32
        defaults.headDimension = architecture == .qwen3 ? 128 : nil
        defaults.positionCountMax = 32_768
        defaults.beginToken = nil
        defaults.endTokens = []
        var model = try fields.model(architecture, defaults)
        if architecture == .qwen3 {
            model.block.hasHeadNorms = true
            model.block.hasInputBias = try fields.reader.bool("attention_bias", default: false)
            model.block.hasOutputBias = model.block.hasInputBias
        } else {
            model.block.hasInputBias = true
        }
        try readWindows(fields, into: &model)
        return model
    }

    private static func readWindows(_ fields: DecoderFields, into model: inout ModelConfiguration) throws(FieldError) {
        let stated = try fields.window(default: 4096)
        let window = try fields.reader.bool("use_sliding_window", default: false) ? stated : nil
        let firstLayer = try fields.reader.integer(
            "max_window_layers", in: 0...fields.limits.layerCountMax, default: 28)
        let layers =
            try fields.layersWithWindow(layerCount: model.layerCount, window: window)
            ?? model.layers.indices.map { window != nil && $0 >= firstLayer }
        for (layer, hasWindow) in layers.enumerated() where hasWindow { model.layers[layer].window = window }
    }

    private static let windows = ["use_sliding_window", "sliding_window", "max_window_layers", "layer_types"]
    private static let only: [String: [JSONValue]] = [
        "hidden_act": [.text("silu"), .text("swish")],
        "use_mrope": [.bool(false), .null],
        "mlp_bias": [.bool(false), .null],
    ]

    static let table2 = FieldTable("qwen2", read: windows, only: only)
    static let table3 = FieldTable("qwen3", read: windows + ["attention_bias"], only: only)
}
