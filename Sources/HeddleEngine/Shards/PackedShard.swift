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

    /// The whole model's.
    public let configuration: ModelConfiguration
    /// What of it this is.
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
        var source = WeightSource(format: format)
        let head = configuration.headDimension
        let ownHeads = plan.heads.scaled(by: head)
        let ownKV = plan.kvHeads.scaled(by: head)
        let headLeaves = plan.headSegments[plan.segments].map { $0.scaled(by: head) }
        let wideLeaves = Array(plan.feedForwardSegments[plan.segments])

        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            func weights(_ projection: Projection) -> TensorView {
                model.tensor(.projection(layer: index, projection))
            }
            layers.append(
                Layer(
                    inputNorm: try source.vector(model.tensor(.attentionNorm(layer: index))),
                    query: try source.pack(weights(.q), outputs: ownHeads),
                    key: try source.pack(weights(.k), outputs: ownKV),
                    value: try source.pack(weights(.v), outputs: ownKV),
                    outputLeaves: try source.pack(weights(.o), leaves: headLeaves),
                    feedForwardNorm: try source.vector(model.tensor(.feedForwardNorm(layer: index))),
                    gate: try source.pack(weights(.gate), outputs: plan.feedForward),
                    up: try source.pack(weights(.up), outputs: plan.feedForward),
                    downLeaves: try source.pack(weights(.down), leaves: wideLeaves)))
        }
        embedding = model.tensor(.embedding)
        finalNorm = try source.vector(model.tensor(.finalNorm))
        vocabulary = try source.pack(model.tensor(.output), outputs: plan.vocabulary)
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
