import Synchronization

/// Bytes that wait for one peer, from any thread's send until libzmq has taken them (or, for large frames, written them).
final class ByteBudget: Sendable {
    private let queued = Atomic<Int>(0)

    /// Frames up to this size are copied into libzmq and forgotten: the high-water mark bounds them. Larger ones count until
    /// they are written.
    static let forgottenByteCountMax = 2048

    /// Counts bytes in, or refuses them with what waits already.
    func reserve(_ byteCount: Int, bytesMax: Int) throws(TransportError) {
        let (_, now) = queued.add(byteCount, ordering: .relaxed)
        // One message more than the budget is allowed when nothing else waits, or a large one could never be sent.
        guard now <= bytesMax || now == byteCount else {
            queued.subtract(byteCount, ordering: .relaxed)
            throw .backPressure(bytesQueued: now - byteCount, bytesMax: bytesMax)
        }
    }

    func release(_ byteCount: Int) { queued.subtract(byteCount, ordering: .relaxed) }

    var bytesQueued: Int { queued.load(ordering: .relaxed) }
}

/// Gives one frame's bytes back when libzmq lets go of it.
final class BudgetHold: @unchecked Sendable {
    // Safety: `isVoid` is set before libzmq could call back from its own thread, or never.
    let budget: ByteBudget
    let byteCount: Int
    var isVoid = false

    init(budget: ByteBudget, byteCount: Int) {
        self.budget = budget
        self.byteCount = byteCount
    }

    func release() { if !isVoid { budget.release(byteCount) } }
}
