import Glibc

/// Owns every socket of a node: one thread with a mailbox, an eventfd and its own poll(2) over the sockets' descriptors.
///
/// The same thread executes tasks, so that an incoming call is served where it was read, without waking anyone. Whatever
/// blocks or computes for long on it stops the whole node: such actors get a thread of their own.
public final class IOThread: @unchecked Sendable {
    // Safety: `sources`, `pollSet`, `ownContext` and `isStopping` belong to the thread; `thread` is set once in `init`.
    let mailbox = IOMailbox()
    private var sources: [any IOSource] = []
    private var pollSet: [pollfd] = []
    private var pollSetIsStale = true
    private var isStopping = false
    private var thread: NamedThread?
    /// libzmq's side, until the thread ends; shared where `inproc` endpoints join threads of one process.
    private var ownContext: ZeroMQContext?

    /// Tasks that prefer this executor run on the thread.
    public let taskExecutor: IOTaskExecutor
    /// Actors whose `unownedExecutor` this is run on the thread.
    public let serialExecutor: IOSerialExecutor

    /// Items that run between two looks at the sockets.
    static let itemsPerTurnMax = 1024

    public init(name: String = "heddle-io", context: ZeroMQContext = ZeroMQContext()) {
        ownContext = context
        taskExecutor = IOTaskExecutor(mailbox: mailbox)
        serialExecutor = IOSerialExecutor(mailbox: mailbox)
        let owned = Locked(false)
        thread = NamedThread(name: name) { [self] in
            mailbox.own()
            owned.withLock { $0 = true }
            run()
        }
        // The owner must be known before anything may ask `isCurrent`; a thread's start takes microseconds.
        while !owned.withLock({ $0 }) { sched_yield() }
    }

    /// Whether the caller is on the thread.
    public var isCurrent: Bool { mailbox.isCurrent }

    /// The context of this thread's sockets. On the thread only, while it runs.
    func context() throws(TransportError) -> ZeroMQContext {
        precondition(isCurrent, "sockets are made on the I/O thread")
        guard let ownContext else { throw .closed }
        return ownContext
    }

    /// Runs the closure later in this thread's order. On the thread only.
    func later(_ work: @escaping () -> Void) {
        precondition(isCurrent, "this is for the I/O thread itself")
        mailbox.add(.work(work))
    }

    /// Runs the closure on the thread, after what was posted before it; false, and not at all, once the thread has ended.
    @discardableResult
    public func post(_ work: @escaping @Sendable () -> Void) -> Bool { mailbox.add(.work(work)) }

    /// Runs the closure on the thread and waits for it; on the thread itself it runs at once.
    package func sync<Result: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        if isCurrent { return try body() }
        let outcome = Locked<Swift.Result<Result, Failure>?>(nil)
        let done = Signal()
        let posted = post {
            do throws(Failure) {
                let result = try body()
                outcome.withLock { $0 = .success(result) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
            done.raise()
        }
        guard posted else { return nil }
        done.wait()
        return try outcome.withLock { $0 }?.get()
    }

    /// Runs the closure on the thread and hands back what it returned; nil, and not at all, once the thread has ended.
    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result? {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result?, any Error>) in
            let posted = post { continuation.resume(with: Swift.Result { try body() }) }
            if !posted { continuation.resume(returning: nil) }
        }
    }

    /// Looks after the source from now on. On the thread only.
    package func add(_ source: any IOSource) {
        precondition(isCurrent, "sources are added on the I/O thread")
        sources.append(source)
        source.isMarked = true
        pollSetIsStale = true
    }

    /// Forgets the source, without closing it. On the thread only.
    package func remove(_ source: any IOSource) {
        precondition(isCurrent, "sources are removed on the I/O thread")
        sources.removeAll { $0 === source }
        pollSetIsStale = true
    }

    /// Closes every source and ends the thread; waits for the end unless called on it. Stopping twice is harmless.
    public func stop(timeout: Duration = .seconds(5)) {
        post { [self] in isStopping = true }
        guard !isCurrent else { return }
        let thread = joinable.withLock { joinable in
            defer { joinable = false }
            return joinable ? self.thread : nil
        }
        _ = thread?.join(timeout: timeout)
    }
    private let joinable = Locked(true)

    private func run() {
        var batch: [IOMailbox.Item] = []
        while !isStopping {
            mailbox.take(into: &batch)
            var left = Self.itemsPerTurnMax
            // A call hops between executors of this thread; none of its hops should cost a look at the sockets.
            while !batch.isEmpty {
                for item in batch { execute(item) }
                left -= batch.count
                batch.removeAll(keepingCapacity: true)
                if left > 0 { mailbox.takeLocal(into: &batch) }
            }
            serviceMarked()
            if !isStopping { look() }
        }
        for source in sources.reversed() { source.close() }
        sources = []
        ownContext = nil
        // Whoever posted something waits for it: it runs, and finds everything closed.
        mailbox.refuseMore()
        repeat {
            mailbox.take(into: &batch)
            for item in batch { execute(item) }
            batch.removeAll(keepingCapacity: true)
        } while !mailbox.isEmpty
        mailbox.disown()
    }

    private func execute(_ item: IOMailbox.Item) {
        switch item {
        case .work(let work): work()
        case .job(let job, let runner, let tag): runner.run(job, tag: tag)
        }
    }

    private var hasMarkedSource: Bool { sources.contains { $0.isMarked } }

    /// Lets the sources that were given something to send run, before anything waits.
    private func serviceMarked() {
        guard hasMarkedSource else { return }
        let now = MonotonicClock.nanoseconds()
        for source in sources where source.isMarked {
            source.isMarked = false
            source.service(nowNanoseconds: now)
        }
    }

    /// Waits for the next event, or only glances when there is work, and lets every source that has reason to run.
    private func look() {
        if pollSetIsStale { rebuildPollSet() }
        var timeout: Int32 = 0
        if !hasMarkedSource, mailbox.fallAsleep() { timeout = waitMilliseconds() }
        let ready = poll(&pollSet, nfds_t(pollSet.count), timeout)
        if ready > 0, pollSet[0].revents != 0 { mailbox.wokeUp() }
        let now = MonotonicClock.nanoseconds()
        var slot = 1
        for source in sources {
            var isReady = source.isMarked || source.dueNanoseconds <= now
            // A source that was added meanwhile has no slot yet, and is marked.
            if source.descriptor >= 0, slot < pollSet.count, pollSet[slot].fd == source.descriptor {
                if ready > 0, pollSet[slot].revents != 0 { isReady = true }
                slot += 1
            }
            if isReady {
                source.isMarked = false
                source.service(nowNanoseconds: now)
            }
        }
    }

    private func waitMilliseconds() -> Int32 {
        var due = UInt64.max
        for source in sources { due = min(due, source.dueNanoseconds) }
        guard due != .max else { return -1 }
        let now = MonotonicClock.nanoseconds()
        guard due > now else { return 0 }
        return Int32(clamping: (due - now) / 1_000_000 + 1)
    }

    private func rebuildPollSet() {
        pollSet = [pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
        for source in sources where source.descriptor >= 0 {
            pollSet.append(pollfd(fd: source.descriptor, events: Int16(POLLIN), revents: 0))
        }
        pollSetIsStale = false
    }
}
