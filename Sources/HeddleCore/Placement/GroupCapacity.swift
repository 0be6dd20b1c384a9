/// What a worker group can hold, as its rank 0 states it when the group has formed.
public struct GroupCapacity: Hashable, Sendable {
    /// Sequences that run or wait at the group.
    public let sequenceCountMax: Int
    /// KV positions, all blocks together.
    public let kvTokenCountMax: Int
    /// Tokens of one sequence, prompt and generated.
    public let sequenceTokenCountMax: Int
    /// Different adapters at the same time.
    public let adapterSlotCount: Int

    public init(
        sequenceCountMax: Int, kvTokenCountMax: Int, sequenceTokenCountMax: Int, adapterSlotCount: Int
    ) throws(LimitsError) {
        try LimitsError.check("sequenceCountMax", sequenceCountMax, in: 1...1_048_576)
        try LimitsError.check("kvTokenCountMax", kvTokenCountMax, in: kvBlockTokens...(1 << 40))
        try LimitsError.check("sequenceTokenCountMax", sequenceTokenCountMax, in: 2...kvTokenCountMax)
        try LimitsError.check("adapterSlotCount", adapterSlotCount, in: 0...1_048_576)
        self.sequenceCountMax = sequenceCountMax
        self.kvTokenCountMax = kvTokenCountMax
        self.sequenceTokenCountMax = sequenceTokenCountMax
        self.adapterSlotCount = adapterSlotCount
    }

    /// What a group with these batching limits can hold.
    public init(_ limits: BatchLimits) throws(LimitsError) {
        try self.init(
            sequenceCountMax: limits.runningCountMax, kvTokenCountMax: limits.blockCount * kvBlockTokens,
            sequenceTokenCountMax: limits.sequenceTokenCountMax, adapterSlotCount: limits.adapterSlotCount)
    }
}
