import Dispatch
import Synchronization

/// Runs numbered pieces of work on some threads, in the order in which threads become free.
enum Workers {
    /// Returns nil when all pieces are done, or the first failure when the pieces in work are.
    ///
    /// - Parameter body: gets the worker's number, below `threadCount`, and the piece's; its answer is why the piece failed. Pieces
    ///   and workers share nothing that is written.
    static func run<Failure: Error>(
        _ count: Int, threadCount: Int, _ body: (_ worker: Int, _ piece: Int) -> Failure?
    ) -> Failure? {
        let workers = min(threadCount, count)
        if workers <= 1 {
            for piece in 0..<count {
                if let failure = body(0, piece) { return failure }
            }
            return nil
        }
        let next = Atomic<Int>(0)
        let first = Mutex<Failure?>(nil)
        withoutActuallyEscaping(body) { body in
            // Safety: what pieces and workers write is their own, and the call does not return before all are done.
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                while first.withLock({ $0 == nil }) {
                    let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    if piece >= count { return }
                    if let failure = body(worker, piece) { first.withLock { $0 = $0 ?? failure } }
                }
            }
        }
        return first.withLock { $0 }
    }
}
