import HeddleTransport

/// A thread of its own for actors that compute or block: nobody else's work waits behind theirs.
public final class DedicatedThreadExecutor: SerialExecutor, JobRunner {
    private struct Item {
        let job: UnownedJob
        let runner: any JobRunner
        let tag: AnyObject?
    }

    private struct Queue {
        var items: [Item] = []
        var isStopping = false
    }

    public let name: String
    private let queue: Locked<Queue>
    private let signal: Signal
    private let thread: NamedThread

    public init(name: String) {
        self.name = name
        let queue = Locked(Queue())
        let signal = Signal()
        self.queue = queue
        self.signal = signal
        thread = NamedThread(name: name) { Self.run(queue, signal) }
    }

    public func enqueue(_ job: consuming ExecutorJob) { add(UnownedJob(job), runner: self, tag: nil) }

    package func run(_ job: UnownedJob, tag: AnyObject?) { job.runSynchronously(on: asUnownedSerialExecutor()) }

    /// Puts a job of another executor into the thread's queue.
    func add(_ job: UnownedJob, runner: any JobRunner, tag: AnyObject?) {
        queue.withLock { $0.items.append(Item(job: job, runner: runner, tag: tag)) }
        signal.raise()
    }

    /// Ends the thread after what is queued; false when it is still busy after this long and is left behind. Jobs that are
    /// queued later never run.
    public func stop(timeout: Duration = .seconds(2)) -> Bool {
        let isFirst = queue.withLock { queue in
            defer { queue.isStopping = true }
            return !queue.isStopping
        }
        guard isFirst, !thread.isCurrent else { return true }
        signal.raise()
        return thread.join(timeout: timeout)
    }

    private static func run(_ queue: Locked<Queue>, _ signal: Signal) {
        var batch: [Item] = []
        while true {
            let isStopping = queue.withLock { queue in
                swap(&batch, &queue.items)
                return queue.isStopping
            }
            if batch.isEmpty {
                if isStopping { return }
                signal.wait()
                continue
            }
            for item in batch { item.runner.run(item.job, tag: item.tag) }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
