/// One module of a base model that adapters may change, by the name that PEFT gives it.
package struct AdaptableModule: Sendable {
    enum Kind: Hashable, Sendable {
        /// A linear module of a decoder block.
        case linear
        /// The output projection.
        case output
        /// The embedding, whose adapter has A `[rank, vocabulary]` and B `[hidden, rank]` under names of their own.
        case embedding
    }

    package let name: ModuleName
    let kind: Kind
    /// Columns of A.
    let inputCount: Int
    /// Rows of B.
    let outputCount: Int
    /// What of the forward pass its outputs are: one matrix, or the parts of a fused one, from the first row on.
    let parts: [(target: AdapterTarget, outputs: Range<Int>)]

    /// The name of a tensor of its adapter.
    func tensorName(_ suffix: String) -> String { AdapterTensorName.prefix + name.text + suffix }
    var nameA: String { tensorName(kind == .embedding ? ".lora_embedding_A" : ".lora_A.weight") }
    var nameB: String { tensorName(kind == .embedding ? ".lora_embedding_B" : ".lora_B.weight") }

    /// Under which names PEFT saves the base module's own weight beside the adapter, where it does.
    var baseCopyNames: [String] {
        kind == .linear ? [] : [tensorName(".base_layer.weight"), tensorName(".weight")]
    }
}

/// How PEFT names what belongs to an adapter in its files.
enum AdapterTensorName {
    static let prefix = "base_model.model."
}

/// The part of a base model that one low-rank change is added to.
public enum AdapterTarget: Hashable, Sendable {
    /// A matrix of a decoder block.
    case projection(layer: Int, Projection)
    /// The output projection, from the last norm to logits.
    case output
    /// The embedding's rows.
    case embedding
}

extension AdapterTarget: CustomStringConvertible {
    /// The short name, as in messages: “layer 3 q”, “output”.
    public var description: String {
        switch self {
        case .projection(let layer, let projection): "layer \(layer) \(projection)"
        case .output: "output"
        case .embedding: "embedding"
        }
    }
}

extension ModelConfiguration {
    /// All modules that adapters may change, layer by layer, then the output projection and the embedding.
    package var adaptableModules: [AdaptableModule] {
        var modules: [AdaptableModule] = []
        for layer in 0..<layerCount {
            for projection in Projection.allCases {
                let fused = projections(fusedWith: projection)
                guard fused.first == projection else { continue }
                modules.append(
                    AdaptableModule(
                        name: ModuleName(moduleName(layer: layer, projection)), kind: .linear,
                        inputCount: inputCount(of: projection),
                        outputCount: fused.reduce(0) { $0 + outputCount(of: $1) },
                        parts: fused.map { (.projection(layer: layer, $0), rows(of: $0)) }))
            }
        }
        let vocabulary = 0..<vocabularyCount
        modules.append(
            AdaptableModule(
                name: ModuleName("lm_head"), kind: .output, inputCount: hiddenSize, outputCount: vocabularyCount,
                parts: [(.output, vocabulary)]))
        modules.append(
            AdaptableModule(
                name: ModuleName("model.embed_tokens"), kind: .embedding, inputCount: vocabularyCount,
                outputCount: hiddenSize, parts: [(.embedding, 0..<hiddenSize)]))
        return modules
    }
}
