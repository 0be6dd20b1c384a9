/// An adapter of the cluster file, and the model that it is for.
public struct AdapterSource: Hashable, Sendable {
    public let adapter: AdapterName
    public let model: ModelName

    public init(adapter: AdapterName, model: ModelName) {
        self.adapter = adapter
        self.model = model
    }
}

/// Decides when an adapter's files are read to say what they hold: once for all who ask, again when the files have changed,
/// and again after a while where reading failed, which may have been the system's fault.
///
/// `Stamp` tells the files' versions apart: sizes, times, inodes.
public struct AdapterDescriptions<Stamp: Hashable & Sendable>: Sendable {
    /// What the cache's shell carries out, in order.
    public enum Action: Hashable, Sendable {
        /// Read the files; answer with `readSucceeded` or `readFailed`.
        case read(AdapterSource)
        /// The asker's `describe` is answered.
        case answer(asker: UInt64, AdapterRef)
        case fail(asker: UInt64, RequestError)
    }

    private enum Outcome {
        case known(AdapterRef)
        case failed(RequestError, retryAt: Instant)
    }

    private struct Entry {
        /// Of the files that `outcome` is about.
        var stamp: Stamp
        var outcome: Outcome?
        /// What was found last, also while a newer version is read or cannot be.
        var known: AdapterRef?
        /// Of the files as they were when the read that is under way began.
        var reading: Stamp?
        /// How many waited when it began; what is read is at least as new as what they saw.
        var readingCount = 0
        var waiting: [(asker: UInt64, stamp: Stamp)] = []
        var failureCount = 0
    }

    /// Files that are read at the same time.
    public let readCountMax: Int
    /// Who may wait, for all adapters together.
    public let askerCountMax: Int
    /// How long a failure is believed; doubles with each further one up to `backOffMax`.
    public let backOff: Duration
    public let backOffMax: Duration
    private var entries: [AdapterSource: Entry] = [:]
    /// Sources whose read waits for another to end, in order.
    private var queue: [AdapterSource] = []
    private var readCount = 0
    private var askerCount = 0

    public init(
        readCountMax: Int = 4, askerCountMax: Int = 65_536, backOff: Duration = .seconds(1),
        backOffMax: Duration = .seconds(60)
    ) throws(LimitsError) {
        try LimitsError.check("readCountMax", readCountMax, in: 1...1_024)
        try LimitsError.check("askerCountMax", askerCountMax, in: 1...1_048_576)
        try LimitsError.check("backOff", backOff, in: .zero ... .seconds(3600))
        try LimitsError.check("backOffMax", backOffMax, in: backOff ... .seconds(86_400))
        self.readCountMax = readCountMax
        self.askerCountMax = askerCountMax
        self.backOff = backOff
        self.backOffMax = backOffMax
    }

    /// Asks what the adapter's files hold, whose stamp is this now. Each asker, whose number is its own, is answered once.
    public mutating func describe(
        _ source: AdapterSource, stamp: Stamp, asker: UInt64, now: Instant
    ) -> [Action] {
        var entry = entries[source] ?? Entry(stamp: stamp)
        if entry.stamp == stamp, entry.waiting.isEmpty {
            switch entry.outcome {
            case .known(let reference): return [.answer(asker: asker, reference)]
            case .failed(let error, let retryAt) where retryAt > now: return [.fail(asker: asker, error)]
            case .failed, nil: break
            }
        }
        guard askerCount < askerCountMax else { return [.fail(asker: asker, .busy(retryAfter: backOff))] }
        askerCount += 1
        let isNew = entry.waiting.isEmpty
        entry.waiting.append((asker, stamp))
        entries[source] = entry
        if isNew { queue.append(source) }
        return startReads()
    }

    /// The files were read, and hold this.
    public mutating func readSucceeded(_ source: AdapterSource, _ reference: AdapterRef) -> [Action] {
        guard var entry = endRead(source) else { return [] }
        entry.outcome = .known(reference)
        entry.known = reference
        entry.failureCount = 0
        return answer(source, entry) { .answer(asker: $0, reference) }
    }

    /// The files could not be read, or hold no adapter for the model.
    public mutating func readFailed(_ source: AdapterSource, _ error: RequestError, now: Instant) -> [Action] {
        guard var entry = endRead(source) else { return [] }
        var pause = backOff
        for _ in 0..<min(entry.failureCount, 32) { pause = min(pause * 2, backOffMax) }
        entry.failureCount += 1
        entry.outcome = .failed(error, retryAt: now.advanced(by: pause))
        return answer(source, entry) { .fail(asker: $0, error) }
    }

    /// What was found in the adapter's files the last time that they were sound.
    public func known(_ source: AdapterSource) -> AdapterRef? { entries[source]?.known }

    private mutating func endRead(_ source: AdapterSource) -> Entry? {
        guard var entry = entries[source], let stamp = entry.reading else { return nil }
        readCount -= 1
        // Another version's failures say nothing about this one.
        if entry.stamp != stamp { entry.failureCount = 0 }
        entry.stamp = stamp
        entry.reading = nil
        return entry
    }

    /// Answers all who saw the files as they were read, or earlier; those who saw newer ones wait for the next read.
    private mutating func answer(
        _ source: AdapterSource, _ entry: Entry, _ answer: (UInt64) -> Action
    ) -> [Action] {
        var entry = entry
        let later = entry.waiting.dropFirst(entry.readingCount)
        let answered = entry.waiting.prefix(entry.readingCount) + later.filter { $0.stamp == entry.stamp }
        entry.waiting = later.filter { $0.stamp != entry.stamp }
        askerCount -= answered.count
        entries[source] = entry
        if !entry.waiting.isEmpty { queue.append(source) }
        return answered.map { answer($0.asker) } + startReads()
    }

    private mutating func startReads() -> [Action] {
        var actions: [Action] = []
        while readCount < readCountMax, !queue.isEmpty {
            let source = queue.removeFirst()
            guard var entry = entries[source], let last = entry.waiting.last else { continue }
            entry.reading = last.stamp
            entry.readingCount = entry.waiting.count
            entries[source] = entry
            readCount += 1
            actions.append(.read(source))
        }
        return actions
    }
}
