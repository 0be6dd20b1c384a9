import CZeroMQ
import Glibc
import Synchronization

/// What other threads hand to an I/O thread: work and jobs in order of arrival, and the eventfd that wakes it.
///
/// The thread itself adds to a second list without a lock. After `close`, jobs go to a thread that the process keeps for
/// such latecomers, so that no task hangs for having preferred an executor that is gone.
final class IOMailbox: @unchecked Sendable {
    /// One thing to do.
    enum Item {
        case work(() -> Void)
        case job(UnownedJob, any JobRunner, tag: AnyObject?)
    }

    private struct Shared {
        var items: [Item] = []
        /// The thread is about to wait, or waits: whoever adds next must wake it.
        var asleep = false
        var closed = false
    }

    // Safety: `local` is touched by the owning thread alone; everything else is behind the lock or atomic.
    private let shared = Locked(Shared())
    private var local: [Item] = []
    /// The owner, 0 before it starts and after it ends: the system may give its handle to another thread then.
    private let thread = Atomic<UInt>(0)
    let wakeDescriptor: Int32

    init() {
        wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(wakeDescriptor >= 0, "the system refuses an eventfd (error \(errno)): too many open files")
    }

    deinit { Glibc.close(wakeDescriptor) }

    /// Marks the calling thread as the owner.
    func own() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

    var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Adds from any thread; false once closed, when work is dropped and jobs run elsewhere.
    @discardableResult
    func add(_ item: Item) -> Bool {
        if isCurrent {
            local.append(item)
            return true
        }
        let (wake, closed) = shared.withLock { shared in
            guard !shared.closed else { return (false, true) }
            shared.items.append(item)
            defer { shared.asleep = false }
            return (shared.asleep, false)
        }
        if wake { ring() }
        guard closed else { return true }
        if case .job = item { LateJobs.thread.add(item) }
        return false
    }

    /// Moves everything that waits behind `batch`, which must be empty.
    func take(into batch: inout [Item]) {
        swap(&batch, &local)
        shared.withLock { shared in
            shared.asleep = false
            guard !shared.items.isEmpty else { return }
            if batch.isEmpty {
                swap(&batch, &shared.items)
            } else {
                batch.append(contentsOf: shared.items)
                shared.items.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Moves what the thread itself has added into `batch`, which must be empty.
    func takeLocal(into batch: inout [Item]) { swap(&batch, &local) }

    var isEmpty: Bool { local.isEmpty && shared.withLock { $0.items.isEmpty } }

    /// Announces that the thread is going to wait; false when something arrived meanwhile.
    func fallAsleep() -> Bool {
        guard local.isEmpty else { return false }
        return shared.withLock { shared in
            guard shared.items.isEmpty else { return false }
            shared.asleep = true
            return true
        }
    }

    /// Clears the eventfd after a wait.
    func wokeUp() {
        var count: UInt64 = 0
        _ = read(wakeDescriptor, &count, 8)
    }

    /// Refuses what comes later from other threads; what is here already can still be taken.
    func refuseMore() { shared.withLock { $0.closed = true } }

    /// Gives the ownership up: the thread ends.
    func disown() { thread.store(0, ordering: .relaxed) }

    private func ring() {
        var one: UInt64 = 1
        _ = write(wakeDescriptor, &one, 8)
    }
}

/// Runs one job of a task on the thread that calls it.
package protocol JobRunner: AnyObject, Sendable {
    /// `tag` is what the enqueuer attached.
    func run(_ job: UnownedJob, tag: AnyObject?)
}

/// The process's thread for jobs whose own executor has ended.
enum LateJobs {
    static let thread = LateJobThread()
}

/// Runs late jobs one after the other, for as long as the process lives.
final class LateJobThread: @unchecked Sendable {
    // Safety: `items` is behind the lock; the semaphore is only waited on and posted.
    private let items = Locked<[IOMailbox.Item]>([])
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        _ = NamedThread(name: "heddle-late") { [self] in run() }
    }

    func add(_ item: IOMailbox.Item) {
        items.withLock { $0.append(item) }
        sem_post(semaphore)
    }

    private func run() {
        while true {
            sem_wait(semaphore)
            let item = items.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if case .job(let job, let runner, let tag)? = item { runner.run(job, tag: tag) }
        }
    }
}
