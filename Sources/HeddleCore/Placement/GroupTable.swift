/// Remembers the worker groups that are up, what each can hold and what was promised to it.
public struct GroupTable: Sendable {
    /// One group in its present epoch.
    public struct Group: Hashable, Sendable {
        public let id: GroupEpoch
        public let capacity: GroupCapacity
        public let since: Instant
        /// Sequences of the requests that were assigned and have not ended.
        public internal(set) var sequenceCount = 0
        /// Worst-case KV positions of the same requests.
        public internal(set) var kvTokenCount = 0
        /// At most as many as the group has slots, except that those in use all stay.
        public internal(set) var adapters: [AdapterUse] = []

        init(id: GroupEpoch, capacity: GroupCapacity, since: Instant) {
            self.id = id
            self.capacity = capacity
            self.since = since
        }

        /// Negative when a restarted queue was told of more than it would have promised.
        public var freeKVTokenCount: Int { capacity.kvTokenCountMax - kvTokenCount }
    }

    /// An adapter that a group runs, or that it ran last and may still hold; the last used one last.
    public struct AdapterUse: Hashable, Sendable {
        public var digest: Digest
        /// Assigned requests that use it.
        public var requestCount: Int
    }

    /// By name.
    public private(set) var groups: [Group] = []
    /// Epochs that are over, by group: what is late about one of them is recognised.
    private var ended: [GroupEpoch] = []
    private let groupCountMax: Int

    public init(groupCountMax: Int) {
        precondition(groupCountMax > 0, "a queue has room for at least one group")
        self.groupCountMax = groupCountMax
    }

    public func group(_ name: GroupName) -> Group? { groups.first { $0.id.group == name } }

    /// The last epoch of the group that is over.
    public func lastOver(_ name: GroupName) -> Epoch? { ended.first { $0.group == name }?.epoch }

    /// Whether this epoch of the group, or a later one, is over.
    public func isOver(_ id: GroupEpoch) -> Bool { lastOver(id.group).map { id.epoch <= $0 } ?? false }

    /// Adds a group that has formed. False when there are too many.
    public mutating func insert(_ id: GroupEpoch, capacity: GroupCapacity, now: Instant) -> Bool {
        precondition(group(id.group) == nil, "a group is in the table once")
        guard groups.count < groupCountMax else { return false }
        groups.append(Group(id: id, capacity: capacity, since: now))
        groups.sort { $0.id < $1.id }
        return true
    }

    /// Takes a group out whose epoch, or a later one of the same group, is over.
    public mutating func remove(upTo id: GroupEpoch) {
        groups.removeAll { $0.id.group == id.group && $0.id.epoch <= id.epoch }
        ended.removeAll { $0.group == id.group && $0.epoch <= id.epoch }
        if !ended.contains(where: { $0.group == id.group }) { ended.append(id) }
        if ended.count > groupCountMax { ended.removeFirst() }
    }

    /// Promises the group to a request. Nothing happens when that epoch is not up.
    public mutating func reserve(_ ticket: Ticket, at id: GroupEpoch) {
        guard let index = groups.firstIndex(where: { $0.id == id }) else { return }
        groups[index].sequenceCount += ticket.choiceCount
        groups[index].kvTokenCount += ticket.kvTokenCountMax
        guard let digest = ticket.adapter?.digest else { return }
        let held = groups[index].adapters.firstIndex { $0.digest == digest }
        var use = held.map { groups[index].adapters.remove(at: $0) } ?? AdapterUse(digest: digest, requestCount: 0)
        use.requestCount += 1
        groups[index].adapters.append(use)
        let slotCount = groups[index].capacity.adapterSlotCount
        while groups[index].adapters.count > slotCount,
            let idle = groups[index].adapters.firstIndex(where: { $0.requestCount == 0 })
        {
            groups[index].adapters.remove(at: idle)
        }
    }

    /// A request that the group was promised to has ended there. Nothing happens when that epoch is not up.
    public mutating func release(_ ticket: Ticket, at id: GroupEpoch) {
        guard let index = groups.firstIndex(where: { $0.id == id }) else { return }
        groups[index].sequenceCount -= ticket.choiceCount
        groups[index].kvTokenCount -= ticket.kvTokenCountMax
        precondition(
            groups[index].sequenceCount >= 0 && groups[index].kvTokenCount >= 0, "what is released was reserved")
        guard let digest = ticket.adapter?.digest,
            let use = groups[index].adapters.firstIndex(where: { $0.digest == digest })
        else { return }
        groups[index].adapters[use].requestCount -= 1
    }
}

extension GroupTable.Group {
    /// Whether the group could run the request if it ran nothing else.
    public func couldHold(_ ticket: Ticket) -> Bool {
        let (tokenCount, overflow) = ticket.promptTokenCount.addingReportingOverflow(ticket.tokenCountMax)
        return !overflow && tokenCount <= capacity.sequenceTokenCountMax
            && ticket.choiceCount <= capacity.sequenceCountMax && ticket.kvTokenCountMax <= capacity.kvTokenCountMax
            && (ticket.adapter == nil || capacity.adapterSlotCount > 0)
    }

    /// Whether the group can run the request beside what it was promised to.
    public func hasRoom(for ticket: Ticket) -> Bool {
        guard couldHold(ticket), ticket.choiceCount <= capacity.sequenceCountMax - sequenceCount,
            ticket.kvTokenCountMax <= freeKVTokenCount
        else { return false }
        guard let digest = ticket.adapter?.digest else { return true }
        let inUse = adapters.filter { $0.requestCount > 0 }
        return inUse.contains { $0.digest == digest } || inUse.count < capacity.adapterSlotCount
    }
}
