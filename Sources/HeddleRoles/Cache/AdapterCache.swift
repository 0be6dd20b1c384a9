import Distributed
import HeddleActors
import HeddleCore
import HeddleEngine
import HeddleFiles

/// Owns a host's packed adapters: reads what people put on disk, packs it once for each number of ranks, and keeps what is
/// held or was used last, within a budget of bytes that `AdapterResidency` minds.
///
/// Loads run beside each other and beside everything else: an adapter that loads, or fails to, stalls no other.
public distributed actor AdapterCache {
    public typealias ActorSystem = MeshActorSystem
    public nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    let place: CachePlace
    let log: RoleLog
    let board: InspectionBoard

    var residency: AdapterResidency
    /// Numbers of holders: one slot of one rank in one epoch.
    var numbers: [Holder: AdapterHolder] = [:]
    var held: [Holder: AdapterKey] = [:]
    var numberLast: UInt64 = 0
    var waiters: [AdapterHolder: CheckedContinuation<Void, any Error>] = [:]
    /// Which adapter of the cluster file a digest was last found under.
    var sources: [Digest: Source] = [:]
    var descriptions: [Source: Description] = [:]
    var tasks: [Task<Void, Never>] = []

    struct Source: Hashable {
        let adapter: AdapterName
        let model: ModelName
    }

    struct Holder: Hashable {
        let hold: AdapterHold
        let rank: Int
    }

    /// What the files of an adapter were when they were read, and what came of it.
    struct Description {
        let fingerprint: FileFingerprint
        let outcome: Task<AdapterRef, any Error>
        var known: AdapterRef?
    }

    init(place: CachePlace, residency: AdapterResidency, log: RoleLog, board: InspectionBoard, actorSystem: MeshActorSystem) {
        self.actorSystem = actorSystem
        self.place = place
        self.residency = residency
        self.log = log
        self.board = board
    }

    // MARK: What others say

    /// From a router: what an adapter of the cluster file is now. Reads its files when they have changed.
    distributed func describe(_ adapter: AdapterName, model: ModelName) async throws -> AdapterRef {
        let source = Source(adapter: adapter, model: model)
        guard let folder = place.folders[source], let base = place.models[model] else {
            throw RequestError.unknownAdapter(adapter.text)
        }
        let fingerprint: FileFingerprint
        do { fingerprint = try FileFingerprint(folder: folder) } catch {
            throw RequestError.adapterInvalid(adapter: adapter.text, reason: "\(error)")
        }
        if descriptions[source]?.fingerprint != fingerprint {
            log.info("reading adapter \(adapter)")
            descriptions[source] = Description(
                fingerprint: fingerprint,
                outcome: Task {
                    try await onThread(named: "read-\(adapter)") {
                        do {
                            let read = try AdapterFolder(path: folder, model: base)
                            return AdapterRef(name: adapter, digest: read.digest, rank: read.rankMax)
                        } catch {
                            throw RequestError.adapterInvalid(adapter: adapter.text, reason: "\(error)")
                        }
                    }
                })
        }
        guard let outcome = descriptions[source]?.outcome else { throw RequestError.unknownAdapter(adapter.text) }
        let reference = try await outcome.value
        sources[reference.digest] = source
        descriptions[source]?.known = reference
        publish()
        return reference
    }

    /// From a rank: its shard of an adapter, which stays here until it is released.
    distributed func acquire(
        _ adapter: AdapterRef, model: ModelName, rank: Int, rankCount: Int, holder hold: AdapterHold
    ) async throws -> AdapterShardFile {
        guard let base = place.models[model]?.configuration else { throw RequestError.unknownModel(model.text) }
        sources[adapter.digest] = Source(adapter: adapter.name, model: model)
        let holder = Holder(hold: hold, rank: rank)
        release(holder)
        let key = AdapterKey(source: .digest(adapter.digest), shardCount: rankCount)
        let plan = try ShardPlan(configuration: base, rank: rank, rankCount: rankCount)
        numberLast += 1
        let number = AdapterHolder(numberLast)
        numbers[holder] = number
        held[holder] = key
        do {
            try await withCheckedThrowingContinuation { continuation in
                waiters[number] = continuation
                carry(residency.acquire(key, holder: number, now: now()))
            }
        } catch {
            if numbers[holder] == number { release(holder) }
            throw RequestError.adapterInvalid(adapter: adapter.name.text, reason: "\(error)")
        }
        let path = place.path(PackedAdapter.fileName(digest: adapter.digest, configuration: base, plan: plan))
        return AdapterShardFile(adapter: adapter, path: path, byteCount: try FileFingerprint(file: path).byteCount)
    }

    /// From a rank: a slot no longer holds its adapter.
    distributed func release(_ hold: AdapterHold, rank: Int) {
        release(Holder(hold: hold, rank: rank))
        publish()
    }

    /// From a rank: its part in this epoch is over.
    distributed func releaseAll(of group: GroupEpoch, rank: Int) {
        for holder in numbers.keys where holder.hold.group == group && holder.rank == rank { release(holder) }
        publish()
    }

    // MARK: Carrying out

    private func release(_ holder: Holder) {
        guard let number = numbers.removeValue(forKey: holder), let key = held.removeValue(forKey: holder) else { return }
        residency.release(key, holder: number)
        waiters.removeValue(forKey: number)?.resume(throwing: CancellationError())
    }

    private func carry(_ actions: [AdapterResidency.Action]) {
        for action in actions {
            switch action {
            case .load(let key): load(key)
            case .ready(_, let holder, _): waiters.removeValue(forKey: holder)?.resume()
            case .failed(_, let holder, let error): waiters.removeValue(forKey: holder)?.resume(throwing: error)
            case .evict(let key): evict(key)
            }
        }
        publish()
    }

    private func load(_ key: AdapterKey) {
        guard case .digest(let digest) = key.source, let source = sources[digest], let folder = place.folders[source],
            let model = place.models[source.model]
        else {
            return carry(residency.loadFailed(key, reason: "the cluster file has no such adapter", now: now()))
        }
        let place = place
        Task {
            do {
                let bytes = try await onThread(named: "pack-\(source.adapter)") {
                    try place.pack(digest: digest, folder: folder, model: model, rankCount: key.shardCount)
                }
                log.info("adapter \(source.adapter) is packed for \(key.shardCount) ranks: \(bytes) bytes")
                carry(residency.loadSucceeded(key, bytes: bytes, now: now()))
            } catch {
                log.warn("adapter \(source.adapter) cannot be packed: \(error)")
                carry(residency.loadFailed(key, reason: "\(error)", now: now()))
            }
        }
    }

    /// Whoever has mapped the files keeps them until it lets go.
    private func evict(_ key: AdapterKey) {
        guard case .digest(let digest) = key.source, let source = sources[digest],
            let base = place.models[source.model]?.configuration
        else { return }
        log.info("adapter \(source.adapter) is evicted")
        place.remove(digest: digest, base: base, rankCount: key.shardCount)
    }

    // MARK: Life

    /// Empties the directory of what an earlier process left, and watches the ranks of this host.
    func begin() throws {
        try place.prepare()
        for (member, node) in place.ranks {
            let (me, events) = (self, actorSystem.events(of: node))
            tasks.append(
                Task.detached {
                    for await event in events {
                        guard case .lost = event else { continue }
                        await me.whenLocal { $0.lose(member) }
                    }
                })
        }
        publish()
    }

    private func lose(_ member: CachePlace.Member) {
        for holder in numbers.keys where holder.hold.group.group == member.group && holder.rank == member.rank {
            release(holder)
        }
        publish()
    }

    func stop() {
        for task in tasks { task.cancel() }
        for waiter in waiters.values { waiter.resume(throwing: RequestError.shuttingDown) }
        waiters = [:]
        place.clear()
    }

    func publish() {
        let moment = now()
        let report = residency.report()
        let loading = report.entries.count { $0.state == .loading || $0.state == .waitingForLoad }
        var page = InspectionBoard.Page(
            published: moment,
            state: StateReport(loading > 0 ? "loading" : "idle", reason: loading > 0 ? "\(loading) adapters load" : ""))
        page.fields = [
            ReportField("packed", report.bytes, unit: "bytes"), ReportField("budget", report.byteCountMax, unit: "bytes"),
            ReportField("entries", report.entries.count), ReportField("holders", numbers.count),
            ReportField("hits", report.counts.hits), ReportField("loads", report.counts.loads),
            ReportField("failures", report.counts.failures), ReportField("evictions", report.counts.evictions),
            ReportField("directory", place.directory),
        ]
        page.adapters = place.order.map { source in adapter(source, report, moment) }
        board.publish(page, for: id.description)
    }

    private func adapter(_ source: Source, _ report: AdapterResidencyReport, _ moment: Instant) -> AdapterReport {
        let known = descriptions[source]?.known
        let entries = report.entries.filter { entry in
            if case .digest(let digest) = entry.key.source { return digest == known?.digest }
            return false
        }
        var residency = AdapterReport.Residency.unloaded
        var (reason, bytes, since) = ("", UInt64(0), Duration.zero)
        for entry in entries {
            since = moment.duration(since: entry.since)
            switch entry.state {
            case .ready(let count):
                residency = .resident
                bytes += UInt64(count)
            case .loading, .waitingForLoad: residency = .loading
            case .failed(let why, _):
                residency = .failed
                reason = why
            }
        }
        return AdapterReport(
            name: source.adapter, digest: known?.digest, rank: known?.rank ?? 0, byteCount: bytes, residency: residency,
            reason: reason, since: since,
            places: Set(held.filter { $0.value.source == known.map { .digest($0.digest) } }.map(\.key.hold.group.group.text))
                .sorted(),
            runningCount: 0)
    }
}
