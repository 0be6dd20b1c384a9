/// Decides which mapped adapter sits in which slot of the ranks: least recently used out first, never one that is pinned.
///
/// A sequence pins its adapter's slot from when it gets it until it ends, also while it is preempted.
public struct AdapterSlots: Sendable {
    /// One slot in use.
    public struct Entry: Hashable, Sendable {
        public var slot: AdapterSlot
        public var digest: Digest
        public var state: State
        /// Unfinished sequences that hold the slot.
        public var pinCount: Int
        /// Orders uses; the smallest goes first.
        public var lastUse: UInt64
        /// When it was unpinned last, as the caller counts time.
        public var idleSince: UInt64 = 0

        /// Whether a sequence may use it when there is room for it.
        public var isMapped: Bool { state != .loading }
    }

    /// Whether the ranks have mapped the adapter.
    public enum State: Hashable, Sendable {
        case loading
        /// The ranks have mapped it. It is not counted yet: the file's pages, which the system may drop.
        case mapped(bytes: Int)
        /// Bytes that the mapping costs one rank, which are counted.
        case ready(bytes: Int)

        public var bytes: Int {
            switch self {
            case .loading: 0
            case .mapped(let bytes), .ready(let bytes): bytes
            }
        }
    }

    /// What asking for an adapter's slot came to.
    public enum Answer: Hashable, Sendable {
        /// Pinned and mapped.
        case ready(AdapterSlot)
        /// Pinned; another sequence's load is under way.
        case loading(AdapterSlot)
        /// Pinned; the ranks must map the adapter, after unmapping what `evicted` names in the same slot.
        case load(AdapterSlot, evicted: Digest?)
        /// Every slot is pinned; nothing was changed.
        case full
    }

    private var entries: [Entry?]
    private var uses: UInt64 = 0

    public init(slotCount: Int) {
        precondition(slotCount > 0 && slotCount <= Int(Int32.max), "a group has 1 to 2^31 - 1 adapter slots")
        entries = Array(repeating: nil, count: slotCount)
    }

    public var slotCount: Int { entries.count }

    /// The slots in use, by number.
    public var used: [Entry] { entries.compactMap(\.self) }

    /// Bytes of all adapters that are counted, on one rank.
    public var bytes: Int {
        used.reduce(0) { sum, entry in
            guard case .ready(let bytes) = entry.state else { return sum }
            return sum + bytes
        }
    }

    public func entry(_ digest: Digest) -> Entry? { entries.lazy.compactMap(\.self).first { $0.digest == digest } }

    /// Pins the slot of this adapter, finding one for it when it has none.
    public mutating func pin(_ digest: Digest) -> Answer {
        uses += 1
        if let index = index(of: digest), var entry = entries[index] {
            entry.pinCount += 1
            entry.lastUse = uses
            entries[index] = entry
            return entry.state == .loading ? .loading(entry.slot) : .ready(entry.slot)
        }
        guard let index = freeOrLeastUsed() else { return .full }
        let evicted = entries[index]?.digest
        let slot = AdapterSlot(Int32(index))
        entries[index] = Entry(slot: slot, digest: digest, state: .loading, pinCount: 1, lastUse: uses)
        return .load(slot, evicted: evicted)
    }

    /// A sequence that held the slot has ended.
    public mutating func unpin(_ digest: Digest, at time: UInt64 = 0) {
        guard let index = index(of: digest), var entry = entries[index], entry.pinCount > 0 else {
            preconditionFailure("an adapter slot is unpinned once by the sequence that pinned it")
        }
        entry.pinCount -= 1
        entry.idleSince = time
        entries[index] = entry
    }

    /// The ranks have mapped the adapter. False when no slot waits for it.
    ///
    /// - Parameter isCounted: false where room for it is still to be found.
    public mutating func loaded(_ digest: Digest, bytes: Int, isCounted: Bool = true) -> Bool {
        guard let index = index(of: digest), entries[index]?.state == .loading else { return false }
        entries[index]?.state = isCounted ? .ready(bytes: max(0, bytes)) : .mapped(bytes: max(0, bytes))
        return true
    }

    /// There is room for what was mapped: it is counted from now on.
    public mutating func count(_ digest: Digest) {
        guard let index = index(of: digest), case .mapped(let bytes)? = entries[index]?.state else { return }
        entries[index]?.state = .ready(bytes: bytes)
    }

    /// Frees the slot of a mapped adapter, pins and all.
    public mutating func evict(_ digest: Digest) {
        guard let index = index(of: digest), entries[index]?.isMapped ?? false else {
            preconditionFailure("only an adapter that is mapped is evicted")
        }
        entries[index] = nil
    }

    /// The adapter cannot be mapped; its slot is free again and its pins are gone. False when no slot waits for it.
    public mutating func loadFailed(_ digest: Digest) -> Bool {
        guard let index = index(of: digest), entries[index]?.state == .loading else { return false }
        entries[index] = nil
        return true
    }

    /// Frees every slot whose adapter is mapped and that no sequence holds, the least recently used first.
    public mutating func letGoOfUnpinned() -> [AdapterSlot] {
        let idle = used.filter { $0.pinCount == 0 && $0.state != .loading }.sorted { $0.lastUse < $1.lastUse }
        for entry in idle { entries[Int(entry.slot.index)] = nil }
        return idle.map(\.slot)
    }

    private func index(of digest: Digest) -> Int? { entries.firstIndex { $0?.digest == digest } }

    /// The first free slot, else the unpinned mapped one that was used longest ago; a load under way is never evicted.
    private func freeOrLeastUsed() -> Int? {
        if let free = entries.firstIndex(where: { $0 == nil }) { return free }
        var best: (index: Int, lastUse: UInt64)?
        for case (let index, let entry?) in entries.enumerated()
        where entry.pinCount == 0 && entry.state != .loading && entry.lastUse < best?.lastUse ?? .max {
            best = (index, entry.lastUse)
        }
        return best?.index
    }
}
