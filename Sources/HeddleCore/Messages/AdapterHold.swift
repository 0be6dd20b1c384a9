/// One adapter slot of one epoch of one group, as the holder of what the cache pins for it.
public struct AdapterHold: Hashable, Sendable {
    public let group: GroupEpoch
    public let slot: AdapterSlot

    public init(group: GroupEpoch, slot: AdapterSlot) {
        self.group = group
        self.slot = slot
    }
}
