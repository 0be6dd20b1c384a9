import Distributed
import HeddleActors
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleTransport

/// How rank 0 makes the ranks a group, and what happens when one is lost. `GroupFormation` decides.
extension GPUWorker {
    /// To rank 0: a rank is up, and this is what it holds. Said again until the rank is in the group.
    distributed func rankPresent(_ presence: RankPresence) {
        carry(formation.rankPresent(presence, now: now()))
    }

    var presence: RankPresence {
        RankPresence(
            rank: place.rank, node: actorSystem.node, incarnation: actorSystem.incarnation,
            capabilities: RankCapabilities(
                model: shard.digest, instructionSet: WorkerPlace.arithmetic, contract: actorSystem.contracts.digest,
                rankCount: place.ranks.count))
    }

    /// A step did not run on every rank, or the ranks did not meet.
    func lose(_ group: GroupEpoch, because error: any Error, otherwise reason: GroupFormation.DissolveReason) {
        log.warn("\(group) ends: \(error)")
        if formation.formed == group, case .rankLost(let rank) = error as? CollectiveError, rank != place.rank,
            let member = members.first(where: { $0.rank == rank })
        {
            carry(formation.rankLost(rank, incarnation: member.incarnation, now: now()))
        }
        carry(formation.ended(group, because: reason, now: now()))
    }

    /// The tenant-queue, or a router, takes nothing of this epoch, so it would wait for ever.
    func heardOver(_ group: GroupEpoch, last: Epoch) {
        guard place.isFirst, group.group == place.group else { return }
        formation.observed(last)
        carry(formation.ended(group, because: .overElsewhere, now: now()))
    }

    /// Tells the tenant-queue that the group takes requests; said again when the queue comes back.
    func announceGroup() {
        guard let session, formation.formed == session.id,
            let capacity = try? GroupCapacity(scheduler.limits)
        else { return }
        queueOutbox.post(.up(session.id, capacity, place.model, actorSystem.incarnation))
    }

    /// The tenant-queue took this group for lost while it heard nothing of it, and takes no epoch back: the group forms anew.
    func queueReturned() {
        guard let session else { return }
        carry(formation.ended(session.id, because: .queueReturned, now: now()))
    }

    // MARK: Carrying out

    func carry(_ actions: [GroupFormation.Action]) {
        guard !actions.isEmpty else { return }
        for action in actions {
            switch action {
            case .form(let group, let members):
                self.members = members
                // One after the other: two epochs of one process would leave each other's notes about.
                let earlier = forming
                forming = outliving {
                    Task {
                        await earlier?.value
                        await form(group, members)
                    }
                }
            case .dissolve(let group, let reason):
                log.warn(.epochEnded, about: group.group.text, "\(group) is dissolved: \(reason)")
                dissolve(group, reason.end)
            case .refuse(let presence, let error):
                log.error("rank \(presence.rank) on \(presence.node) may not join \(place.group): \(error)")
            }
        }
        publish()
    }

    private func form(_ group: GroupEpoch, _ members: [RankPresence]) async {
        guard formation.formed == group, !isEnding else { return }
        // What the first one met that failed; the others are then interrupted.
        let cause = Locked<(any Error)?>(nil)
        do {
            let engine = try await meet(group, cause)
            guard formation.met(group) else { return engine.abort() }
            scheduler = BatchScheduler(limits: scheduler.limits)
            session = Session(id: group, engine: engine, follower: nil)
            presentEngine.withLock { $0 = Present(engine: engine, ranks: EpochRanks(group, members: members)) }
            log.info(
                .epochBegan, about: group.group.text, "\(group) is up: \(place.ranks.count) ranks of \(place.model)")
            announceGroup()
            publish()
        } catch {
            lose(group, because: cause.withLock { $0 } ?? error, otherwise: .couldNotForm)
        }
    }

    /// Has every rank open the collective. Where one cannot, all stop waiting for it.
    private func meet(_ group: GroupEpoch, _ cause: Locked<(any Error)?>) async throws -> RankEngine {
        let (address, first, interruption) = (address(for: group), actorSystem.incarnation, OpenInterruption())
        let others = try place.ranks.dropFirst().map { try GPUWorker.resolve(id: $0, using: actorSystem) }
        return try await withThrowingTaskGroup(of: Void.self) { joins in
            for rank in others {
                joins.addTask {
                    do {
                        try await withDeadline(.seconds(40)) { try await rank.join(group, at: address, by: first) }
                    } catch {
                        cause.withLock { $0 = $0 ?? error }
                        interruption.raise()
                        throw error
                    }
                }
            }
            let engine = try await open(group, at: address, interruption)
            do { try await joins.waitForAll() } catch {
                engine.abort()
                throw error
            }
            return engine
        }
    }

    /// Ends the epoch at rank 0. Its requests go back to their routers, which replay them elsewhere or here again.
    private func dissolve(_ group: GroupEpoch, _ end: EpochEnd) {
        interruptOpening(of: group)
        if let session, session.id == group {
            leave(session, because: "the epoch is over")
            queueOutbox.post(.lost(group, end))
            let error: RequestError = end == .lost ? .workerLost(losses: 1) : .shuttingDown
            for (request, owner) in owners.sorted(by: { $0.key < $1.key }) {
                answer(owner.router, .failed(request, owner.attempt, error, on: group))
            }
            for var context in sequences.values {
                log.journal.put(context.trace.ended(at: now(), error: "the epoch is over"))
            }
            owners = [:]
            sequences = [:]
            scheduler = BatchScheduler(limits: scheduler.limits)
        }
        carry(formation.rankPresent(presence, now: now()))
    }

    private func address(for group: GroupEpoch) -> CollectiveAddress {
        switch place.collective {
        case .sharedMemory: CollectiveAddress(kind: .sharedMemory, address: place.runtimeDirectory)
        case .zeroMQ(let endpoint): CollectiveAddress(kind: .zeroMQ, address: endpoint)
        }
    }
}
