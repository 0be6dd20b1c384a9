extension AdapterResidency {
    /// What is known of one adapter, and who holds it or waits for it.
    struct Entry: Sendable {
        let key: AdapterKey
        var state: AdapterResidencyReport.State
        var since: Instant
        /// Orders uses; the smallest goes first.
        var lastUse: UInt64
        /// Sorted. Who holds the adapter.
        var holders: [AdapterHolder] = []
        /// Sorted. Who waits for it; nobody while it is ready.
        var waiters: [AdapterHolder]
        /// Failed loads since the last one that succeeded.
        var failureCount = 0
        /// Bytes of an adapter that can never fit.
        var tooLargeBytes: Int?
    }
}

extension AdapterResidency.Entry {
    var bytes: Int {
        switch state {
        case .ready(let bytes), .writing(let bytes): bytes
        default: 0
        }
    }

    var roomWanted: Int? {
        if case .waitingForRoom(let bytes) = state { bytes } else { nil }
    }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    var isFailed: Bool {
        if case .failed = state { true } else { false }
    }

    /// Read, waiting for room with what was read, or being written.
    var isUnderWay: Bool {
        switch state {
        case .loading, .waitingForRoom, .writing: true
        case .waitingForLoad, .ready, .failed: false
        }
    }

    var isUnwanted: Bool { holders.isEmpty && waiters.isEmpty }
    var isEvictable: Bool { isReady && isUnwanted }

    /// Why it failed, as somebody is told who asks before it is tried again.
    func error(now: Instant, byteCountMax: Int) -> AdapterResidencyError {
        if let bytes = tooLargeBytes { return .tooLarge(bytes: bytes, byteCountMax: byteCountMax) }
        guard case .failed(let reason, let retryAt) = state else {
            preconditionFailure("only a load that failed has an error")
        }
        return .loadFailed(reason: reason, retryAfter: retryAt.duration(since: now))
    }

    /// False when there are too many holders.
    mutating func add(_ holder: AdapterHolder, to list: WritableKeyPath<Self, [AdapterHolder]>, max: Int) -> Bool {
        if self[keyPath: list].contains(holder) { return true }
        guard holders.count + waiters.count < max else { return false }
        let place = self[keyPath: list].firstIndex { $0 > holder } ?? self[keyPath: list].count
        self[keyPath: list].insert(holder, at: place)
        return true
    }

    /// False when it neither held nor waited.
    mutating func remove(_ holder: AdapterHolder) -> Bool {
        let before = holders.count + waiters.count
        holders.removeAll { $0 == holder }
        waiters.removeAll { $0 == holder }
        return holders.count + waiters.count < before
    }

    mutating func enter(_ state: AdapterResidencyReport.State, now: Instant) {
        self.state = state
        since = now
    }
}
