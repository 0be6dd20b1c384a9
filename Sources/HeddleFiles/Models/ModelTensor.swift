/// A tensor of a decoder-only model by its role; names and shapes of a family follow from it.
public enum ModelTensor: Hashable, Sendable {
    /// `[vocabularyCount, hiddenSize]`
    case embedding
    /// `[hiddenSize]`, before attention.
    case attentionNorm(layer: Int)
    /// `[hiddenSize]`, before the feed-forward part.
    case feedForwardNorm(layer: Int)
    /// `[hiddenSize]`, behind attention.
    case attentionTrailingNorm(layer: Int)
    /// `[hiddenSize]`, behind the feed-forward part.
    case feedForwardTrailingNorm(layer: Int)
    /// `[headDimension]`, over each head of the queries.
    case queryNorm(layer: Int)
    /// `[headDimension]`, over each head of the keys.
    case keyNorm(layer: Int)
    /// `[outputs, inputs]`; where projections are fused, the matrix that holds this one (see `rows(of:)`).
    case projection(layer: Int, Projection)
    /// `[outputs]`
    case bias(layer: Int, Projection)
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
            for projection in Projection.allCases where projections(fusedWith: projection)[0] == projection {
                all.append(.projection(layer: layer, projection))
                if block.hasBias(projection) { all.append(.bias(layer: layer, projection)) }
            }
            if block.hasHeadNorms { all += [.queryNorm(layer: layer), .keyNorm(layer: layer)] }
            all.append(.feedForwardNorm(layer: layer))
            if block.hasTrailingNorms {
                all += [.attentionTrailingNorm(layer: layer), .feedForwardTrailingNorm(layer: layer)]
            }
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
        case .feedForwardNorm(let layer):
            // Where attention has a norm behind it, the name that Llama gives to this one belongs to that.
            "model.layers.\(layer)."
                + (block.hasTrailingNorms ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight")
        case .attentionTrailingNorm(let layer): "model.layers.\(layer).post_attention_layernorm.weight"
        case .feedForwardTrailingNorm(let layer): "model.layers.\(layer).post_feedforward_layernorm.weight"
        case .queryNorm(let layer): "model.layers.\(layer).self_attn.q_norm.weight"
        case .keyNorm(let layer): "model.layers.\(layer).self_attn.k_norm.weight"
        case .projection(let layer, let projection): moduleName(layer: layer, projection) + ".weight"
        case .bias(let layer, let projection): moduleName(layer: layer, projection) + ".bias"
        case .finalNorm: "model.norm.weight"
        case .output: tiedEmbeddings ? name(of: .embedding) : "lm_head.weight"
        }
    }

    /// The full name of a projection's module, as adapters spell it; fused projections have one name.
    public func moduleName(layer: Int, _ projection: Projection) -> String {
        // "qkv_proj" and "gate_up_proj": the names of the parts, where they have one letter without anything between.
        let parts = projections(fusedWith: projection).map(\.description)
        let name = parts.joined(separator: parts[0].count == 1 ? "" : "_") + "_proj"
        return "model.layers.\(layer).\(projection.blockName).\(name)"
    }

    /// The shape in a checkpoint.
    public func shape(of tensor: ModelTensor) -> [Int] {
        switch tensor {
        case .embedding, .output: [vocabularyCount, hiddenSize]
        case .attentionNorm, .feedForwardNorm, .attentionTrailingNorm, .feedForwardTrailingNorm, .finalNorm:
            [hiddenSize]
        case .queryNorm, .keyNorm: [headDimension]
        case .projection(_, let projection):
            [
                projections(fusedWith: projection).reduce(0) { $0 + outputCount(of: $1) },
                inputCount(of: projection),
            ]
        case .bias(_, let projection): [outputCount(of: projection)]
        }
    }

    /// Whether a checkpoint may hold a tensor of this name that the arithmetic does not need: rotary frequencies, which old
    /// checkpoints store though they follow from the configuration.
    func isDerived(tensorName: String) -> Bool {
        tensorName.hasPrefix("model.layers.") && tensorName.hasSuffix(".self_attn.rotary_emb.inv_freq")
    }
}
