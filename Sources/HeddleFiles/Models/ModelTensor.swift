/// A tensor of a decoder-only model by its role; names and shapes of a family follow from it.
public enum ModelTensor: Hashable, Sendable {
    /// `[vocabularyCount, hiddenSize]`
    case embedding
    /// `[hiddenSize]`, before attention.
    case attentionNorm(layer: Int)
    /// `[hiddenSize]`, before the feed-forward part.
    case feedForwardNorm(layer: Int)
    /// `[outputs, inputs]`
    case projection(layer: Int, Projection)
    /// `[hiddenSize]`, after the last layer.
    case finalNorm
    /// `[vocabularyCount, hiddenSize]`; the embedding where the two are tied.
    case output
}

extension ModelConfiguration {
    /// Every tensor that a checkpoint of this model holds, in the order in which a forward pass needs them.
    public var tensors: [ModelTensor] {
        var all: [ModelTensor] = [.embedding]
        for layer in 0..<layerCount {
            all.append(.attentionNorm(layer: layer))
            all += [Projection.q, .k, .v, .o].map { .projection(layer: layer, $0) }
            all.append(.feedForwardNorm(layer: layer))
            all += [Projection.gate, .up, .down].map { .projection(layer: layer, $0) }
        }
        all.append(.finalNorm)
        if !tiedEmbeddings { all.append(.output) }
        return all
    }

    /// The name in a Hugging Face checkpoint of this architecture.
    public func name(of tensor: ModelTensor) -> String {
        switch tensor {
        case .embedding: "model.embed_tokens.weight"
        case .attentionNorm(let layer): "model.layers.\(layer).input_layernorm.weight"
        case .feedForwardNorm(let layer): "model.layers.\(layer).post_attention_layernorm.weight"
        case .projection(let layer, let projection): moduleName(layer: layer, projection) + ".weight"
        case .finalNorm: "model.norm.weight"
        case .output: tiedEmbeddings ? name(of: .embedding) : "lm_head.weight"
        }
    }

    /// The full name of a projection's module, as adapters spell it.
    public func moduleName(layer: Int, _ projection: Projection) -> String {
        "model.layers.\(layer).\(projection.blockName).\(projection.moduleName)"
    }

    /// The shape in a checkpoint.
    public func shape(of tensor: ModelTensor) -> [Int] {
        switch tensor {
        case .embedding, .output: [vocabularyCount, hiddenSize]
        case .attentionNorm, .feedForwardNorm, .finalNorm: [hiddenSize]
        case .projection(_, let projection): [outputCount(of: projection), inputCount(of: projection)]
        }
    }

    /// Whether a checkpoint may hold a tensor of this name that the arithmetic does not need: rotary frequencies, which old
    /// checkpoints store though they follow from the configuration.
    func isDerived(tensorName: String) -> Bool {
        tensorName.hasPrefix("model.layers.") && tensorName.hasSuffix(".self_attn.rotary_emb.inv_freq")
    }
}
