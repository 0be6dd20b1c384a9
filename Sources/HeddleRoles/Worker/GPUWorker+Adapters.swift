import Distributed
import HeddleActors
import HeddleCore
import HeddleEngine
import HeddleTransport

/// How adapters come to a group's ranks while its steps go on.
extension GPUWorker {
    /// To a rank other than 0: fetch this rank's shard of the adapter from the host's cache and map it, so that the next plan
    /// may name the slot.
    distributed func mapAdapter(_ adapter: AdapterRef, into slot: AdapterSlot, for group: GroupEpoch) async throws -> Int {
        try await mapHere(adapter, into: slot, for: group)
    }

    /// To a rank other than 0: no later plan names the slot until it is mapped again. Returns when this rank's host knows it.
    distributed func unmapAdapter(_ slot: AdapterSlot, for group: GroupEpoch) async {
        guard let session, session.id == group else { return }
        await unmapHere(slot, session)
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
            let others = try otherRanks()
            let bytes = try await withThrowingTaskGroup(of: Int.self) { ranks in
                for rank in others {
                    ranks.addTask {
                        try await withDeadline(.seconds(60)) {
                            try await rank.mapAdapter(adapter, into: slot, for: group)
                        }
                    }
                }
                var bytes = try await mapHere(adapter, into: slot, for: group)
                for try await other in ranks { bytes = max(bytes, other) }
                return bytes
            }
            guard formation.formed == group else { return }
            carry(scheduler.adapterReady(adapter.digest, bytes: bytes))
        } catch {
            guard formation.formed == group else { return }
            log.warn("adapter \(adapter) cannot be mapped: \(error)")
            carry(scheduler.adapterFailed(adapter.digest, reason: Self.reason(error)))
        }
        wake()
    }

    /// Has every rank let the slot go. The slot's next load waits for the end of it, on every rank: a release that came behind
    /// the next load's acquire would end that one.
    func unmap(_ slot: AdapterSlot) {
        guard let session else { return }
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
        let (model, rank, rankCount) = (place.model, place.rank, place.ranks.count)
        let hold = AdapterHold(group: group, slot: slot)
        let file = try await persevering(for: .seconds(30), while: { self.session?.id == group }) {
            try await withDeadline(.seconds(60)) {
                try await cache.acquire(adapter, model: model, rank: rank, rankCount: rankCount, holder: hold)
            }
        }
        // Checking a packed file reads all of it: not on the thread that steps run on.
        let shard = shard
        let packed = try await Task.detached {
            try PackedAdapter(
                path: file.path, digest: file.adapter.digest, configuration: shard.configuration, plan: shard.plan)
        }.value
        guard let present = self.session, present.id == group else {
            // The epoch's holds were released as it ended, perhaps before this one was taken.
            await release(hold)
            throw WorkerError.otherEpoch(group, present: self.session?.id)
        }
        present.engine.map(packed, named: adapter.name, slot: slot)
        publish()
        return packed.byteCount
    }

    private func unmapHere(_ slot: AdapterSlot, _ session: Session) async {
        session.engine.unmap(slot)
        await release(AdapterHold(group: session.id, slot: slot))
    }

    /// Calls of one actor to another arrive in order, so what is asked of the cache afterwards comes behind it, also where the
    /// answer is late.
    private func release(_ hold: AdapterHold) async {
        guard let cache = try? AdapterCache.resolve(id: place.cache, using: actorSystem) else { return }
        try? await withDeadline(.seconds(5)) { try await cache.release(hold, rank: place.rank) }
    }

    private func otherRanks() throws -> [GPUWorker] {
        try place.ranks.dropFirst().map { try GPUWorker.resolve(id: $0, using: actorSystem) }
    }

    private static func reason(_ error: any Error) -> String {
        if case .adapterInvalid(_, let reason) = error as? RequestError { return reason }
        return "\(error)"
    }
}
