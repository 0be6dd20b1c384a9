/// What one tenant has waiting and running, and what it has used, as its queue counts it.
public struct TenantReport: Hashable, Sendable {
    public var name: TenantName
    public var waitingCount: Int
    public var runningCount: Int
    /// The virtual token counter: the waiting tenant with the smallest goes next.
    public var counter: Double
    /// Prompt tokens and generated tokens since the queue started.
    public var tokensIn: UInt64
    public var tokensOut: UInt64
    /// Requests refused at admission since the queue started.
    public var refusedCount: UInt64

    public init(
        name: TenantName, waitingCount: Int = 0, runningCount: Int = 0, counter: Double = 0, tokensIn: UInt64 = 0,
        tokensOut: UInt64 = 0, refusedCount: UInt64 = 0
    ) {
        self.name = name
        self.waitingCount = waitingCount
        self.runningCount = runningCount
        self.counter = counter
        self.tokensIn = tokensIn
        self.tokensOut = tokensOut
        self.refusedCount = refusedCount
    }
}
