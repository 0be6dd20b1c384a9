/// Remembers the worker groups that are up, what each can hold and what was promised to it.
public struct GroupTable: Sendable {
    /// One group in its present epoch.
    public struct Group: Hashable, Sendable {
        public let id: GroupEpoch
        public let capacity: GroupCapacity
        /// Sequences of the requests that were assigned and have not ended.
        public var sequenceCount = 0
        /// Worst-case KV positions of the same requests.
        public var kvTokenCount = 0
        /// Requests by adapter; 0 for adapters that the group held last and may still hold.
        public var adapters: [AdapterUse] = []

        public init(id: GroupEpoch, capacity: GroupCapacity) {
            self.id = id
            self.capacity = capacity
        }

        public var freeKVTokenCount: Int { capacity.kvTokenCountMax - kvTokenCount }
        /// Different adapters that assigned requests use.
        public var usedAdapterCount: Int { adapters.reduce(0) { $0 + ($1.requestCount > 0 ? 1 : 0) } }
    }

    /// An adapter that a group runs or may still hold, the last used one last.
    public struct AdapterUse: Hashable, Sendable {
        public var digest: Digest
        public var requestCount: Int
    }

    /// By name.
    public internal(set) var groups: [Group] = []

    public init() {}
}
