/// Every maximum of a worker group's `BatchScheduler`.
public struct BatchLimits: Hashable, Sendable {
    /// KV blocks of `kvBlockTokens` positions in each rank's storage.
    public let blockCount: Int
    /// Bytes of one block, all layers, on the rank where it takes most.
    public let blockByteCount: Int
    /// Bytes that blocks and mapped adapters of a rank may have together; nil: adapters are not counted, and every block has
    /// its memory.
    public let memoryByteCountMax: Int?
    /// Whether sequences of one tenant and adapter share the blocks of what they begin with alike.
    public let sharesPrefixes: Bool
    /// What keys and values follow from beside tokens.
    public let dependence: KVDependence
    /// Sequences that hold KV blocks at the same time; each is at least one row of a step while it decodes.
    public let runningCountMax: Int
    /// Sequences that wait for their turn, an adapter or blocks.
    public let waitingCountMax: Int
    /// Rows of one forward pass. At least `runningCountMax`, so that every decoding sequence has its row in each step.
    public let stepTokenCountMax: Int
    /// How many keys a row may see for the price of one more row: a prompt's row at a position p counts as
    /// 1 + p / `contextTokensPerRow` rows of a step, since attention to a long context costs more than all products.
    public let contextTokensPerRow: Int
    /// Rows of one sequence in one step.
    public let chunkTokenCountMax: Int
    /// Rows of one step whose logits score prompts; each costs rank 0 a row of the vocabulary.
    public let scoredRowCountMax: Int
    /// Positions that the model can tell apart: prompt and generated tokens together.
    public let positionCountMax: Int
    /// Adapters that the ranks keep mapped at the same time.
    public let adapterSlotCount: Int
    /// Steps for which a sequence without an adapter slot is passed over by later ones; then it is next, whatever runs.
    public let passedOverStepCountMax: Int
    /// How long a host's adapter-cache wants room after it has last said so.
    public let adapterRoomLease: Duration
    /// How long before its deadline a sequence without room for its adapter ends with `noCapacity`, so that the reason
    /// reaches its router in time.
    public let capacityNotice: Duration

    public init(
        blockCount: Int = 1024, blockByteCount: Int = 1, memoryByteCountMax: Int? = nil, sharesPrefixes: Bool = true,
        dependence: KVDependence = .nothing, runningCountMax: Int = 64, waitingCountMax: Int = 1024,
        stepTokenCountMax: Int = 512, contextTokensPerRow: Int = 16_384, chunkTokenCountMax: Int = 256,
        scoredRowCountMax: Int = 64, positionCountMax: Int = 4096,
        adapterSlotCount: Int = 32, passedOverStepCountMax: Int = 64, adapterRoomLease: Duration = .seconds(1),
        capacityNotice: Duration = .milliseconds(250)
    ) throws(LimitsError) {
        try LimitsError.check("blockCount", blockCount, in: 1...Int(Int32.max))
        try LimitsError.check("blockByteCount", blockByteCount, in: 1...(1 << 40))
        if let bytes = memoryByteCountMax {
            // No more blocks than would fit without any adapter.
            try LimitsError.check("memoryByteCountMax", bytes, in: blockCount * blockByteCount...(1 << 50))
        }
        try LimitsError.check("contextTokensPerRow", contextTokensPerRow, in: 1...(1 << 40))
        try LimitsError.check("runningCountMax", runningCountMax, in: 1...65_536)
        try LimitsError.check("waitingCountMax", waitingCountMax, in: 1...1_048_576)
        try LimitsError.check("stepTokenCountMax", stepTokenCountMax, in: runningCountMax...1_048_576)
        try LimitsError.check("chunkTokenCountMax", chunkTokenCountMax, in: 1...1_048_576)
        try LimitsError.check("scoredRowCountMax", scoredRowCountMax, in: 1...1_048_576)
        try LimitsError.check("positionCountMax", positionCountMax, in: 2...16_777_216)
        try LimitsError.check("adapterSlotCount", adapterSlotCount, in: 1...65_536)
        try LimitsError.check("passedOverStepCountMax", passedOverStepCountMax, in: 1...1_048_576)
        try LimitsError.check("adapterRoomLease", adapterRoomLease, in: .milliseconds(1) ... .seconds(60))
        try LimitsError.check("capacityNotice", capacityNotice, in: .zero ... .seconds(60))
        self.blockCount = blockCount
        self.blockByteCount = blockByteCount
        self.memoryByteCountMax = memoryByteCountMax
        self.sharesPrefixes = sharesPrefixes
        self.dependence = dependence
        self.contextTokensPerRow = contextTokensPerRow
        self.runningCountMax = runningCountMax
        self.waitingCountMax = waitingCountMax
        self.stepTokenCountMax = stepTokenCountMax
        self.chunkTokenCountMax = chunkTokenCountMax
        self.scoredRowCountMax = scoredRowCountMax
        self.positionCountMax = positionCountMax
        self.adapterSlotCount = adapterSlotCount
        self.passedOverStepCountMax = passedOverStepCountMax
        self.adapterRoomLease = adapterRoomLease
        self.capacityNotice = capacityNotice
    }

    /// Tokens of one sequence, prompt and generated, that this group can ever hold.
    public var sequenceTokenCountMax: Int { min(positionCountMax, blockCount * kvBlockTokens) }
}
