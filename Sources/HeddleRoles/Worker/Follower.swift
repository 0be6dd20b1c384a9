import HeddleCore
import HeddleTransport

/// Runs the plans that rank 0 broadcasts, on a thread of its own, until the epoch ends.
final class Follower: Sendable {
    private let progress: Locked<Progress>
    private let thread: NamedThread

    /// What this rank has run.
    struct Progress {
        var stepCount: UInt64 = 0
        var rowCount = 0
    }

    /// - Parameter ended: called once, on the follower's thread, with what ended it.
    init(engine: RankEngine, name: String, ended: @escaping @Sendable (any Error) -> Void) {
        let progress = Locked(Progress())
        self.progress = progress
        thread = NamedThread(name: name) {
            do {
                while true {
                    let plan = try engine.obey()
                    progress.withLock { progress in
                        progress.stepCount += 1
                        progress.rowCount = plan.rowCount
                    }
                }
            } catch {
                engine.abort()
                ended(error)
            }
        }
    }

    var present: Progress { progress.withLock { $0 } }

    /// Waits for the thread's end; false when it is still busy after this long. Its engine must have been aborted.
    func join(timeout: Duration) -> Bool { thread.join(timeout: timeout) }
}
