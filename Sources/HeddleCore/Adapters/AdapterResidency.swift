/// Decides which packed adapters a host keeps: reads each once for all who wait, writes it when there is room for it,
/// never evicts one that is held, evicts the least recently used ones by bytes, and leaves a source that failed alone for
/// a while.
///
/// Room is given in the order in which it was asked for. While what is held leaves too little, whoever holds is asked to
/// let go of what it does not use; who waits is answered when there is room, however long that takes.
public struct AdapterResidency: Sendable {
    /// What the cache's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Read and check the adapter's files and keep them; answer with `loadMeasured` or `loadFailed`.
        case load(AdapterKey)
        /// There is room: write what was read, packed, and let go of it; answer with `loadSucceeded` or `loadFailed`.
        case write(AdapterKey)
        /// Let go of what was read: nobody waits for it, or it will never fit.
        case forget(AdapterKey)
        /// The holder's `acquire` is answered: it holds the adapter until it releases it.
        case ready(AdapterKey, AdapterHolder, bytes: Int)
        /// The holder's `acquire` is answered: it holds nothing.
        case failed(AdapterKey, AdapterHolder, AdapterResidencyError)
        /// Remove the packed files.
        case evict(AdapterKey)
        /// Ask all who hold adapters to let go of those that they do not use.
        case askForRoom
    }

    public let limits: AdapterResidencyLimits
    /// In the order in which they were asked for, which is also the order of loads and of room.
    var entries: [Entry] = []
    var uses: UInt64 = 0
    var counts = AdapterResidencyReport.Counts()

    public init(limits: AdapterResidencyLimits) { self.limits = limits }

    /// A holder asks for an adapter and is answered once, now or later, by `.ready` or `.failed`. One that asks again
    /// while it waits is not answered twice; one that holds the adapter already is.
    ///
    /// - Parameter filesAreThere: false where the packed files of an adapter that was ready have vanished: they are made
    ///   again. Whoever holds the adapter has mapped them and does not notice.
    public mutating func acquire(
        _ key: AdapterKey, holder: AdapterHolder, filesAreThere: Bool = true, now: Instant
    ) -> [Action] {
        guard let index = index(of: key) else { return acquireNew(key, holder: holder, now: now) }
        switch entries[index].state {
        case .failed(_, let retryAt) where retryAt > now:
            return [.failed(key, holder, entries[index].error(now: now, byteCountMax: limits.byteCountMax))]
        case .failed:
            return loadAgain(index, for: holder, now: now)
        case .ready where !filesAreThere:
            return loadAgain(index, for: holder, now: now)
        case .ready(let bytes):
            guard entries[index].add(holder, to: \.holders, max: limits.holderCountMax) else {
                return [.failed(key, holder, .tooManyHolders(holderCountMax: limits.holderCountMax))]
            }
            touch(index)
            counts.hits += 1
            return [.ready(key, holder, bytes: bytes)]
        case .waitingForLoad, .loading, .waitingForRoom, .writing:
            guard entries[index].add(holder, to: \.waiters, max: limits.holderCountMax) else {
                return [.failed(key, holder, .tooManyHolders(holderCountMax: limits.holderCountMax))]
            }
            touch(index)
            return []
        }
    }

    /// The adapter's files are read and sound; packed they will have these bytes. They are written when there is room.
    public mutating func loadMeasured(_ key: AdapterKey, bytes: Int, now: Instant) -> [Action] {
        guard let index = index(of: key), entries[index].state == .loading else { return [.forget(key)] }
        let bytes = max(0, bytes)
        if bytes > limits.byteCountMax {
            counts.failures += 1
            entries[index].tooLargeBytes = bytes
            let error = AdapterResidencyError.tooLarge(bytes: bytes, byteCountMax: limits.byteCountMax)
            return [.forget(key)] + fail(index, error, backOff: limits.backOffMax, now: now)
        }
        guard !entries[index].isUnwanted else { return drop(index, now: now) }
        entries[index].enter(.waitingForRoom(bytes: bytes), now: now)
        return startWrites(now: now)
    }

    /// The packed files are written.
    public mutating func loadSucceeded(_ key: AdapterKey, now: Instant) -> [Action] {
        guard let index = index(of: key), case .writing(let bytes) = entries[index].state else { return [] }
        entries[index].failureCount = 0
        entries[index].enter(.ready(bytes: bytes), now: now)
        touch(index)
        let waiting = entries[index].waiters
        entries[index].waiters = []
        for holder in waiting { _ = entries[index].add(holder, to: \.holders, max: .max) }
        // What nobody waits for any more may have to go at once for what comes next.
        return waiting.map { .ready(key, $0, bytes: bytes) } + startLoads(now: now) + startWrites(now: now)
    }

    /// The adapter cannot be read or written: all who wait are told, and the source is left alone for a while.
    public mutating func loadFailed(_ key: AdapterKey, reason: String, now: Instant) -> [Action] {
        guard let index = index(of: key), entries[index].isUnderWay else { return [] }
        counts.failures += 1
        var backOff = limits.backOff
        for _ in 0..<min(entries[index].failureCount, 32) { backOff = min(backOff * 2, limits.backOffMax) }
        entries[index].failureCount += 1
        return fail(index, .loadFailed(reason: reason, retryAfter: backOff), backOff: backOff, now: now)
    }

    /// The holder no longer holds, or waits for, the adapter.
    public mutating func release(_ key: AdapterKey, holder: AdapterHolder, now: Instant) -> [Action] {
        guard let index = index(of: key), entries[index].remove(holder) else { return [] }
        touch(index)
        guard entries[index].isUnwanted else { return [] }
        switch entries[index].state {
        // A load that nobody waits for any more need not begin, nor take room.
        case .waitingForLoad:
            entries.remove(at: index)
            return []
        case .waitingForRoom: return drop(index, now: now)
        case .ready: return startWrites(now: now)
        case .loading, .writing, .failed: return []
        }
    }

    /// Asks for room again where it is wanted still, since what was in use may no longer be. To be called a few times a
    /// second while `isRoomWanted`.
    public mutating func tick() -> [Action] { isRoomWanted ? [.askForRoom] : [] }

    /// Whether an adapter waits for others to be let go of.
    public var isRoomWanted: Bool { entries.contains { $0.roomWanted != nil } }
}

extension AdapterResidency {
    /// Bytes of all packed files, also of those that are being written.
    public var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    public var entryCount: Int { entries.count }

    public func holds(_ key: AdapterKey) -> Bool { index(of: key) != nil }

    /// What is here, held by how many, and what failed until when.
    public func report() -> AdapterResidencyReport {
        AdapterResidencyReport(
            bytes: bytes, byteCountMax: limits.byteCountMax,
            entries: entries.map { entry in
                AdapterResidencyReport.Entry(
                    key: entry.key, state: entry.state, since: entry.since,
                    holderCount: entry.holders.count + entry.waiters.count)
            }, counts: counts)
    }

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
        entries.append(Entry(key: key, state: .waitingForLoad, since: now, lastUse: uses, waiters: [holder]))
        return actions + startLoads(now: now)
    }

    /// To the end of the order of loads.
    private mutating func loadAgain(_ index: Int, for holder: AdapterHolder, now: Instant) -> [Action] {
        var entry = entries.remove(at: index)
        entry.waiters = [holder]
        entry.tooLargeBytes = nil
        entry.enter(.waitingForLoad, now: now)
        entries.append(entry)
        // What has vanished takes no room any more.
        return startLoads(now: now) + startWrites(now: now)
    }

    /// Tells all who wait and leaves the source alone for a while; others may load or write in its place.
    private mutating func fail(
        _ index: Int, _ error: AdapterResidencyError, backOff: Duration, now: Instant
    ) -> [Action] {
        let key = entries[index].key
        let waiting = entries[index].waiters
        entries[index].waiters = []
        entries[index].enter(.failed(reason: error.reason, retryAt: now.advanced(by: backOff)), now: now)
        return waiting.map { .failed(key, $0, error) } + startLoads(now: now) + startWrites(now: now)
    }

    /// What was read and is wanted by nobody any more.
    private mutating func drop(_ index: Int, now: Instant) -> [Action] {
        let entry = entries.remove(at: index)
        return [.forget(entry.key)] + startLoads(now: now) + startWrites(now: now)
    }

    /// Begins as many loads as may be under way, in the order in which they were asked for.
    private mutating func startLoads(now: Instant) -> [Action] {
        var actions: [Action] = []
        var loadCount = entries.count(where: \.isUnderWay)
        for index in entries.indices where entries[index].state == .waitingForLoad && loadCount < limits.loadCountMax {
            entries[index].enter(.loading, now: now)
            counts.loads += 1
            loadCount += 1
            actions.append(.load(entries[index].key))
        }
        return actions
    }

    /// Gives room in the order in which it was asked for: a small adapter behind a large one does not keep it waiting.
    private mutating func startWrites(now: Instant) -> [Action] {
        var actions: [Action] = []
        while let next = entries.firstIndex(where: { $0.roomWanted != nil }), let wanted = entries[next].roomWanted {
            let key = entries[next].key
            let held = entries.reduce(0) { $1.isEvictable ? $0 : $0 + $1.bytes }
            guard wanted <= limits.byteCountMax - held else { return actions + [.askForRoom] }
            while bytes > limits.byteCountMax - wanted, let victim = leastUsed(where: \.isReady) {
                actions.append(.evict(entries.remove(at: victim).key))
                counts.evictions += 1
            }
            guard let index = index(of: key) else { preconditionFailure("an adapter that waits is not evicted") }
            entries[index].enter(.writing(bytes: wanted), now: now)
            actions.append(.write(key))
        }
        return actions
    }

    private func leastUsed(where matches: (Entry) -> Bool) -> Int? {
        entries.indices.filter { entries[$0].isUnwanted && matches(entries[$0]) }
            .min { entries[$0].lastUse < entries[$1].lastUse }
    }
}
