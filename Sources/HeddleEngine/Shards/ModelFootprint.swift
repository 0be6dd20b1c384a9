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
        var count = 0
        for tensor in configuration.tensors {
            guard case .projection = tensor else { continue }
            count += configuration.elementCount(of: tensor) * format.packed(elementType(tensor)).elementByteCount
        }
        return count
            + configuration.elementCount(of: .output) * format.packed(elementType(.output)).elementByteCount
    }
}

extension ModelConfiguration {
    fileprivate func elementCount(of tensor: ModelTensor) -> Int { shape(of: tensor).reduce(1, *) }
}
