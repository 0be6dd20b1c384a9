/// What a packed adapter is packed from, and for how many ranks: one entry of a host's cache.
public struct AdapterKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Known by content, or, before it was read for the first time, by the file it comes from.
    public enum Source: Hashable, Sendable {
        case digest(Digest)
        case path(String)
    }

    public let source: Source
    public let shardCount: Int

    public init(source: Source, shardCount: Int) {
        self.source = source
        self.shardCount = shardCount
    }

    public static func < (left: Self, right: Self) -> Bool {
        switch (left.source, right.source) {
        case (.digest(let a), .digest(let b)): a == b ? left.shardCount < right.shardCount : a < b
        case (.path(let a), .path(let b)):
            a == b ? left.shardCount < right.shardCount : a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.digest, .path): true
        case (.path, .digest): false
        }
    }

    public var description: String {
        switch source {
        case .digest(let digest): "\(digest.short)/\(shardCount)"
        case .path(let path): "\(path)/\(shardCount)"
        }
    }
}

/// Who holds or waits for an adapter: the cache's shell numbers its callers and never reuses a number.
public struct AdapterHolder: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { String(number) }
}

/// Why a holder did not get its adapter.
public enum AdapterResidencyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The source cannot be loaded; the next `acquire` after `retryAfter` tries again.
    case loadFailed(reason: String, retryAfter: Duration)
    /// More bytes than the cache may ever hold.
    case tooLarge(bytes: Int, byteCountMax: Int)
    case tooManyEntries(entryCountMax: Int)
    case tooManyHolders(holderCountMax: Int)

    public var description: String {
        switch self {
        case .loadFailed(let reason, let after): "\(reason) (tried again in \(after) at the earliest)"
        case .tooLarge(let bytes, let max): "packed it has \(bytes) bytes; the adapter-cache may hold \(max)"
        case .tooManyEntries(let max): "the cache has \(max) adapters, all held or loading"
        case .tooManyHolders(let max): "the adapter has \(max) holders already"
        }
    }

    /// What is wrong, without when it is tried again.
    var reason: String {
        if case .loadFailed(let reason, _) = self { reason } else { description }
    }
}

/// Every maximum of a host's adapter cache.
public struct AdapterResidencyLimits: Hashable, Sendable {
    /// Bytes of all packed files.
    public let byteCountMax: Int
    public let entryCountMax: Int
    /// Who may hold or wait for one adapter.
    public let holderCountMax: Int
    /// Adapters that are read, wait for room with what was read, or are written, at the same time.
    public let loadCountMax: Int
    /// How long a source that failed is left alone; doubles with each failure up to `backOffMax`.
    public let backOff: Duration
    public let backOffMax: Duration

    public init(
        byteCountMax: Int = 4 << 30, entryCountMax: Int = 65_536, holderCountMax: Int = 65_536, loadCountMax: Int = 4,
        backOff: Duration = .seconds(1), backOffMax: Duration = .seconds(60)
    ) throws(LimitsError) {
        try LimitsError.check("byteCountMax", byteCountMax, in: 1...(1 << 50))
        try LimitsError.check("entryCountMax", entryCountMax, in: 1...1_048_576)
        try LimitsError.check("holderCountMax", holderCountMax, in: 1...1_048_576)
        try LimitsError.check("loadCountMax", loadCountMax, in: 1...1_024)
        try LimitsError.check("backOff", backOff, in: .zero ... .seconds(3600))
        try LimitsError.check("backOffMax", backOffMax, in: backOff ... .seconds(86_400))
        self.byteCountMax = byteCountMax
        self.entryCountMax = entryCountMax
        self.holderCountMax = holderCountMax
        self.loadCountMax = loadCountMax
        self.backOff = backOff
        self.backOffMax = backOffMax
    }
}

/// What a host's adapter cache holds, for inspection.
public struct AdapterResidencyReport: Hashable, Sendable {
    public var bytes: Int
    public var byteCountMax: Int
    public var entries: [Entry]
    public var counts: Counts

    public struct Counts: Hashable, Sendable {
        public var hits = 0
        public var loads = 0
        public var failures = 0
        public var evictions = 0
        public init() {}
    }

    public struct Entry: Hashable, Sendable {
        public var key: AdapterKey
        public var state: State
        public var since: Instant
        public var holderCount: Int
    }

    public enum State: Hashable, Sendable {
        /// As many others load as may.
        case waitingForLoad
        /// Its files are read and checked.
        case loading
        /// What is held leaves too little.
        case waitingForRoom(bytes: Int)
        case writing(bytes: Int)
        case ready(bytes: Int)
        case failed(reason: String, retryAt: Instant)
    }
}
