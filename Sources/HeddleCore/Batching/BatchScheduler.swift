/// Decides what each forward pass of a worker group computes: which sequences, which of their tokens, in which blocks,
/// through which adapters; and when a sequence starts, is preempted and ends.
///
/// Rank 0 holds it and repeats: `schedule`, run the plan on every rank, `stepFinished` with the sampled tokens. Other
/// events may come between any two of these calls, also while a step is in flight.
///
/// The policy. Every decoding sequence has its row in every step, whatever prompts wait. The rows that are left go to
/// prompts in chunks, as many to each tenant that has some, and within a tenant oldest first.
///
/// A sequence starts when the blocks for all tokens that it has are free, and takes further blocks as it decodes. What it
/// begins with alike with another of its realm is computed once: whole blocks are shared, and who needs a block that another
/// is computing waits for it. When no block is free, the youngest sequence of the tenant that holds most blocks gives its own
/// up and waits, with what it generated, to be run again. Age is order of admission, also for a preempted sequence, and the
/// oldest that runs is never taken blocks from, so it always comes to its end, and with it, in turn, everyone.
public struct BatchScheduler: Sendable {
    /// What rank 0's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Map the adapter on every rank into the slot; answer with `adapterReady` or `adapterFailed`.
        case loadAdapter(AdapterRef, into: AdapterSlot)
        /// Unmap what the slot holds, on every rank, before any later plan or load that names the slot.
        case unmapAdapter(AdapterSlot)
        /// Send new tokens to the request's router.
        case deliver(SequenceDelivery)
        /// Tell the request's router that this attempt has ended without its tokens. All its sequences are released.
        case fail(request: RequestID, attempt: Attempt, error: RequestError)
        /// The sequence is gone: forget what was kept for it. Exactly once for each sequence that was given to `admit`.
        case release(SequenceID)
    }

    /// Room that is wanted of the group's adapters.
    struct AdapterRoom: Sendable {
        /// When it is no longer wanted, unless that is said again.
        var until: Instant
        /// Steps that were scheduled meanwhile.
        var stepCount = 0
    }

    public let limits: BatchLimits
    /// Oldest first; the sequences that hold KV blocks.
    var running: [RunningSequence] = []
    /// Oldest first.
    var waiting: [RunningSequence] = []
    var blocks: KVBlocks
    var slots: AdapterSlots
    /// Set while an adapter-cache of the group's hosts has no room for an adapter that somebody waits for.
    var adapterRoom: AdapterRoom?
    var inFlight: StepPlan?
    /// Blocks whose memory goes back with the next plan.
    var givenUp: [BlockID] = []
    var step: UInt64 = 0
    var arrivals: UInt64 = 0
    var counts = BatchReport.Counts()

    public init(limits: BatchLimits) {
        self.limits = limits
        blocks = KVBlocks(blockCount: limits.blockCount)
        slots = AdapterSlots(slotCount: limits.adapterSlotCount)
    }

    /// Whether nothing runs or waits, so that the loop may sleep until the next event.
    public var isIdle: Bool { running.isEmpty && waiting.isEmpty }
    public var runningCount: Int { running.count }
    public var waitingCount: Int { waiting.count }
    public var freeBlockCount: Int { blocks.freeCount }
    public var isStepInFlight: Bool { inFlight != nil }
}
