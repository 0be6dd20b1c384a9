import Distributed
import HeddleActors
import HeddleCore
import HeddleEngine
import HeddleFiles

/// What ranks hold of the packed adapters, and how these come and go. `AdapterResidency` decides.
extension AdapterCache {
    /// How long one call waits for an adapter; a rank that still wants it asks again and keeps its place.
    private static var patience: Duration { .seconds(1) }
    /// How often others are asked to let go of what they do not use while an adapter waits for room.
    private static var roomPause: Duration { .milliseconds(250) }

    /// From a rank: its shard of an adapter, which stays here until it is released.
    ///
    /// Throws `noCapacity` where the adapter is not there within a second: the rank still waits in line for it, until it asks
    /// again or releases it. `adapterInvalid` is about the adapter alone, whatever others hold.
    distributed func acquire(
        _ adapter: AdapterRef, model: ModelName, rank: Int, rankCount: Int, holder hold: AdapterHold
    ) async throws -> AdapterShardFile {
        let holder = Holder(hold: hold, rank: rank)
        let key = AdapterKey(source: .digest(adapter.digest), shardCount: rankCount)
        let shape = try place.shape(model, rank: rank, rankCount: rankCount)
        let path = place.path(PackedAdapter.fileName(digest: adapter.digest, for: shape))
        do {
            // All in one turn: what happens between a number and its use would be held by nobody, and never let go of.
            try await withCheckedThrowingContinuation { continuation in
                let isThere = (try? FileFingerprint(file: path)) != nil
                let number = number(of: holder, for: key)
                numberLast += 1
                let wait = numberLast
                waiters.updateValue(Waiter(wait: wait, continuation: continuation), forKey: number)?
                    .continuation.resume(throwing: RequestError.cancelled)
                sources[key] = AdapterSource(adapter: adapter.name, model: model)
                carry(residency.acquire(key, holder: number, filesAreThere: isThere, now: now()))
                if waiters[number] != nil { endWait(wait, of: number, after: Self.patience) }
            }
        } catch let error as AdapterResidencyError {
            if held[holder] == key { release(holder) }
            switch error {
            case .loadFailed, .tooLarge:
                throw RequestError.adapterInvalid(adapter: adapter.name.text, reason: "\(error)")
            case .tooManyEntries, .tooManyHolders: throw RequestError.noCapacity(reason: "\(error)")
            }
        }
        return AdapterShardFile(adapter: adapter, path: path, byteCount: try FileFingerprint(file: path).byteCount)
    }

    /// From a rank: a slot no longer holds its adapter.
    distributed func release(_ hold: AdapterHold, rank: Int) {
        release(Holder(hold: hold, rank: rank))
        publishSoon()
    }

    /// From a rank: its part in this epoch is over.
    distributed func releaseAll(of group: GroupEpoch, rank: Int) {
        for holder in sortedHolders where holder.hold.group == group && holder.rank == rank { release(holder) }
        publishSoon()
    }

    /// What the lost process of a rank held. A later process of the rank may have begun to hold already.
    func lose(_ member: CachePlace.Member, _ incarnation: Incarnation) {
        for holder in sortedHolders
        where holder.hold.group.group == member.group && holder.rank == member.rank
            && holder.hold.incarnation == incarnation
        {
            release(holder)
        }
        publishSoon()
    }

    private var sortedHolders: [Holder] { numbers.sorted { $0.value < $1.value }.map(\.key) }

    /// The holder's number, which stays while it asks for the same adapter; what it held of another is released.
    private func number(of holder: Holder, for key: AdapterKey) -> AdapterHolder {
        if held[holder] == key, let number = numbers[holder] { return number }
        release(holder)
        // A rank is in one epoch at a time: what it held in an earlier one it has let go of, heard or not.
        let group = holder.hold.group
        for old in sortedHolders
        where old.rank == holder.rank && old.hold.group.group == group.group && old.hold.group.epoch < group.epoch {
            release(old)
        }
        numberLast += 1
        let number = AdapterHolder(numberLast)
        numbers[holder] = number
        held[holder] = key
        return number
    }

    private func endWait(_ wait: UInt64, of number: AdapterHolder, after patience: Duration) {
        outliving {
            _ = Task {
                try? await Task.sleep(for: patience)
                guard let waiter = waiters[number], waiter.wait == wait else { return }
                waiters[number] = nil
                let reason = "the adapter-cache has not loaded the adapter yet; it waits in line"
                waiter.continuation.resume(throwing: RequestError.noCapacity(reason: reason))
            }
        }
    }

    private func release(_ holder: Holder) {
        guard let number = numbers.removeValue(forKey: holder), let key = held.removeValue(forKey: holder) else {
            return
        }
        waiters.removeValue(forKey: number)?.continuation.resume(throwing: RequestError.cancelled)
        carry(residency.release(key, holder: number, now: now()))
    }

    // MARK: Carrying out

    private func carry(_ actions: [AdapterResidency.Action]) {
        for action in actions {
            switch action {
            case .load(let key): load(key)
            case .write(let key): write(key)
            case .forget(let key): read[key] = nil
            case .ready(_, let holder, _): waiters.removeValue(forKey: holder)?.continuation.resume()
            case .failed(_, let holder, let error):
                waiters.removeValue(forKey: holder)?.continuation.resume(throwing: error)
            case .evict(let key): evict(key)
            case .askForRoom: askForRoom()
            }
        }
        publishSoon()
    }

    private func load(_ key: AdapterKey) {
        guard case .digest(let digest) = key.source, let source = sources[key], let folder = place.folders[source],
            let model = place.models[source.model]
        else {
            // Not at once: the actions that are being carried out come first.
            return outliving {
                _ = Task {
                    carry(residency.loadFailed(key, reason: "the cluster file has no such adapter", now: now()))
                }
            }
        }
        let place = place
        outliving {
            _ = Task {
                do {
                    let (adapter, bytes) = try await onThread(named: "read-\(source.adapter)") {
                        let adapter = try CachePlace.read(folder, model: model)
                        guard adapter.digest == digest else {
                            throw AdapterReplaced(folder: folder, wanted: digest, found: adapter.digest)
                        }
                        let bytes = try place.packedByteCount(
                            adapter, model: source.model, rankCount: key.shardCount)
                        return (adapter, bytes)
                    }
                    read[key] = adapter
                    carry(residency.loadMeasured(key, bytes: bytes, now: now()))
                } catch { fail(key, source, error) }
            }
        }
    }

    private func write(_ key: AdapterKey) {
        guard let adapter = read.removeValue(forKey: key), let source = sources[key] else {
            preconditionFailure("an adapter is written after it was read")
        }
        let place = place
        outliving {
            _ = Task {
                do {
                    try await onThread(named: "pack-\(source.adapter)") {
                        try place.pack(adapter, model: source.model, rankCount: key.shardCount)
                    }
                    log.info(
                        .adapterLoaded, about: source.adapter.text,
                        "adapter \(source.adapter) is packed for \(key.shardCount) ranks")
                    carry(residency.loadSucceeded(key, now: now()))
                } catch { fail(key, source, error) }
            }
        }
    }

    private func fail(_ key: AdapterKey, _ source: AdapterSource, _ error: any Error) {
        log.warn(
            .adapterFailed, about: source.adapter.text, "adapter \(source.adapter) cannot be packed: \(error)")
        carry(residency.loadFailed(key, reason: "\(error)", now: now()))
    }

    /// Whoever has mapped the files keeps them until it lets go.
    private func evict(_ key: AdapterKey) {
        guard case .digest(let digest) = key.source, let source = sources[key] else { return }
        log.info(.adapterEvicted, about: source.adapter.text, "adapter \(source.adapter) is evicted")
        place.remove(digest: digest, model: source.model, rankCount: key.shardCount)
    }

    /// Tells every group with a rank here that room is wanted, and asks again until it no longer is.
    private func askForRoom() {
        guard !isAskingForRoom else { return }
        isAskingForRoom = true
        outliving {
            for planner in place.planners {
                _ = Task {
                    // One that does not hear of it hears it the next time.
                    try? await withDeadline(.seconds(1)) {
                        try await GPUWorker.resolve(id: planner, using: actorSystem).adapterRoomWanted()
                    }
                }
            }
            _ = Task {
                try? await Task.sleep(for: Self.roomPause)
                isAskingForRoom = false
                carry(residency.tick())
            }
        }
    }
}
