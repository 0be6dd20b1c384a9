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

    // What adapters are (`describe`).
    var descriptions: AdapterDescriptions<FileFingerprint>
    var askers: [UInt64: CheckedContinuation<AdapterRef, any Error>] = [:]

    // What ranks hold (AdapterCache+Holding).
    var residency: AdapterResidency
    /// Numbers of holders: one slot of one rank in one epoch.
    var numbers: [Holder: AdapterHolder] = [:]
    var held: [Holder: AdapterKey] = [:]
    var waiters: [AdapterHolder: Waiter] = [:]
    /// Which adapter of the cluster file each key of `residency` was asked for as.
    var sources: [AdapterKey: AdapterSource] = [:]
    /// What was read and waits to be written.
    var read: [AdapterKey: AdapterFolder] = [:]
    var isAskingForRoom = false

    var numberLast: UInt64 = 0
    var tasks: [Task<Void, Never>] = []
    var published = Instant(nanoseconds: 0)
    var isPublishing = false

    struct Holder: Hashable {
        let hold: AdapterHold
        let rank: Int
    }

    /// A call that waits for an adapter.
    struct Waiter {
        /// A holder may wait again and again, each time for a while.
        let wait: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    init(
        place: CachePlace, descriptions: AdapterDescriptions<FileFingerprint>, residency: AdapterResidency,
        log: RoleLog, board: InspectionBoard, actorSystem: MeshActorSystem
    ) {
        self.actorSystem = actorSystem
        self.place = place
        self.descriptions = descriptions
        self.residency = residency
        self.log = log
        self.board = board
    }

    /// From a router: what an adapter of the cluster file is now. Reads its files when they have changed.
    distributed func describe(_ adapter: AdapterName, model: ModelName) async throws -> AdapterRef {
        let source = AdapterSource(adapter: adapter, model: model)
        guard let folder = place.folders[source], place.models[model] != nil else {
            throw RequestError.unknownAdapter(adapter.text)
        }
        let stamp: FileFingerprint
        do { stamp = try FileFingerprint(folder: folder) } catch {
            throw RequestError.adapterInvalid(adapter: adapter.text, reason: "\(error)")
        }
        numberLast += 1
        let asker = numberLast
        return try await withCheckedThrowingContinuation { continuation in
            askers[asker] = continuation
            carry(descriptions.describe(source, stamp: stamp, asker: asker, now: now()))
        }
    }

    private func carry(_ actions: [AdapterDescriptions<FileFingerprint>.Action]) {
        for action in actions {
            switch action {
            case .read(let source): describe(source)
            case .answer(let asker, let reference): askers.removeValue(forKey: asker)?.resume(returning: reference)
            case .fail(let asker, let error): askers.removeValue(forKey: asker)?.resume(throwing: error)
            }
        }
    }

    private func describe(_ source: AdapterSource) {
        guard let folder = place.folders[source], let model = place.models[source.model] else {
            preconditionFailure("only adapters of the cluster file are read")
        }
        log.info(.adapterLoading, about: source.adapter.text, "reading adapter \(source.adapter)")
        outliving {
            Task {
                do {
                    let (digest, rank) = try await onThread(named: "read-\(source.adapter)") {
                        let read = try CachePlace.read(folder, model: model)
                        return (read.digest, read.rankMax)
                    }
                    let reference = AdapterRef(name: source.adapter, digest: digest, rank: rank)
                    carry(descriptions.readSucceeded(source, reference))
                } catch {
                    log.warn(
                        .adapterFailed, about: source.adapter.text,
                        "adapter \(source.adapter) cannot be read: \(error)")
                    let error = RequestError.adapterInvalid(adapter: source.adapter.text, reason: "\(error)")
                    carry(descriptions.readFailed(source, error, now: now()))
                }
                publishSoon()
            }
        }
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
                        guard case .lost(let incarnation) = event else { continue }
                        await me.whenLocal { $0.lose(member, incarnation) }
                    }
                })
        }
        publish()
    }

    func stop() {
        for task in tasks { task.cancel() }
        for waiter in waiters.values { waiter.continuation.resume(throwing: RequestError.shuttingDown) }
        waiters = [:]
        for asker in askers.values { asker.resume(throwing: RequestError.shuttingDown) }
        askers = [:]
        place.clear()
    }
}
