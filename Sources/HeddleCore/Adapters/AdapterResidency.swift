/// Decides which packed adapters a host keeps in memory: loads once for all who wait, never evicts one that is held,
/// evicts the least recently used ones by bytes, and leaves a source that fails alone for a while.
public struct AdapterResidency: Sendable {
    /// What the cache's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Pack or map the adapter; answer with `loadSucceeded` or `loadFailed`.
        case load(AdapterKey)
        /// The holder's `acquire` is answered: it holds the adapter until it releases it.
        case ready(AdapterKey, AdapterHolder, bytes: Int)
        /// The holder's `acquire` is answered: it holds nothing.
        case failed(AdapterKey, AdapterHolder, AdapterResidencyError)
        /// Unmap the adapter and forget it.
        case evict(AdapterKey)
    }

    public let limits: AdapterResidencyLimits
    var entries: [Entry] = []
    var loads: [AdapterKey] = []
    var uses: UInt64 = 0
    var counts = AdapterResidencyReport.Counts()

    struct Entry: Sendable {
        let key: AdapterKey
        var state: State
        var since: Instant
        var lastUse: UInt64
        /// Sorted. Who holds the adapter, or waits for it while it is not ready.
        var holders: [AdapterHolder]
        /// Failed loads since the last one that succeeded.
        var failureCount = 0
    }

    enum State: Hashable, Sendable {
        case waitingForLoad
        case loading
        case ready(bytes: Int)
        case failed(reason: String, retryAt: Instant)
    }

    public init(limits: AdapterResidencyLimits) { self.limits = limits }
}
