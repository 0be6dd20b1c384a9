/// One rank of a worker group: what its last step ran and how full its memory is.
public struct WorkerReport: Hashable, Sendable {
    public var group: GroupName
    /// 0..<rankCount.
    public var rank: Int
    public var rankCount: Int
    public var node: NodeName
    public var epoch: Epoch
    public var state: StateReport
    /// Sequences in the batch and sequences that wait for room in it.
    public var runningCount: Int
    public var waitingCount: Int
    /// Rows of the last forward pass, and how long it took.
    public var rowCount: Int
    public var stepTime: Duration
    /// Recently generated tokens a second.
    public var tokensPerSecond: Double
    public var blocksUsed: Int
    public var blockCount: Int
    /// Adapters mapped into this rank's memory.
    public var adapters: [AdapterName]

    public init(
        group: GroupName, rank: Int, rankCount: Int, node: NodeName, epoch: Epoch, state: StateReport,
        runningCount: Int = 0, waitingCount: Int = 0, rowCount: Int = 0, stepTime: Duration = .zero,
        tokensPerSecond: Double = 0, blocksUsed: Int = 0, blockCount: Int = 0, adapters: [AdapterName] = []
    ) {
        self.group = group
        self.rank = rank
        self.rankCount = rankCount
        self.node = node
        self.epoch = epoch
        self.state = state
        self.runningCount = runningCount
        self.waitingCount = waitingCount
        self.rowCount = rowCount
        self.stepTime = stepTime
        self.tokensPerSecond = tokensPerSecond
        self.blocksUsed = blocksUsed
        self.blockCount = blockCount
        self.adapters = adapters
    }
}
