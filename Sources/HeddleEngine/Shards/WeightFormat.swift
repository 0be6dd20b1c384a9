import HeddleFiles
import HeddleKernels

/// How a shard's weights are held in memory, and with it how rows are multiplied with them.
public enum WeightFormat: String, CaseIterable, Sendable {
    /// bf16 where the checkpoint is bf16, else f32: no weight is rounded.
    case auto
    /// Rows are multiplied as f32 too.
    case f32
    /// Rounds to nearest where the checkpoint is finer; rows are rounded to bf16.
    case bf16
    /// 8 bits, a scale for each output and 128 inputs; rows are rounded to 8 bits likewise.
    case int8
    /// 4 bits, a scale for each output and 64 inputs; rows are rounded to 8 bits likewise. The output projection is int8.
    case int4

    /// The packed format of one tensor.
    func packed(_ elementType: ElementType, of tensor: ModelTensor) -> PackedFormat {
        switch self {
        case .auto: elementType == .bf16 ? .bf16 : .f32
        case .f32: .f32
        case .bf16: .bf16
        case .int8: .int8
        case .int4: tensor == .output ? .int8 : .int4
        }
    }

    /// The packed format of adapters beside such weights: as fine as the checkpoint where nothing is rounded, else bf16.
    public func adapters(of model: ModelFolder) -> PackedFormat {
        switch self {
        case .auto: model.tensor(.projection(layer: 0, .q)).elementType == .bf16 ? .bf16 : .f32
        case .f32: .f32
        case .bf16, .int8, .int4: .bf16
        }
    }
}

extension PackedShard {
    /// How the weights of its projections are stored, those of the first layer speaking for all.
    public var projectionFormat: PackedFormat { layers.first?.gate.weights.format ?? vocabulary.format }
}
