/// One adapter slot of one rank's process in one epoch of its group, as the holder of what the cache pins for it.
public struct AdapterHold: Hashable, Sendable {
    public let group: GroupEpoch
    public let slot: AdapterSlot
    /// The start of the rank's process: when one is lost, what a later one holds stays held.
    public let incarnation: Incarnation

    public init(group: GroupEpoch, slot: AdapterSlot, incarnation: Incarnation) {
        self.group = group
        self.slot = slot
        self.incarnation = incarnation
    }
}
