import HeddleFiles
import HeddleKernels

/// Owns one rank's weights in the kernels' layout. Read only once made; forward passes of one process may share it.
public struct PackedShard: Sendable {
    /// Weights whose outputs are split over the ranks, and this rank's part of their bias.
    struct Columns: Sendable {
        var weights: PackedMatrix
        var bias: [Float]?
    }

    /// Weights whose inputs are split: this rank's leaves of the reduction tree, inputs counted from its first one, and the
    /// whole bias, which every rank adds to the sum.
    struct Leaves: Sendable {
        var weights: [PackedMatrix]
        var bias: [Float]?
    }

    /// One decoder layer. Norms hold what is multiplied by, whole on every rank.
    struct Layer: Sendable {
        var inputNorm: [Float]
        var query: Columns
        var key: Columns
        var value: Columns
        var queryNorm: [Float]?
        var keyNorm: [Float]?
        var output: Leaves
        var outputNorm: [Float]?
        var feedForwardNorm: [Float]
        var gate: Columns
        var up: Columns
        var down: Leaves
        var downNorm: [Float]?
    }

    /// What of which model this is.
    public let shape: ShardShape
    /// The whole model's.
    public var configuration: ModelConfiguration { shape.configuration }
    /// This rank's part.
    public var plan: ShardPlan { shape.plan }
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
        if let refusal = Self.refusal(of: configuration) { throw refusal }
        var source = WeightSource(model: model, format: format)
        let head = configuration.headDimension
        let ownHeads = plan.heads.scaled(by: head)
        let ownKV = plan.kvHeads.scaled(by: head)
        let headLeaves = plan.headSegments[plan.segments].map { $0.scaled(by: head) }
        let wideLeaves = Array(plan.feedForwardSegments[plan.segments])
        let block = configuration.block

        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            layers.append(
                Layer(
                    inputNorm: try source.norm(.attentionNorm(layer: index)),
                    query: try source.columns(index, .q, ownHeads),
                    key: try source.columns(index, .k, ownKV),
                    value: try source.columns(index, .v, ownKV),
                    queryNorm: block.hasHeadNorms ? try source.norm(.queryNorm(layer: index)) : nil,
                    keyNorm: block.hasHeadNorms ? try source.norm(.keyNorm(layer: index)) : nil,
                    output: try source.leaves(index, .o, headLeaves),
                    outputNorm: block.hasTrailingNorms ? try source.norm(.attentionTrailingNorm(layer: index)) : nil,
                    feedForwardNorm: try source.norm(.feedForwardNorm(layer: index)),
                    gate: try source.columns(index, .gate, plan.feedForward),
                    up: try source.columns(index, .up, plan.feedForward),
                    down: try source.leaves(index, .down, wideLeaves),
                    downNorm: block.hasTrailingNorms ? try source.norm(.feedForwardTrailingNorm(layer: index)) : nil))
        }
        embedding = try source.mapped(model.tensor(.embedding))
        finalNorm = try source.norm(.finalNorm)
        vocabulary = try source.output(plan.vocabulary)
        self.layers = layers
        shape = ShardShape(model: model, plan: plan, weights: format)
        byteCount = source.packedByteCount
    }

    /// The heads that this rank computes, without a window.
    var attentionHeads: AttentionHeads {
        AttentionHeads(
            headDimension: configuration.headDimension, kvHeadCount: plan.kvHeads.count,
            kvHeadOfHead: plan.heads.map { $0 / plan.headsPerKVHead - plan.kvHeads.lowerBound },
            scoreScale: Float(configuration.scoreScale), scoreCap: configuration.block.scoreCap.map(Float.init))
    }

    /// Why no shard of such a model can be made; nil where one can.
    public static func refusal(of configuration: ModelConfiguration) -> EngineError? {
        let head = configuration.headDimension
        if head % 2 != 0 || !(2...AttentionHeads.headDimensionMax).contains(head) {
            return .unsupportedShape(
                field: "head dimension", value: head, rule: "even and at most \(AttentionHeads.headDimensionMax)")
        }
        if configuration.kvHeadCount < 1 || configuration.headCount % configuration.kvHeadCount != 0 {
            return .unsupportedShape(
                field: "KV head count", value: configuration.kvHeadCount,
                rule: "a divisor of its \(configuration.headCount) heads")
        }
        let layers = configuration.layers
        if layers.count != configuration.layerCount {
            return .unsupportedShape(
                field: "count of described layers", value: layers.count, rule: "its \(configuration.layerCount) layers")
        }
        if let layer = layers.first(where: { !configuration.rotary.indices.contains($0.rotary) }) {
            return .unsupportedShape(
                field: "rotary encoding", value: layer.rotary, rule: "one of its \(configuration.rotary.count)")
        }
        return nil
    }
}

extension Range<Int> {
    /// The range of elements where each of this range's units has `factor` of them.
    func scaled(by factor: Int) -> Range<Int> { (lowerBound * factor)..<(upperBound * factor) }
}
