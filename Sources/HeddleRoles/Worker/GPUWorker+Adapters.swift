import Distributed
import HeddleActors
import HeddleCore
import HeddleEngine
import HeddleTransport

/// How adapters come to a group's ranks while its steps go on.
extension GPUWorker {
    /// To a rank other than 0: fetch this rank's shard of the adapter from the host's cache and map it, so that the next plan
    /// may name the slot.
    distributed func mapAdapter(_ adapter: AdapterRef, into slot: AdapterSlot, for group: GroupEpoch) async throws
        -> Int
    {
        try await mapHere(adapter, into: slot, for: group)
    }

    /// To a rank other than 0: no later plan names the slot until it is mapped again. Returns when this rank's host knows it.
    distributed func unmapAdapter(_ slot: AdapterSlot, for group: GroupEpoch) async {
        guard let session, session.id == group else { return }
        await unmapHere(slot, session)
    }

    /// To rank 0, from the adapter-cache of a rank's host: adapters that nobody uses must make room for others.
    distributed func adapterRoomWanted() {
        guard place.isFirst, session != nil else { return }
        carry(scheduler.adapterRoomWanted(now: now()))
        wake()
    }

    /// Has every rank map the adapter, each from its own host's cache, beside the steps that run.
    func load(_ adapter: AdapterRef, into slot: AdapterSlot) {
        guard let group = session?.id else { return }
        let earlier = slotWork[slot]
        slotWork[slot] = outliving { Task { await mapEverywhere(adapter, into: slot, for: group, after: earlier) } }
    }

    private func mapEverywhere(
        _ adapter: AdapterRef, into slot: AdapterSlot, for group: GroupEpoch, after earlier: Task<Void, Never>?
    ) async {
        await earlier?.value
        do {
            let others = try otherRanks().map { rank in
                Task {
                    try await untilMapped(adapter, for: group) {
                        try await withDeadline(.seconds(10)) {
                            try await rank.mapAdapter(adapter, into: slot, for: group)
                        }
                    }
                }
            }
            let mine = Task {
                try await untilMapped(adapter, for: group) { try await mapHere(adapter, into: slot, for: group) }
            }
            var bytes = 0
            // All of them, also where one has failed: none may map the slot after it was given to another adapter.
            let outcomes = await outcomes(of: others + [mine])
            for outcome in outcomes { bytes = max(bytes, try outcome.get()) }
            guard formation.formed == group else { return }
            log.info(.adapterLoaded, about: adapter.name.text, "adapter \(adapter) is mapped on every rank")
            carry(scheduler.adapterReady(adapter.digest, bytes: bytes))
        } catch {
            guard formation.formed == group else { return }
            if let reason = Self.fault(in: error) {
                log.warn(
                    .adapterFailed, about: adapter.name.text, "adapter \(adapter) cannot be mapped: \(reason)")
                carry(scheduler.adapterFailed(adapter.digest, reason: reason))
            } else {
                log.info("adapter \(adapter) is not mapped: \(error)")
                carry(scheduler.adapterPostponed(adapter.digest))
            }
        }
        wake()
    }

    private func outcomes(of tasks: [Task<Int, any Error>]) async -> [Result<Int, any Error>] {
        var outcomes: [Result<Int, any Error>] = []
        for task in tasks { outcomes.append(await task.result) }
        return outcomes
    }

    /// Asks one rank again and again, for as long as a sequence waits for the adapter: the cache may be away, or have no room
    /// for a long time. Only what is wrong with the adapter itself ends it earlier.
    private func untilMapped(
        _ adapter: AdapterRef, for group: GroupEpoch, _ map: () async throws -> Int
    ) async throws -> Int {
        var pause = Duration.milliseconds(20)
        while true {
            do { return try await map() } catch {
                guard formation.formed == group, Self.fault(in: error) == nil, scheduler.isAdapterWanted(adapter.digest)
                else { throw error }
                if case .noCapacity = error as? RequestError {
                    // The cache has let it wait in line, and keeps its place.
                    pause = .milliseconds(20)
                }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    /// Has every rank let the slot go. The slot's next load waits for the end of it, on every rank: a release that came behind
    /// the next load's acquire would end that one.
    func unmap(_ slot: AdapterSlot) {
        guard let session else { return }
        if let adapter = session.engine.name(of: slot) {
            log.info(.adapterEvicted, about: adapter.text, "adapter \(adapter) leaves its slot at \(place.group)")
        }
        let earlier = slotWork[slot]
        slotWork[slot] = outliving {
            Task {
                await earlier?.value
                let others = (try? otherRanks()) ?? []
                await withTaskGroup(of: Void.self) { ranks in
                    for rank in others {
                        ranks.addTask {
                            try? await withDeadline(.seconds(10)) { try await rank.unmapAdapter(slot, for: session.id) }
                        }
                    }
                    await unmapHere(slot, session)
                }
            }
        }
    }

    private func mapHere(_ adapter: AdapterRef, into slot: AdapterSlot, for group: GroupEpoch) async throws -> Int {
        guard let session, session.id == group else { throw WorkerError.otherEpoch(group, present: self.session?.id) }
        let cache = try AdapterCache.resolve(id: place.cache, using: actorSystem)
        slotOwners[slot] = adapter.digest
        let (model, rank, rankCount, hold) = (place.model, place.rank, place.ranks.count, hold(slot, in: group))
        let file = try await withDeadline(.seconds(5)) {
            try await cache.acquire(adapter, model: model, rank: rank, rankCount: rankCount, holder: hold)
        }
        // Checking a packed file reads all of it: not on the thread that steps run on.
        let shard = shard
        let packed = try await Task.detached {
            try PackedAdapter(path: file.path, digest: file.adapter.digest, for: shard.packed.shape)
        }.value
        guard let present = self.session, present.id == group else {
            // The epoch's holds were released as it ended, perhaps before this one was taken.
            await release(hold)
            throw WorkerError.otherEpoch(group, present: self.session?.id)
        }
        guard slotOwners[slot] == adapter.digest else { throw RequestError.cancelled }
        present.engine.map(packed, named: adapter.name, slot: slot)
        publish()
        return packed.byteCount
    }

    private func unmapHere(_ slot: AdapterSlot, _ session: Session) async {
        session.engine.unmap(slot)
        slotOwners[slot] = nil
        await release(hold(slot, in: session.id))
    }

    /// Calls of one actor to another arrive in order, so what is asked of the cache afterwards comes behind it, also where the
    /// answer is late.
    private func release(_ hold: AdapterHold) async {
        guard let cache = try? AdapterCache.resolve(id: place.cache, using: actorSystem) else { return }
        try? await withDeadline(.seconds(5)) { try await cache.release(hold, rank: place.rank) }
    }

    private func hold(_ slot: AdapterSlot, in group: GroupEpoch) -> AdapterHold {
        AdapterHold(group: group, slot: slot, incarnation: actorSystem.incarnation)
    }

    private func otherRanks() throws -> [GPUWorker] {
        try place.ranks.dropFirst().map { try GPUWorker.resolve(id: $0, using: actorSystem) }
    }

    /// What is wrong with the adapter itself; nil where the same load may succeed later.
    private static func fault(in error: any Error) -> String? {
        switch error {
        case RequestError.adapterInvalid(_, let reason): reason
        case RequestError.unknownModel, RequestError.unknownAdapter: "\(error)"
        // The file may have vanished, or memory run out; the cache looks again.
        case PackedFileError.system, PackedFileError.outOfMemory: nil
        case is PackedFileError: "\(error)"
        default: nil
        }
    }
}
