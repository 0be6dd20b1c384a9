/// How blocks and adapters share a rank's memory, and who gives his up.
///
/// The rule. Room is made of what nobody uses, whichever has been idle longest: a block that is kept, or an adapter that no
/// sequence holds. Then of adapters that only sequences behind hold which do not run; these ask for them again. A sequence
/// that starts takes nothing from one that runs; one that decodes has the sequence named by `victim` preempted.
extension BatchScheduler {
    /// Blocks that may have memory beside adapters of so many bytes.
    func residentCountMax(adapterBytes: Int) -> Int {
        guard let bytes = limits.memoryByteCountMax else { return limits.blockCount }
        return min(limits.blockCount, max(0, bytes - adapterBytes) / limits.blockByteCount)
    }

    /// Blocks have what memory adapters leave, from now on.
    mutating func fitBlocks() {
        guard limits.memoryByteCountMax != nil else { return }
        let countMax = residentCountMax(adapterBytes: slots.bytes)
        precondition(countMax >= blocks.heldCount, "an adapter is counted when there is room for it")
        givenUp += blocks.resize(residentCountMax: countMax)
    }

    /// Why a sequence cannot run even alone; nil where it can, or where that is not known yet.
    func misfit(of sequence: RunningSequence) -> RequestError? {
        guard let memory = limits.memoryByteCountMax, let adapter = sequence.request.adapter,
            let bytes = slots.entry(adapter.digest)?.state.bytes,
            sequence.blockCountMax > residentCountMax(adapterBytes: bytes)
        else { return nil }
        return .noCapacity(
            reason: "adapter “\(adapter.name)” takes \(bytes) bytes and \(sequence.blockCountMax) KV blocks take "
                + "\(sequence.blockCountMax * limits.blockByteCount); the worker has \(memory) bytes for both")
    }

    /// Makes room for `count` more held blocks, and for the sequence's adapter where that is not counted yet. False, and nothing
    /// is changed, where there is too little.
    mutating func makeRoom(
        forBlocks count: Int, of sequence: RunningSequence, _ actions: inout [Action]
    ) -> Bool {
        guard limits.memoryByteCountMax != nil else { return count <= blocks.freeCount }
        var digest: Digest?
        var more = 0
        if let adapter = sequence.request.adapter, case .mapped(let bytes)? = slots.entry(adapter.digest)?.state {
            digest = adapter.digest
            more = bytes
        }
        let needed = blocks.heldCount + count
        var takeable = takeableAdapters(for: sequence)
        let takeableBytes = takeable.reduce(0) { $0 + $1.state.bytes }
        guard needed <= residentCountMax(adapterBytes: slots.bytes - takeableBytes + more) else { return false }
        while needed + blocks.keptCount > residentCountMax(adapterBytes: slots.bytes + more) {
            if let kept = blocks.oldestUse, takeable.first.map({ $0.pinCount > 0 || kept <= $0.idleSince }) ?? true {
                blocks.forgetOldest()
            } else if takeable.isEmpty {
                break
            } else {
                take(takeable.removeFirst(), &actions)
            }
        }
        if let digest { slots.count(digest) }
        givenUp += blocks.resize(
            residentCountMax: max(blocks.heldCount, residentCountMax(adapterBytes: slots.bytes)))
        return true
    }

    /// Adapters that may be unmapped for this sequence, in the order in which they go.
    private func takeableAdapters(for sequence: RunningSequence) -> [AdapterSlots.Entry] {
        let own = sequence.request.adapter?.digest
        let used = slots.used.filter { entry in
            guard case .ready = entry.state else { return false }
            return entry.digest != own
        }
        let idle = used.filter { $0.pinCount == 0 }
            .sorted { ($0.idleSince, $0.lastUse) < ($1.idleSince, $1.lastUse) }
        // The oldest of those who hold it, by adapter; who runs keeps it.
        let held = used.compactMap { entry -> (entry: AdapterSlots.Entry, arrival: UInt64)? in
            guard entry.pinCount > 0, !running.contains(where: { $0.slot == entry.slot }),
                let oldest = waiting.first(where: { $0.slot == entry.slot }), oldest.arrival > sequence.arrival
            else { return nil }
            return (entry, oldest.arrival)
        }
        return idle + held.sorted { $0.arrival > $1.arrival }.map(\.entry)
    }

    private mutating func take(_ entry: AdapterSlots.Entry, _ actions: inout [Action]) {
        for index in waiting.indices where waiting[index].slot == entry.slot { waiting[index].slot = nil }
        slots.evict(entry.digest)
        counts.adapterEvictions += 1
        actions.append(.unmapAdapter(entry.slot))
    }

    /// Who gives up its blocks: the youngest sequence of the tenant that holds most of them, each block counted once. Never the
    /// oldest that runs, unless it is alone.
    ///
    /// Blocks are what is short at that moment, and how many tokens a tenant was served is already settled by the queue, which
    /// orders tenants by them before their requests come here.
    func victim() -> Int? {
        var held: [TenantName: Set<BlockID>] = [:]
        for sequence in running { held[sequence.request.tenant, default: []].formUnion(sequence.blocks) }
        // From the youngest, so that it goes where tenants hold as much.
        var best: (index: Int, count: Int)?
        for index in running.indices.dropFirst().reversed() {
            let count = held[running[index].request.tenant]?.count ?? 0
            if count > best?.count ?? -1 { best = (index, count) }
        }
        return best?.index ?? running.indices.first
    }
}
