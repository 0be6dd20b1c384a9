/// Decides which of the groups with room gets a request.
public enum PlacementPolicy: UInt8, Hashable, Sendable {
    /// A group that runs the adapter, then one that may still hold it, then any; among these the one with the fewest
    /// free blocks, so that the others stay free for long requests or can be drained; then by name.
    case pack
    /// The same, with the most free blocks first.
    case spread
}
