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

    struct Entry: Sendable {
        let key: AdapterKey
        var state: AdapterResidencyReport.State
        var since: Instant
        /// Orders uses; the smallest goes first.
        var lastUse: UInt64
        /// Sorted. Who holds the adapter, or waits for it while it is not ready.
        var holders: [AdapterHolder]
        /// Failed loads since the last one that succeeded.
        var failureCount = 0
    }

    public let limits: AdapterResidencyLimits
    /// In the order in which they were first asked for, which is also the order of loads.
    var entries: [Entry] = []
    var uses: UInt64 = 0
    var counts = AdapterResidencyReport.Counts()

    public init(limits: AdapterResidencyLimits) { self.limits = limits }

    /// A holder asks for an adapter and is answered once, now or later, by `.ready` or `.failed`. One that asks again
    /// while it waits is not answered twice; one that holds the adapter already is.
    public mutating func acquire(_ key: AdapterKey, holder: AdapterHolder, now: Instant) -> [Action] {
        guard let index = index(of: key) else { return acquireNew(key, holder: holder, now: now) }
        if case .failed(let reason, let retryAt) = entries[index].state {
            guard retryAt <= now else {
                let error = AdapterResidencyError.loadFailed(reason: reason, retryAfter: retryAt.duration(since: now))
                return [.failed(key, holder, error)]
            }
            // To the end of the order of loads.
            var entry = entries.remove(at: index)
            entry.holders = [holder]
            entry.state = .waitingForLoad
            entry.since = now
            entries.append(entry)
            return startLoads(now: now)
        }
        guard entries[index].hold(holder, max: limits.holderCountMax) else {
            return [.failed(key, holder, .tooManyHolders(holderCountMax: limits.holderCountMax))]
        }
        touch(index)
        guard case .ready(let bytes) = entries[index].state else { return [] }
        counts.hits += 1
        return [.ready(key, holder, bytes: bytes)]
    }

    /// The adapter is mapped and costs these bytes. It makes room for itself among what nobody holds, or is unmapped
    /// again when that is not enough.
    public mutating func loadSucceeded(_ key: AdapterKey, bytes: Int, now: Instant) -> [Action] {
        guard let index = index(of: key), entries[index].state == .loading else { return [] }
        let bytes = max(0, bytes)
        let held = heldBytes
        guard bytes <= limits.byteCountMax - held else {
            let error = AdapterResidencyError.cannotFit(
                bytes: bytes, heldBytes: held, byteCountMax: limits.byteCountMax)
            let waiting = entries[index].holders
            entries[index].holders = []
            entries[index].enter(
                .failed(reason: error.description, retryAt: now.advanced(by: limits.backOff)), now: now)
            return [.evict(key)] + waiting.map { .failed(key, $0, error) } + startLoads(now: now)
        }
        var actions: [Action] = []
        while self.bytes > limits.byteCountMax - bytes, let victim = leastUsed(where: \.isReady) {
            actions.append(.evict(entries.remove(at: victim).key))
            counts.evictions += 1
        }
        guard let index = self.index(of: key) else { preconditionFailure("an adapter that loads is not evicted") }
        entries[index].failureCount = 0
        entries[index].enter(.ready(bytes: bytes), now: now)
        touch(index)
        return actions + entries[index].holders.map { .ready(key, $0, bytes: bytes) } + startLoads(now: now)
    }

    /// The adapter cannot be loaded: all who wait are told, and the source is left alone for a while.
    public mutating func loadFailed(_ key: AdapterKey, reason: String, now: Instant) -> [Action] {
        guard let index = index(of: key), entries[index].state == .loading else { return [] }
        counts.failures += 1
        var backOff = limits.backOff
        for _ in 0..<min(entries[index].failureCount, 32) { backOff = min(backOff * 2, limits.backOffMax) }
        entries[index].failureCount += 1
        let waiting = entries[index].holders
        entries[index].holders = []
        entries[index].enter(.failed(reason: reason, retryAt: now.advanced(by: backOff)), now: now)
        let error = AdapterResidencyError.loadFailed(reason: reason, retryAfter: backOff)
        return waiting.map { .failed(key, $0, error) } + startLoads(now: now)
    }

    /// The holder no longer holds, or waits for, the adapter.
    public mutating func release(_ key: AdapterKey, holder: AdapterHolder) {
        guard let index = index(of: key) else { return }
        release(at: index, holder: holder)
    }

    /// The holder is gone with everything that it held or waited for.
    public mutating func holderGone(_ holder: AdapterHolder) {
        for index in entries.indices.reversed() { release(at: index, holder: holder) }
    }

    /// What is here, held by how many, and what failed until when.
    public func report() -> AdapterResidencyReport {
        AdapterResidencyReport(
            bytes: bytes, byteCountMax: limits.byteCountMax,
            entries: entries.map { entry in
                AdapterResidencyReport.Entry(
                    key: entry.key, state: entry.state, since: entry.since, holderCount: entry.holders.count)
            }, counts: counts)
    }
}

extension AdapterResidency {
    /// Bytes of all adapters that are mapped.
    public var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    private var heldBytes: Int { entries.reduce(0) { $1.holders.isEmpty ? $0 : $0 + $1.bytes } }

    private func index(of key: AdapterKey) -> Int? { entries.firstIndex { $0.key == key } }

    private mutating func touch(_ index: Int) {
        uses += 1
        entries[index].lastUse = uses
    }

    private mutating func acquireNew(_ key: AdapterKey, holder: AdapterHolder, now: Instant) -> [Action] {
        var actions: [Action] = []
        if entries.count >= limits.entryCountMax {
            guard let victim = leastUsed(where: { $0.isReady || $0.isFailed }) else {
                return [.failed(key, holder, .tooManyEntries(entryCountMax: limits.entryCountMax))]
            }
            let evicted = entries.remove(at: victim)
            if evicted.isReady {
                counts.evictions += 1
                actions.append(.evict(evicted.key))
            }
        }
        uses += 1
        entries.append(Entry(key: key, state: .waitingForLoad, since: now, lastUse: uses, holders: [holder]))
        return actions + startLoads(now: now)
    }

    /// Begins as many loads as may be under way, in the order in which they were asked for.
    private mutating func startLoads(now: Instant) -> [Action] {
        var actions: [Action] = []
        var loadCount = entries.count { $0.state == .loading }
        for index in entries.indices where entries[index].state == .waitingForLoad && loadCount < limits.loadCountMax {
            entries[index].enter(.loading, now: now)
            counts.loads += 1
            loadCount += 1
            actions.append(.load(entries[index].key))
        }
        return actions
    }

    private mutating func release(at index: Int, holder: AdapterHolder) {
        guard let place = entries[index].holders.firstIndex(of: holder) else { return }
        entries[index].holders.remove(at: place)
        touch(index)
        // A load that nobody waits for any more need not begin.
        if entries[index].state == .waitingForLoad, entries[index].holders.isEmpty { entries.remove(at: index) }
    }

    private func leastUsed(where matches: (Entry) -> Bool) -> Int? {
        entries.indices.filter { entries[$0].holders.isEmpty && matches(entries[$0]) }
            .min { entries[$0].lastUse < entries[$1].lastUse }
    }
}

extension AdapterResidency.Entry {
    var bytes: Int {
        if case .ready(let bytes) = state { bytes } else { 0 }
    }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    var isFailed: Bool {
        if case .failed = state { true } else { false }
    }

    /// False when there are too many holders.
    mutating func hold(_ holder: AdapterHolder, max: Int) -> Bool {
        if holders.contains(holder) { return true }
        guard holders.count < max else { return false }
        holders.insert(holder, at: holders.firstIndex { $0 > holder } ?? holders.count)
        return true
    }

    mutating func enter(_ state: AdapterResidencyReport.State, now: Instant) {
        self.state = state
        since = now
    }
}
