/// One adapter of the cluster file: whether its weights are in memory, where, and who uses them.
public struct AdapterReport: Hashable, Sendable {
    public var name: AdapterName
    /// Nil until its files were read once.
    public var digest: Digest?
    /// The rank of its matrices; 0 until its files were read once.
    public var rank: Int
    /// Its size in memory as packed; 0 until it was packed once.
    public var byteCount: UInt64
    public var residency: Residency
    /// Why it failed, or what it waits for; empty otherwise.
    public var reason: String
    /// How long its residency has been so.
    public var since: Duration
    /// Groups and nodes that hold it.
    public var places: [String]
    /// Requests that run with it.
    public var runningCount: Int

    public init(
        name: AdapterName, digest: Digest? = nil, rank: Int = 0, byteCount: UInt64 = 0,
        residency: Residency = .unloaded,
        reason: String = "", since: Duration = .zero, places: [String] = [], runningCount: Int = 0
    ) {
        self.name = name
        self.digest = digest
        self.rank = rank
        self.byteCount = byteCount
        self.residency = residency
        self.reason = reason
        self.since = since
        self.places = places
        self.runningCount = runningCount
    }

    /// Where an adapter's weights are on their way into memory.
    public enum Residency: String, CaseIterable, Hashable, Sendable {
        case unloaded, loading, resident, failed
    }
}
