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

    /// To a rank other than 0: no later plan names the slot until it is mapped again.
    distributed func unmapAdapter(_ slot: AdapterSlot, for group: GroupEpoch) {
        guard let session, session.id == group else { return }
        unmapHere(slot, session)
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

    func unmap(_ slot: AdapterSlot) {
        guard let session else { return }
        let earlier = slotWork[slot]
        slotWork[slot] = outliving {
            Task {
                await earlier?.value
                unmapHere(slot, session)
                guard let others = try? otherRanks() else { return }
                for rank in others { try? await rank.unmapAdapter(slot, for: session.id) }
            }
        }
    }

    private func mapHere(_ adapter: AdapterRef, into slot: AdapterSlot, for group: GroupEpoch) async throws -> Int {
        guard let session, session.id == group else { throw WorkerError.otherEpoch(group, present: self.session?.id) }
        let cache = try AdapterCache.resolve(id: place.cache, using: actorSystem)
        let (model, rank, rankCount) = (place.model, place.rank, place.ranks.count)
        let file = try await persevering(for: .seconds(30), while: { self.session?.id == group }) {
            try await withDeadline(.seconds(60)) {
                try await cache.acquire(
                    adapter, model: model, rank: rank, rankCount: rankCount,
                    holder: AdapterHold(group: group, slot: slot))
            }
        }
        // Checking a packed file reads all of it: not on the thread that steps run on.
        let shard = shard
        let packed = try await Task.detached {
            try PackedAdapter(
                path: file.path, digest: file.adapter.digest, configuration: shard.configuration, plan: shard.plan)
        }.value
        guard let present = self.session, present.id == group else {
            throw WorkerError.otherEpoch(group, present: self.session?.id)
        }
        present.engine.map(packed, named: adapter.name, slot: slot)
        publish()
        return packed.byteCount
    }

    private func unmapHere(_ slot: AdapterSlot, _ session: Session) {
        session.engine.unmap(slot)
        let hold = AdapterHold(group: session.id, slot: slot)
        guard let cache = try? AdapterCache.resolve(id: place.cache, using: actorSystem) else { return }
        let rank = place.rank
        outliving { Task { try? await cache.release(hold, rank: rank) } }
    }

    private func otherRanks() throws -> [GPUWorker] {
        try place.ranks.dropFirst().map { try GPUWorker.resolve(id: $0, using: actorSystem) }
    }

    private static func reason(_ error: any Error) -> String {
        if case .adapterInvalid(_, let reason) = error as? RequestError { return reason }
        return "\(error)"
    }
}
