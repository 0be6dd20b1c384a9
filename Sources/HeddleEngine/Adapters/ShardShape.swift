import HeddleFiles
import HeddleKernels

/// What decides how an adapter is packed for a rank: the model's dimensions, the rank's part, and the format of adapters.
public struct ShardShape: Hashable, Sendable {
    /// The whole model's dimensions.
    public let configuration: ModelConfiguration
    /// The rank's part.
    public let plan: ShardPlan
    /// How adapters beside the rank's weights are packed (see `WeightFormat.adapters(of:)`).
    public let adapterFormat: PackedFormat

    /// Of one rank of a model whose weights are held in a format.
    public init(model: ModelFolder, plan: ShardPlan, weights: WeightFormat) {
        configuration = model.configuration
        self.plan = plan
        adapterFormat = weights.adapters(of: model)
    }

    /// Text that names it: two shards with the same text hold the same parts in the same format.
    var name: String {
        "\(plan.rank)/\(plan.rankCount) of \(configuration.layerCount)x\(configuration.hiddenSize)"
            + ".\(configuration.headCount).\(configuration.kvHeadCount).\(configuration.headDimension)"
            + ".\(configuration.feedForwardSize).\(configuration.vocabularyCount)-\(adapterFormat)"
    }
}
