/// Decides what a config.json of the Gemma 2 and Gemma 3 text families says: norms of one plus their weight before and behind
/// both halves of a block, embeddings scaled by the root of their width, windows in some layers; soft caps in Gemma 2, norms
/// of each head and a rotation of its own for windows in Gemma 3.
enum GemmaFields {
    static func read(_ fields: DecoderFields, _ architecture: Architecture) throws(FieldError) -> ModelConfiguration {
        var defaults = DecoderFields.Defaults()
        defaults.kvHeadCount = 4
        defaults.headDimension = 256
        defaults.positionCountMax = architecture == .gemma2 ? 8192 : 131_072
        defaults.tiedEmbeddings = true
        defaults.beginToken = 2
        defaults.endTokens = [1]
        var model = try fields.model(architecture, defaults)
        let reader = fields.reader
        model.block.normWeight = .onePlus
        model.block.hasTrailingNorms = true
        model.block.hasHeadNorms = architecture == .gemma3
        model.block.activation = .geluTanh
        model.block.hasInputBias = try reader.bool("attention_bias", default: false)
        model.block.hasOutputBias = model.block.hasInputBias
        model.block.scoreScale = 1 / (try reader.positiveNumber("query_pre_attn_scalar", default: 256)).squareRoot()
        // In f32, as everything here: a model that `transformers` loads in bf16 rounds this to bf16, too.
        model.block.embeddingScale = Double(model.hiddenSize).squareRoot()
        let isCapped = architecture == .gemma2
        model.block.logitCap = try reader.numberOrNull("final_logit_softcapping", default: isCapped ? 30 : nil)
        if isCapped { model.block.scoreCap = try reader.numberOrNull("attn_logit_softcapping", default: 50) }
        try readWindows(fields, into: &model)
        return model
    }

    private static func readWindows(_ fields: DecoderFields, into model: inout ModelConfiguration) throws(FieldError) {
        let window = try fields.window(default: 4096)
        // Without `layer_types` every second (Gemma 2) or sixth layer, unless said otherwise, sees everything.
        let stride =
            model.architecture == .gemma2
            ? 2 : try fields.reader.integer("sliding_window_pattern", in: 1...fields.limits.layerCountMax, default: 6)
        let layers =
            try fields.layersWithWindow(layerCount: model.layerCount, window: window)
            ?? model.layers.indices.map { !($0 + 1).isMultiple(of: stride) }
        for (layer, hasWindow) in layers.enumerated() where hasWindow {
            guard let window else { throw fields.reader.invalid("sliding_window", .null, "a number for such layers") }
            model.layers[layer] = LayerAttention(window: window, rotary: model.rotary.count - 1)
        }
    }

    /// Layers that see everything have the first encoding, layers with a window the second.
    static func gemma3Rotary(_ fields: RotaryFields) throws(FieldError) -> [RotaryEncoding] {
        let (field, parameters) = try fields.parameters()
        // Length-dependent frequencies are kept for one kind of layer only by the Python library's module.
        var family = RotaryFields.Family(theta: 1_000_000, refused: ["dynamic", "longrope"])
        var local = RotaryFields.Family(theta: 10_000, refused: family.refused)
        let kinds = ["full_attention", "sliding_attention"]
        guard let parameters, field == "rope_parameters" else {
            // The older spelling: one scaling, which is that of the layers that see everything.
            let whole = try fields.encoding(
                parameters ?? .init(members: []), field: field, outerTheta: "rope_theta", outer: fields.reader, family)
            let window = try fields.encoding(
                .init(members: []), field: field, outerTheta: "rope_local_base_freq", outer: fields.reader, local)
            return [whole, window]
        }
        let nested = FieldReader(object: parameters, file: fields.reader.file, prefix: field + ".")
        try FieldTable(read: kinds, harmless: [], only: [:]).check(
            parameters, file: nested.file, prefix: nested.prefix)
        family.theta = try fields.reader.positiveNumber("rope_theta", default: family.theta)
        local.theta = try fields.reader.positiveNumber("rope_local_base_freq", default: local.theta)
        func encoding(_ kind: String, _ family: RotaryFields.Family) throws(FieldError) -> RotaryEncoding {
            guard let value = nested.present(kind) else { return RotaryEncoding(theta: family.theta) }
            guard case .object(let object) = value else { throw nested.invalid(kind, value, "an object or null") }
            return try fields.encoding(object, field: kind, outerTheta: "rope_theta", outer: nested, family)
        }
        return [try encoding(kinds[0], family), try encoding(kinds[1], local)]
    }

    private static let fields = [
        "attention_bias", "query_pre_attn_scalar", "final_logit_softcapping", "sliding_window", "layer_types",
    ]
    private static let harmless = [
        // `hidden_activation` is what is used; the others describe the Python library's cache.
        "hidden_act", "cache_implementation", "sliding_window_size", "_sliding_window_pattern",
    ]
    private static let only: [String: [JSONValue]] = [
        "hidden_activation": [.text("gelu_pytorch_tanh")],
        "use_bidirectional_attention": [.bool(false), .null],
    ]

    static let table2 = FieldTable("gemma2", read: fields + ["attn_logit_softcapping"], harmless: harmless, only: only)
    static let table3 = FieldTable(
        "gemma3_text", read: fields + ["sliding_window_pattern", "rope_local_base_freq"], harmless: harmless,
        // `transformers` reads this one for Gemma 3 and then does not use it.
        only: only.merging(["attn_logit_softcapping": [.null]]) { $1 })
}
