import HeddleCore
import HeddleFiles
import HeddleKernels

/// Decides which parts a rank's packed shard has and where they lie, from the model's numbers, the rank's part and the format
/// alone: in the order in which a forward pass reads them, each at a multiple of 64 bytes.
///
/// The embedding is not among them. Its rows are read as tokens ask for them, from the mapped checkpoint, which every rank of a
/// host has in common.
struct ShardLayout: Sendable {
    /// Counted up whenever the same shard would be packed into other bytes, by this file or by the kernels' tiles.
    static let version: UInt32 = 1
    static let alignment = 64

    let plan: ShardPlan
    let parts: [ShardPart]
    /// Bytes of all parts and the gaps between them, without the slack behind the last.
    let byteCount: Int

    /// - Parameter elementType: what the checkpoint holds of a tensor.
    init(
        _ configuration: ModelConfiguration, plan: ShardPlan, format: WeightFormat,
        elementType: (ModelTensor) -> ElementType
    ) {
        var parts: [ShardPart] = []
        var offset = 0
        func add(_ tensor: ModelTensor, _ format: PackedFormat?, outputs: Range<Int>, leaves: [Range<Int>]) {
            let part = ShardPart(tensor: tensor, format: format, outputs: outputs, leaves: leaves, offset: offset)
            parts.append(part)
            offset = (part.bytes.upperBound + Self.alignment - 1) / Self.alignment * Self.alignment
        }
        func vector(_ tensor: ModelTensor, _ range: Range<Int>) { add(tensor, nil, outputs: 0..<1, leaves: [range]) }
        let head = configuration.headDimension
        let hidden = 0..<configuration.hiddenSize
        let block = configuration.block
        func norm(_ tensor: ModelTensor) { vector(tensor, hidden) }
        /// Some outputs of a projection, counted within it, wherever it lies in a fused matrix; and their bias.
        func columns(_ layer: Int, _ projection: Projection, _ outputs: Range<Int>) {
            let tensor = ModelTensor.projection(layer: layer, projection)
            add(
                tensor, format.packed(elementType(tensor), of: tensor),
                outputs: outputs.moved(by: configuration.rows(of: projection).lowerBound), leaves: [hidden])
            if block.hasBias(projection) { vector(.bias(layer: layer, projection), outputs) }
        }
        /// All outputs over each of some neighbouring ranges of inputs; and the whole bias.
        func leaves(_ layer: Int, _ projection: Projection, _ leaves: [Range<Int>]) {
            let tensor = ModelTensor.projection(layer: layer, projection)
            add(tensor, format.packed(elementType(tensor), of: tensor), outputs: hidden, leaves: leaves)
            if block.hasBias(projection) { vector(.bias(layer: layer, projection), hidden) }
        }
        let headLeaves = plan.headSegments[plan.segments].map { $0.scaled(by: head) }
        for layer in 0..<configuration.layerCount {
            norm(.attentionNorm(layer: layer))
            columns(layer, .q, plan.heads.scaled(by: head))
            columns(layer, .k, plan.kvHeads.scaled(by: head))
            columns(layer, .v, plan.kvHeads.scaled(by: head))
            if block.hasHeadNorms {
                vector(.queryNorm(layer: layer), 0..<head)
                vector(.keyNorm(layer: layer), 0..<head)
            }
            leaves(layer, .o, headLeaves)
            if block.hasTrailingNorms { norm(.attentionTrailingNorm(layer: layer)) }
            norm(.feedForwardNorm(layer: layer))
            columns(layer, .gate, plan.feedForward)
            columns(layer, .up, plan.feedForward)
            leaves(layer, .down, Array(plan.feedForwardSegments[plan.segments]))
            if block.hasTrailingNorms { norm(.feedForwardTrailingNorm(layer: layer)) }
        }
        norm(.finalNorm)
        add(.output, format.packed(elementType(.output), of: .output), outputs: plan.vocabulary, leaves: [hidden])
        self.plan = plan
        self.parts = parts
        byteCount = offset
    }

    init(model: ModelFolder, plan: ShardPlan, format: WeightFormat) {
        self.init(model.configuration, plan: plan, format: format) { model.tensor($0).elementType }
    }

    /// Bytes of the weights and vectors themselves.
    var weightByteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
}
