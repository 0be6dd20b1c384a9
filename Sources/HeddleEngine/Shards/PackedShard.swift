import HeddleFiles
import HeddleKernels

/// Owns one rank's weights in the kernels' layout. Read only once made; forward passes of one process may share it.
public struct PackedShard: Sendable {
    /// One decoder layer.
    struct Layer: Sendable {
        var inputNorm: [Float]
        var query: PackedMatrix
        var key: PackedMatrix
        var value: PackedMatrix
        /// o_proj cut at the segments that this rank owns; inputs count from its first head.
        var outputLeaves: [PackedMatrix]
        var feedForwardNorm: [Float]
        var gate: PackedMatrix
        var up: PackedMatrix
        /// down_proj, cut likewise.
        var downLeaves: [PackedMatrix]
    }

    public let configuration: ModelConfiguration
    public let plan: ShardPlan
    /// Bytes of packed weights; the embedding stays in the mapped checkpoint.
    public let byteCount: Int
    let layers: [Layer]
    let finalNorm: [Float]
    /// This rank's slice of the output projection.
    let vocabulary: PackedMatrix
    /// The whole embedding, mapped: rows are read as tokens ask for them.
    let embedding: TensorView

    /// Packs a rank's part of the model. Memory never holds more than the packed shard and sixteen rows of a tensor.
    public init(model: ModelFolder, plan: ShardPlan, format: WeightFormat = .auto) throws(EngineError) {
        let configuration = model.configuration
        try Self.check(configuration)
        var source = WeightSource(weights: model.weights, format: format)
        let hidden = configuration.hiddenSize
        let head = configuration.headDimension
        let queryWidth = configuration.headCount * head
        let keyWidth = configuration.kvHeadCount * head
        let wide = configuration.feedForwardSize
        let ownHeads = plan.heads.scaled(by: head)
        let ownKV = plan.kvHeads.scaled(by: head)
        let headLeaves = plan.headSegments[plan.segments].map { $0.scaled(by: head) }
        let wideLeaves = Array(plan.feedForwardSegments[plan.segments])

        embedding = try source.tensor("model.embed_tokens.weight", shape: [configuration.vocabularyCount, hidden])
        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            func name(_ part: String) -> String { "model.layers.\(index).\(part).weight" }
            let query = try source.tensor(name("self_attn.q_proj"), shape: [queryWidth, hidden])
            let key = try source.tensor(name("self_attn.k_proj"), shape: [keyWidth, hidden])
            let value = try source.tensor(name("self_attn.v_proj"), shape: [keyWidth, hidden])
            let output = try source.tensor(name("self_attn.o_proj"), shape: [hidden, queryWidth])
            let gate = try source.tensor(name("mlp.gate_proj"), shape: [wide, hidden])
            let up = try source.tensor(name("mlp.up_proj"), shape: [wide, hidden])
            let down = try source.tensor(name("mlp.down_proj"), shape: [hidden, wide])
            layers.append(
                Layer(
                    inputNorm: try source.vector(name("input_layernorm"), count: hidden),
                    query: try source.pack(query, outputs: ownHeads),
                    key: try source.pack(key, outputs: ownKV),
                    value: try source.pack(value, outputs: ownKV),
                    outputLeaves: try source.pack(output, leaves: headLeaves),
                    feedForwardNorm: try source.vector(name("post_attention_layernorm"), count: hidden),
                    gate: try source.pack(gate, outputs: plan.feedForward),
                    up: try source.pack(up, outputs: plan.feedForward),
                    downLeaves: try source.pack(down, leaves: wideLeaves)))
        }
        finalNorm = try source.vector("model.norm.weight", count: hidden)
        let projection =
            configuration.tiedEmbeddings
            ? embedding : try source.tensor("lm_head.weight", shape: [configuration.vocabularyCount, hidden])
        vocabulary = try source.pack(projection, outputs: plan.vocabulary)
        self.layers = layers
        self.configuration = configuration
        self.plan = plan
        byteCount = source.packedByteCount
    }

    /// The heads that this rank computes.
    var attentionHeads: AttentionHeads {
        AttentionHeads(
            headDimension: configuration.headDimension, kvHeadCount: plan.kvHeads.count,
            kvHeadOfHead: plan.heads.map { $0 / plan.headsPerKVHead - plan.kvHeads.lowerBound })
    }

    private static func check(_ configuration: ModelConfiguration) throws(EngineError) {
        let head = configuration.headDimension
        if head % 2 != 0 || !(2...AttentionHeads.headDimensionMax).contains(head) {
            throw .unsupportedShape(
                field: "head dimension", value: head, rule: "even and at most \(AttentionHeads.headDimensionMax)")
        }
        if configuration.kvHeadCount < 1 || configuration.headCount % configuration.kvHeadCount != 0 {
            throw .unsupportedShape(
                field: "KV head count", value: configuration.kvHeadCount,
                rule: "a divisor of its \(configuration.headCount) heads")
        }
    }
}

extension Range<Int> {
    /// The range of elements where each of this range's units has `factor` of them.
    func scaled(by factor: Int) -> Range<Int> { (lowerBound * factor)..<(upperBound * factor) }
}
