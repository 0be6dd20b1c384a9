import Synchronization

/// Ends, from any thread, the wait of a rank that opens a collective: the others will not come.
public final class OpenInterruption: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Not raised.
    public init() {}

    /// Ends the wait with `CollectiveError.aborted`, within 20 ms and for good; an open that has returned goes on.
    public func raise() { flag.store(true, ordering: .releasing) }

    /// Whether somebody raised it.
    public var isRaised: Bool { flag.load(ordering: .acquiring) }
}
