import HeddleFiles
import HeddleKernels

/// How a shard's weights are held in memory.
public enum WeightFormat: String, CaseIterable, Sendable {
    /// bf16 where the checkpoint is bf16, else f32: nothing is lost.
    case auto
    case f32
    /// Rounds to nearest where the checkpoint is finer.
    case bf16

    /// The packed format of one tensor.
    func packed(_ elementType: ElementType) -> PackedFormat {
        switch self {
        case .auto: elementType == .bf16 ? .bf16 : .f32
        case .f32: .f32
        case .bf16: .bf16
        }
    }
}
