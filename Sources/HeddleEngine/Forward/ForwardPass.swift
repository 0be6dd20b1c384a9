import HeddleCore

/// One rank's part of the model, run step by step. One thread at a time uses it.
///
/// All ranks of a group get the same calls in the same order. A call that throws a `PlanError` has changed nothing.
public protocol ForwardPass: AnyObject {
    /// Makes an adapter of this rank's shard usable under a slot, in place of what the slot held.
    func mapAdapter(_ adapter: PackedAdapter, slot: AdapterSlot) throws
    /// Lets go of the slot's adapter; nothing happens where it holds none.
    func unmapAdapter(_ slot: AdapterSlot) throws
    /// Runs one step. Rank 0 gets the rows of logits that the plan asks for, in the order of its segments; the others none.
    func run(_ plan: StepPlan) throws -> Logits
}

/// What sizes one rank's forward pass.
public struct ForwardLimits: Hashable, Sendable {
    /// KV blocks of `kvBlockTokens` positions.
    public var blockCount = 1024
    /// Rows of one step.
    public var stepRowCountMax = 4096
    /// Positions of one sequence; the model's own maximum where that is smaller.
    public var positionCountMax = 1 << 20
    /// Slots for mapped adapters.
    public var adapterSlotCount = 65_536
    /// Threads that share this rank's arithmetic.
    public var threadCount = 1
    /// How long an idle thread spins before it sleeps.
    public var spinMicroseconds = 50

    /// Room for about a hundred short sequences, on one thread.
    public init() {}
}
