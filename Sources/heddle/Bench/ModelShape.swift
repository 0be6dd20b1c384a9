/// A published model's sizes under its usual name: enough for measuring speed, which does not depend on what weights hold.
struct ModelShape: Sendable {
    var name: String
    var hiddenSize: Int
    var layerCount: Int
    var headCount: Int
    var kvHeadCount: Int
    var headDimension: Int
    var feedForwardSize: Int
    var vocabularyCount: Int
    var hasTiedEmbeddings: Bool
    /// Qwen2's biases of q, k and v; other shapes are Llama's.
    var hasInputBias: Bool
    var positionCountMax: Int
    var ropeTheta: Double

    static let all = [
        ModelShape(
            name: "tinyllama-1.1b", hiddenSize: 2048, layerCount: 22, headCount: 32, kvHeadCount: 4, headDimension: 64,
            feedForwardSize: 5632, vocabularyCount: 32000, hasTiedEmbeddings: false, hasInputBias: false,
            positionCountMax: 2048, ropeTheta: 10_000),
        ModelShape(
            name: "llama-3.2-1b", hiddenSize: 2048, layerCount: 16, headCount: 32, kvHeadCount: 8, headDimension: 64,
            feedForwardSize: 8192, vocabularyCount: 128_256, hasTiedEmbeddings: true, hasInputBias: false,
            positionCountMax: 131_072, ropeTheta: 500_000),
        ModelShape(
            name: "qwen2.5-0.5b", hiddenSize: 896, layerCount: 24, headCount: 14, kvHeadCount: 2, headDimension: 64,
            feedForwardSize: 4864, vocabularyCount: 151_936, hasTiedEmbeddings: true, hasInputBias: true,
            positionCountMax: 32_768, ropeTheta: 1_000_000),
    ]

    static var names: String { all.map(\.name).joined(separator: ", ") }

    init(
        name: String, hiddenSize: Int, layerCount: Int, headCount: Int, kvHeadCount: Int, headDimension: Int,
        feedForwardSize: Int, vocabularyCount: Int, hasTiedEmbeddings: Bool, hasInputBias: Bool, positionCountMax: Int,
        ropeTheta: Double
    ) {
        self.name = name
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.kvHeadCount = kvHeadCount
        self.headDimension = headDimension
        self.feedForwardSize = feedForwardSize
        self.vocabularyCount = vocabularyCount
        self.hasTiedEmbeddings = hasTiedEmbeddings
        self.hasInputBias = hasInputBias
        self.positionCountMax = positionCountMax
        self.ropeTheta = ropeTheta
    }

    /// The shape of that name.
    init?(named name: String) {
        guard let shape = Self.all.first(where: { $0.name == name }) else { return nil }
        self = shape
    }

    /// A matrix or a vector of the checkpoint, under Hugging Face's name.
    struct Tensor {
        var name: String
        var shape: [Int]
        var count: Int { shape.reduce(1, *) }
        /// Norms hold ones; everything else random numbers.
        var isNorm: Bool { shape.count == 1 && !name.hasSuffix("bias") }
    }

    /// Projections of a layer: name, outputs, inputs.
    var projections: [(name: String, outputs: Int, inputs: Int)] {
        let heads = headCount * headDimension
        let kvHeads = kvHeadCount * headDimension
        return [
            ("self_attn.q_proj", heads, hiddenSize), ("self_attn.k_proj", kvHeads, hiddenSize),
            ("self_attn.v_proj", kvHeads, hiddenSize), ("self_attn.o_proj", hiddenSize, heads),
            ("mlp.gate_proj", feedForwardSize, hiddenSize), ("mlp.up_proj", feedForwardSize, hiddenSize),
            ("mlp.down_proj", hiddenSize, feedForwardSize),
        ]
    }

    /// Weights that every row is multiplied with, and those of the output projection.
    var layerWeightCount: Int { layerCount * projections.reduce(0) { $0 + $1.outputs * $1.inputs } }
    var outputWeightCount: Int { vocabularyCount * hiddenSize }

    /// Every tensor of the checkpoint.
    var tensors: [Tensor] {
        var all = [Tensor(name: "model.embed_tokens.weight", shape: [vocabularyCount, hiddenSize])]
        for layer in 0..<layerCount {
            let prefix = "model.layers.\(layer)."
            for (name, outputs, inputs) in projections {
                all.append(Tensor(name: prefix + name + ".weight", shape: [outputs, inputs]))
                if hasInputBias, ["q", "k", "v"].contains(where: { name == "self_attn.\($0)_proj" }) {
                    all.append(Tensor(name: prefix + name + ".bias", shape: [outputs]))
                }
            }
            all.append(Tensor(name: prefix + "input_layernorm.weight", shape: [hiddenSize]))
            all.append(Tensor(name: prefix + "post_attention_layernorm.weight", shape: [hiddenSize]))
        }
        all.append(Tensor(name: "model.norm.weight", shape: [hiddenSize]))
        if !hasTiedEmbeddings { all.append(Tensor(name: "lm_head.weight", shape: [vocabularyCount, hiddenSize])) }
        return all
    }

    /// What config.json says of it.
    var configuration: [String: Any] {
        [
            "architectures": [hasInputBias ? "Qwen2ForCausalLM" : "LlamaForCausalLM"],
            "model_type": hasInputBias ? "qwen2" : "llama", "hidden_size": hiddenSize, "num_hidden_layers": layerCount,
            "num_attention_heads": headCount, "num_key_value_heads": kvHeadCount, "intermediate_size": feedForwardSize,
            "vocab_size": vocabularyCount, "tie_word_embeddings": hasTiedEmbeddings, "hidden_act": "silu",
            "max_position_embeddings": positionCountMax, "rms_norm_eps": 1e-5, "rope_theta": ropeTheta,
            "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
        ]
    }
}
