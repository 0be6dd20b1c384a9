import HeddleFiles
import HeddleKernels

/// How much of what a model needs, before any of it is loaded.
public struct ModelFootprint: Sendable {
    /// Numbers of all tensors, a tied output once.
    public let parameterCount: Int
    /// Bytes of one position's keys and values in all layers, on a model that is not split.
    public let kvByteCountPerToken: Int
    /// The most ranks that the model can be split over.
    public let rankCountMax: Int
    private let configuration: ModelConfiguration

    /// Of a model whose shards can be made (see `PackedShard.refusal(of:)`).
    public init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        parameterCount = configuration.tensors.reduce(0) { $0 + configuration.elementCount(of: $1) }
        let heads = AttentionHeads(
            headDimension: configuration.headDimension, kvHeadCount: configuration.kvHeadCount,
            kvHeadOfHead: Array(0..<configuration.kvHeadCount))
        kvByteCountPerToken =
            heads.blockFloatCount / AttentionHeads.blockTokenCount * MemoryLayout<Float>.stride
            * configuration.layerCount
        rankCountMax =
            (1...8).last { (try? ShardPlan(configuration: configuration, rank: 0, rankCount: $0)) != nil } ?? 1
    }

    /// Bytes of all packed weights of a model in one shard. A tied output is packed beside the embedding, which stays in
    /// the mapped checkpoint.
    ///
    /// - Parameter elementType: what the checkpoint holds of a tensor.
    public func packedByteCount(_ format: WeightFormat, elementType: (ModelTensor) -> ElementType) -> Int {
        guard let plan = try? ShardPlan(configuration: configuration, rank: 0, rankCount: 1) else { return 0 }
        func bytes(_ tensor: ModelTensor, outputs: Int, inputs: [Int]) -> Int {
            let format = format.packed(elementType(tensor), of: tensor)
            return inputs.count == 1
                ? PackedMatrix.byteCount(format: format, outputs: outputs, inputs: inputs[0])
                : LeafTiles(format: format, outputs: outputs, inputs: inputs).byteCount
        }
        let hidden = configuration.hiddenSize
        let head = configuration.headDimension
        var count = bytes(.output, outputs: configuration.vocabularyCount, inputs: [hidden])
        for layer in 0..<configuration.layerCount {
            for projection in Projection.allCases {
                let (outputs, inputs) =
                    switch projection {
                    case .q: (plan.heads.count * head, [hidden])
                    case .k, .v: (plan.kvHeads.count * head, [hidden])
                    case .gate, .up: (plan.feedForward.count, [hidden])
                    case .o: (hidden, plan.headSegments.map { $0.count * head })
                    case .down: (hidden, plan.feedForwardSegments.map(\.count))
                    }
                count += bytes(.projection(layer: layer, projection), outputs: outputs, inputs: inputs)
            }
        }
        return count
    }
}

extension ModelConfiguration {
    fileprivate func elementCount(of tensor: ModelTensor) -> Int { shape(of: tensor).reduce(1, *) }
}

extension ShardPlan {
    /// Bytes of one KV block of this rank, all layers of the model that the plan is of.
    public func kvBlockByteCount(_ configuration: ModelConfiguration) -> Int {
        let heads = AttentionHeads(
            headDimension: configuration.headDimension, kvHeadCount: kvHeads.count,
            kvHeadOfHead: Array(0..<kvHeads.count))
        return heads.blockFloatCount * MemoryLayout<Float>.stride * configuration.layerCount
    }
}
