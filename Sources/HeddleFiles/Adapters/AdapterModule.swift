/// The low-rank change of one matrix of the base model: `scale * B·A` is added to it.
///
/// A fused module (`qkv_proj`, `gate_up_proj`) has one such change for each of its parts: they share A, and each has its own
/// rows of B.
public struct AdapterModule: Sendable {
    /// The module's full name in the base model, as PEFT spells it.
    public let name: String
    /// What it is added to.
    public let target: AdapterTarget
    /// `[rank, inputs]`; for the embedding `[rank, vocabulary]`.
    public let a: TensorView
    /// `[outputs of the module, rank]`
    public let b: TensorView
    /// The rows of B that belong to the target.
    public let outputs: Range<Int>
    /// Rows of A, columns of B.
    public let rank: Int
    /// What the adapter says for this module.
    public let alpha: Double
    /// What the product is multiplied by: alpha over rank, or over its root where the adapter says `use_rslora`.
    public let scale: Float
}
