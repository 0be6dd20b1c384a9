import Distributed
import HeddleActors
import HeddleCollective
import HeddleCore
import HeddleEngine
import HeddleTransport

/// How ranks become a group, and what happens when one is lost. `GroupFormation` at rank 0 decides.
extension GPUWorker {
    /// To rank 0: a rank is up, and this is what it holds. Said again until the rank is in the group.
    distributed func rankPresent(_ presence: RankPresence) {
        carry(formation.rankPresent(presence, now: now()))
    }

    /// To a rank other than 0: meet the others at this address. Returns when all have met.
    distributed func join(_ group: GroupEpoch, at address: CollectiveAddress) async throws {
        guard !place.isFirst else { throw WorkerError.notFirst(rank: place.rank) }
        if let session, session.id < group { end(session, because: "epoch \(group.epoch) begins") }
        guard session == nil, !isForming else { throw WorkerError.otherEpoch(group, present: session?.id) }
        isForming = true
        defer { isForming = false }
        let engine = try await open(group, at: address)
        let me = self
        let follower = Follower(engine: engine, name: "\(place.group)-\(place.rank)") { error in
            let reason = "\(error)"
            Task { await me.whenLocal { $0.followerEnded(group, reason) } }
        }
        session = Session(id: group, engine: engine, follower: follower)
        presentEngine.withLock { $0 = engine }
        log.info("joined \(group) as rank \(place.rank) of \(place.ranks.count)")
        publish()
    }

    /// Begins this rank's part: announces itself until the group has formed, and watches the others.
    func begin() {
        watchPeers()
        if place.isFirst {
            carry(formation.rankPresent(presence, now: now()))
        } else {
            Task { await announce() }
        }
        publish()
    }

    private var presence: RankPresence {
        RankPresence(
            rank: place.rank, node: actorSystem.node, incarnation: actorSystem.incarnation,
            capabilities: RankCapabilities(
                model: shard.digest, instructionSet: WorkerPlace.arithmetic, contract: actorSystem.contracts.digest,
                rankCount: place.ranks.count))
    }

    private func announce() async {
        while !isEnding {
            if session == nil, let first = try? GPUWorker.resolve(id: place.ranks[0], using: actorSystem) {
                try? await withDeadline(.seconds(2)) { try await first.rankPresent(presence) }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func watchPeers() {
        let others = place.isFirst ? Array(place.ranks.dropFirst()) : [place.ranks[0]]
        for (offset, peer) in others.enumerated() {
            let rank = place.isFirst ? offset + 1 : 0
            let (me, engine, events) = (self, presentEngine, actorSystem.watch(node: peer.node))
            watches.append(
                Task.detached {
                    for await event in events {
                        guard case .lost(let incarnation) = event else { continue }
                        // Before the actor is told: its thread may wait inside a step for the very rank that is lost.
                        engine.withLock { $0 }?.abort()
                        await me.whenLocal { $0.peerLost(rank, incarnation) }
                    }
                })
        }
        if place.isFirst {
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
    }

    private func peerLost(_ rank: Int, _ incarnation: Incarnation) {
        if place.isFirst {
            carry(formation.rankLost(rank, incarnation: incarnation, now: now()))
        } else if let session {
            end(session, because: "rank 0 is lost")
        }
    }

    private func followerEnded(_ group: GroupEpoch, _ reason: String) {
        guard let session, session.id == group else { return }
        end(session, because: reason)
    }

    /// Rank 0: a step did not run on every rank.
    func lose(_ group: GroupEpoch, because error: any Error) {
        log.warn("\(group) ends: \(error)")
        var lost = place.rank
        if case .rankLost(let rank) = error as? CollectiveError { lost = rank }
        guard lost != 0, let member = members.first(where: { $0.rank == lost }) else { return dissolve(group) }
        carry(formation.rankLost(lost, incarnation: member.incarnation, now: now()))
        dissolve(group)
    }

    // MARK: Carrying out

    private func carry(_ actions: [GroupFormation.Action]) {
        for action in actions {
            switch action {
            case .form(let group, let members):
                self.members = members
                outliving { Task { await form(group, members) } }
            case .dissolve(let group, let reason):
                log.warn("\(group) is dissolved: \(reason)")
                dissolve(group)
            case .refuse(let presence, let error):
                log.error("rank \(presence.rank) on \(presence.node) may not join \(place.group): \(error)")
            }
        }
        publish()
    }

    private func form(_ group: GroupEpoch, _ members: [RankPresence]) async {
        isForming = true
        defer { isForming = false }
        do {
            let address = address(for: group)
            let others = try place.ranks.dropFirst().map { try GPUWorker.resolve(id: $0, using: actorSystem) }
            let engine = try await withThrowingTaskGroup(of: Void.self) { joins in
                for rank in others {
                    joins.addTask { try await withDeadline(.seconds(40)) { try await rank.join(group, at: address) } }
                }
                let engine = try await open(group, at: address)
                try await joins.waitForAll()
                return engine
            }
            guard formation.formed == group else { return engine.abort() }
            scheduler = BatchScheduler(limits: scheduler.limits)
            session = Session(id: group, engine: engine, follower: nil)
            presentEngine.withLock { $0 = engine }
            log.info("\(group) is up: \(place.ranks.count) ranks of \(place.model)")
            announceGroup()
            publish()
        } catch {
            log.warn("\(group) could not form: \(error)")
            dissolve(group)
        }
    }

    /// Tells the tenant-queue that the group takes requests; said again when the queue comes back.
    private func announceGroup() {
        guard let session, formation.formed == session.id,
            let capacity = try? GroupCapacity(scheduler.limits)
        else { return }
        queueOutbox.post(.up(session.id, capacity, place.model, actorSystem.incarnation))
    }

    /// The tenant-queue took this group for lost while it heard nothing of it, and takes no epoch back: the group forms anew.
    private func queueReturned() {
        guard let session else { return }
        log.warn("\(session.id) ends: the tenant-queue was out of reach")
        dissolve(session.id)
        publish()
    }

    /// Ends the epoch at rank 0. Its requests go back to their routers, which replay them elsewhere or here again.
    private func dissolve(_ group: GroupEpoch) {
        if formation.formed == group {
            for member in members where member.rank != 0 {
                _ = formation.rankLost(member.rank, incarnation: member.incarnation, now: now())
            }
            if place.ranks.count == 1 { _ = formation.rankLost(0, incarnation: actorSystem.incarnation, now: now()) }
        }
        guard let session, session.id == group else { return }
        end(session, because: "the epoch is over")
        queueOutbox.post(.lost(group))
        for (request, owner) in owners.sorted(by: { $0.key < $1.key }) {
            answer(owner.router, .failed(request, owner.attempt, .workerLost(losses: 1), on: group))
        }
        owners = [:]
        sequences = [:]
        scheduler = BatchScheduler(limits: scheduler.limits)
        if place.ranks.count == 1 { carry(formation.rankPresent(presence, now: now())) }
    }

    private func end(_ session: Session, because reason: String) {
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

    private func address(for group: GroupEpoch) -> CollectiveAddress {
        switch place.collective {
        case .sharedMemory: CollectiveAddress(kind: .sharedMemory, address: place.runtimeDirectory)
        case .zeroMQ(let endpoint): CollectiveAddress(kind: .zeroMQ, address: endpoint)
        }
    }

    /// Meets the other ranks and makes the epoch's forward pass. Blocks a thread that is not the actor's while it waits.
    private func open(_ group: GroupEpoch, at address: CollectiveAddress) async throws -> RankEngine {
        let (place, shard) = (place, shard)
        return try await onThread(named: "\(place.group)-open") {
            let collective: (any Collective)? =
                place.ranks.count == 1 ? nil : try WorkerPlace.openCollective(group, at: address, place: place)
            do {
                let pass = try CPUForwardPass(shard: shard.packed, collective: collective, limits: place.forward)
                return RankEngine(pass: pass, collective: collective)
            } catch {
                collective?.abort()
                throw error
            }
        }
    }
}
