import Distributed
import HeddleActors
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleTransport

/// What every rank does about its group: announces itself, watches those it depends on, meets the others and leaves them. At
/// ranks other than 0 `GroupAttendance` decides.
extension GPUWorker {
    /// To a rank other than 0, by the rank 0 of this incarnation: meet the others at this address. Returns when all have met.
    distributed func join(_ group: GroupEpoch, at address: CollectiveAddress, by first: Incarnation) async throws {
        guard !place.isFirst else { throw WorkerError.notFirst(rank: place.rank) }
        guard group.group == place.group else { throw WorkerError.otherEpoch(group, present: attendance.present) }
        let actions = attendance.asked(toJoin: group, by: first)
        if case .refuse(let present)? = actions.first { throw WorkerError.otherEpoch(group, present: present) }
        carry(actions)
        let engine: RankEngine
        do { engine = try await open(group, at: address, OpenInterruption()) } catch {
            attendance.openFailed(group)
            throw error
        }
        guard attendance.opened(group), !isEnding else {
            engine.abort()
            throw WorkerError.otherEpoch(group, present: attendance.present)
        }
        let me = self
        let follower = Follower(engine: engine, name: "\(place.group)-\(place.rank)") { error in
            let reason = "\(error)"
            Task { await me.whenLocal { $0.followerEnded(group, reason) } }
        }
        session = Session(id: group, engine: engine, follower: follower)
        presentEngine.withLock { $0 = Present(engine: engine, ranks: EpochRanks(group, first: first)) }
        log.info("joined \(group) as rank \(place.rank) of \(place.ranks.count)")
        publish()
    }

    /// Begins this rank's part: announces itself whenever it is in no epoch, and watches the others.
    func begin() {
        watchPeers()
        Task { await announce() }
        publish()
    }

    private func announce() async {
        while !isEnding {
            if session == nil {
                if place.isFirst {
                    carry(formation.rankPresent(presence, now: now()))
                } else if let first = try? GPUWorker.resolve(id: place.ranks[0], using: actorSystem) {
                    try? await withDeadline(.seconds(2)) { try await first.rankPresent(presence) }
                }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func watchPeers() {
        let others = place.isFirst ? Array(place.ranks.dropFirst()) : [place.ranks[0]]
        for (offset, peer) in others.enumerated() {
            let rank = place.isFirst ? offset + 1 : 0
            let (me, present, events) = (self, presentEngine, actorSystem.watch(node: peer.node))
            watches.append(
                Task.detached {
                    for await event in events {
                        guard case .lost(let incarnation) = event else { continue }
                        // Before the actor is told: its thread may wait inside a step for the very rank that is lost.
                        present.withLock { $0 }?.abort(afterLossOf: rank, incarnation)
                        await me.whenLocal { $0.peerLost(rank, incarnation) }
                    }
                })
        }
        guard place.isFirst else { return }
        let (me, events) = (self, actorSystem.watch(node: place.queue.node))
        watches.append(
            Task.detached {
                var absence = Absence()
                for await event in events {
                    let isReturn = absence.isReturn(event)
                    guard case .up = event else { continue }
                    await me.whenLocal { isReturn ? $0.queueReturned() : $0.announceGroup() }
                }
            })
    }

    private func peerLost(_ rank: Int, _ incarnation: Incarnation) {
        if place.isFirst {
            carry(formation.rankLost(rank, incarnation: incarnation, now: now()))
        } else {
            carry(attendance.firstLost(incarnation))
        }
    }

    private func followerEnded(_ group: GroupEpoch, _ reason: String) {
        guard attendance.ended(group), let session, session.id == group else { return }
        leave(session, because: reason)
    }

    private func carry(_ actions: [GroupAttendance.Action]) {
        for action in actions {
            switch action {
            // Whoever asked goes on with these itself.
            case .open, .refuse: break
            case .interrupt(let group): interruptOpening(of: group)
            case .leave(let group, let reason):
                if let session, session.id == group { leave(session, because: "\(reason)") }
            }
        }
    }

    // MARK: Meeting and leaving

    /// Meets the other ranks and makes the epoch's forward pass. Blocks a thread that is not the actor's while it waits.
    func open(_ group: GroupEpoch, at address: CollectiveAddress, _ interruption: OpenInterruption) async throws -> RankEngine {
        let (place, shard) = (place, shard)
        opening = Opening(id: group, interruption: interruption)
        defer { if opening?.id == group { opening = nil } }
        return try await withTaskCancellationHandler {
            try await onThread(named: "\(place.group)-open") {
                let collective: (any Collective)? =
                    place.ranks.count == 1
                    ? nil : try WorkerPlace.openCollective(group, at: address, place: place, interruption)
                do {
                    let pass = try CPUForwardPass(shard: shard.packed, collective: collective, limits: place.forward)
                    return RankEngine(pass: pass, collective: collective)
                } catch {
                    collective?.abort()
                    throw error
                }
            }
        } onCancel: {
            interruption.raise()
        }
    }

    func interruptOpening(of group: GroupEpoch) {
        if let opening, opening.id == group { opening.interruption.raise() }
    }

    /// Leaves the epoch's collective, and lets go of its adapters.
    func leave(_ session: Session, because reason: String) {
        session.engine.abort()
        self.session = nil
        presentEngine.withLock { $0 = nil }
        slotWork = [:]
        log.info("left \(session.id): \(reason)")
        outliving {
            Task { [place, actorSystem] in
                guard let cache = try? AdapterCache.resolve(id: place.cache, using: actorSystem) else { return }
                try? await cache.releaseAll(of: session.id, rank: place.rank)
            }
        }
        publish()
    }
}
