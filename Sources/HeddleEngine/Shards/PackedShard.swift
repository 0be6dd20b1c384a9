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

    /// Packs a rank's part of the model in memory, which holds the packed shard and little more.
    public init(
        model: ModelFolder, plan: ShardPlan, format: WeightFormat = .auto, threadCount: Int = 1
    ) throws(EngineError) {
        if let refusal = Self.refusal(of: model.configuration) { throw refusal }
        let layout = ShardLayout(model: model, plan: plan, format: format)
        let packing = ShardPacking(model: model, layout: layout, threadCount: threadCount)
        let memory: PackedMemory?
        do {
            memory = try PackedMemory(byteCount: layout.byteCount) { bytes in
                let window = 32 << 20
                for first in stride(from: 0, to: layout.byteCount, by: window) {
                    let part = first..<min(layout.byteCount, first + window)
                    try packing.fill(part, into: UnsafeMutableRawBufferPointer(rebasing: bytes[part]))
                }
            }
        } catch let error as EngineError { throw error } catch {
            preconditionFailure("packing throws EngineError, not \(error)")
        }
        guard let memory else { throw .outOfMemory(purpose: "packed weights", byteCount: layout.byteCount) }
        try packing.checkEmbedding()
        self.init(memory: memory, at: 0, layout: layout, model: model, format: format)
    }

    /// A shard whose parts lie in a memory, and were checked when they were packed.
    ///
    /// - Parameter first: where in it the first part begins.
    init(memory: PackedMemory, at first: Int, layout: ShardLayout, model: ModelFolder, format: WeightFormat) {
        let configuration = model.configuration
        let parts = Dictionary(grouping: layout.parts, by: \.tensor)
        func vector(_ tensor: ModelTensor) -> [Float]? {
            parts[tensor].map { parts in
                let bytes = UnsafeRawBufferPointer(rebasing: memory.bytes[parts[0].bytes.moved(by: first)])
                return (0..<parts[0].inputs.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            }
        }
        func norm(_ tensor: ModelTensor) -> [Float] {
            guard let norm = vector(tensor) else { preconditionFailure("\(tensor) is part of every shard") }
            return norm
        }
        func matrices(_ tensor: ModelTensor) -> [PackedMatrix] {
            guard let part = parts[tensor]?.first, let format = part.format else {
                preconditionFailure("\(tensor) is a matrix of every shard")
            }
            let tiles = part.tiles(format)
            return zip(part.leaves, tiles.byteOffsets).map { inputs, offset in
                PackedMatrix(
                    in: memory, byteOffset: first + part.offset + offset, tileStride: tiles.tileStride, format: format,
                    outputs: part.outputs.count, inputs: inputs.count)
            }
        }
        func columns(_ layer: Int, _ projection: Projection) -> Columns {
            Columns(
                weights: matrices(.projection(layer: layer, projection))[0],
                bias: vector(.bias(layer: layer, projection)))
        }
        func leaves(_ layer: Int, _ projection: Projection) -> Leaves {
            Leaves(
                weights: matrices(.projection(layer: layer, projection)), bias: vector(.bias(layer: layer, projection)))
        }
        layers = (0..<configuration.layerCount).map { index in
            Layer(
                inputNorm: norm(.attentionNorm(layer: index)), query: columns(index, .q), key: columns(index, .k),
                value: columns(index, .v), queryNorm: vector(.queryNorm(layer: index)),
                keyNorm: vector(.keyNorm(layer: index)), output: leaves(index, .o),
                outputNorm: vector(.attentionTrailingNorm(layer: index)),
                feedForwardNorm: norm(.feedForwardNorm(layer: index)), gate: columns(index, .gate),
                up: columns(index, .up), down: leaves(index, .down),
                downNorm: vector(.feedForwardTrailingNorm(layer: index)))
        }
        embedding = model.tensor(.embedding)
        finalNorm = norm(.finalNorm)
        vocabulary = matrices(.output)[0]
        shape = ShardShape(model: model, plan: layout.plan, weights: format)
        byteCount = layout.parts.reduce(0) { $0 + ($1.format == nil ? 0 : $1.byteCount) }
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
