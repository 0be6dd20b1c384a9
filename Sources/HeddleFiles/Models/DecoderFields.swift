import HeddleCore

/// Reads what every family's config.json states under the same names, with the family's own defaults.
struct DecoderFields {
    /// What `transformers` assumes where a family's config.json is silent.
    struct Defaults {
        /// nil is one KV head for each query head.
        var kvHeadCount: Int?
        /// nil is hidden size over heads.
        var headDimension: Int?
        var positionCountMax = 2048
        var rmsNormEpsilon = 1e-6
        var tiedEmbeddings = false
        var beginToken: Int? = 1
        var endTokens = [2]
        var rotary = RotaryFields.Family()
    }

    let reader: FieldReader
    let limits: ModelLimits

    /// Sizes, tokens and, unless a family has several, the rotary encoding; the block is Llama's and every layer sees all.
    func model(_ architecture: Architecture, _ defaults: Defaults) throws(FieldError) -> ModelConfiguration {
        let hiddenSize = try reader.integer("hidden_size", in: 1...limits.hiddenSizeMax)
        let headCount = try reader.integer("num_attention_heads", in: 1...limits.headCountMax)
        let kvHeadCount =
            try reader.integerOrNull(
                "num_key_value_heads", in: 1...limits.headCountMax, default: defaults.kvHeadCount) ?? headCount
        guard headCount.isMultiple(of: kvHeadCount) else {
            throw reader.invalid(
                "num_key_value_heads", .integer(Int64(kvHeadCount)), "a divisor of num_attention_heads = \(headCount)")
        }
        let headDimension = try headDimension(hiddenSize, headCount, default: defaults.headDimension)
        let vocabularyCount = try reader.integer("vocab_size", in: 1...limits.vocabularyCountMax)
        let layerCount = try reader.integer("num_hidden_layers", in: 1...limits.layerCountMax)
        let stated = try reader.integer(
            "max_position_embeddings", in: 1...limits.positionCountMax, default: defaults.positionCountMax)
        let rotaryFields = RotaryFields(
            reader: reader, headDimension: headDimension, positionCountMax: stated, limits: limits)
        let rotary =
            try architecture == .gemma3
            ? GemmaFields.gemma3Rotary(rotaryFields) : [rotaryFields.encoding(defaults.rotary)]
        return ModelConfiguration(
            architecture: architecture, layerCount: layerCount,
            hiddenSize: hiddenSize, headCount: headCount, kvHeadCount: kvHeadCount, headDimension: headDimension,
            feedForwardSize: try reader.integer("intermediate_size", in: 1...limits.feedForwardSizeMax),
            vocabularyCount: vocabularyCount, rotary: rotary,
            rmsNormEpsilon: try reader.positiveNumber("rms_norm_eps", default: defaults.rmsNormEpsilon),
            tiedEmbeddings: try reader.bool("tie_word_embeddings", default: defaults.tiedEmbeddings),
            positionCountMax: Self.positionCountMax(stated, rotary[0], limits),
            beginToken: try TokenFields.begin(
                reader, vocabularyCount: vocabularyCount, default: defaults.beginToken),
            endTokens: try TokenFields.ends(
                reader, vocabularyCount: vocabularyCount, default: defaults.endTokens, limits: limits))
    }

    private func headDimension(_ hiddenSize: Int, _ headCount: Int, default fallback: Int?) throws(FieldError) -> Int {
        let head = try reader.integerOrNull("head_dim", in: 1...limits.headDimensionMax, default: fallback)
        if head == nil, !hiddenSize.isMultiple(of: headCount) {
            throw reader.invalid(
                "num_attention_heads", .integer(Int64(headCount)),
                "a divisor of hidden_size = \(hiddenSize) where head_dim is not given")
        }
        let dimension = head ?? hiddenSize / headCount
        guard (1...limits.headDimensionMax).contains(dimension), dimension.isMultiple(of: 2) else {
            throw reader.invalid(
                "head_dim", .integer(Int64(dimension)), "even and at most \(limits.headDimensionMax)")
        }
        return dimension
    }

    /// The longest sequence: what the file states, or what its scaling was made for where that is more. Dynamic scaling
    /// begins where the stated length ends, and YaRN's files often state the length before it.
    private static func positionCountMax(_ stated: Int, _ rotary: RotaryEncoding, _ limits: ModelLimits) -> Int {
        let (factor, original) =
            switch rotary.scaling {
            case .none, .linear, .llama3, .long: (1.0, stated)
            case .dynamic(let factor, let original): (factor, original)
            case .yarn(let yarn): (yarn.factor, yarn.originalPositionCount)
            }
        let scaled = factor * Double(original)
        return min(limits.positionCountMax, max(stated, scaled < Double(limits.positionCountMax) ? Int(scaled) : .max))
    }

    /// `sliding_window`: null is none.
    func window(default fallback: Int?) throws(FieldError) -> Int? {
        try reader.integerOrNull("sliding_window", in: 1...limits.positionCountMax, default: fallback)
    }

    /// `layer_types`: for each layer whether it has a window; nil where the field is missing or null.
    func layersWithWindow(layerCount: Int, window: Int?) throws(FieldError) -> [Bool]? {
        guard let value = reader.present("layer_types") else { return nil }
        var layers: [Bool] = []
        for type in value.array ?? [] {
            switch type.text {
            case "full_attention": layers.append(false)
            case "sliding_attention": layers.append(true)
            default:
                throw .unsupported(
                    file: reader.file, field: "layer_types", value: type.description,
                    supported: "only full_attention and sliding_attention are")
            }
        }
        guard value.array != nil, layers.count == layerCount else {
            throw reader.invalid("layer_types", value, "a list of \(layerCount) layers")
        }
        guard window != nil || !layers.contains(true) else {
            throw reader.invalid("layer_types", value, "full_attention only where there is no sliding_window")
        }
        return layers
    }
}
