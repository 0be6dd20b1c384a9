import HeddleTransport

/// Where a hosted actor's work runs.
public enum ActorPlace: Sendable {
    /// A thread that is made for the actor and ends with the system. The default: a stuck actor stops nobody else.
    case ownThread
    /// The node's I/O thread: remote calls are fastest, but whatever blocks or computes for long stops the whole node.
    case ioThread
    /// A thread that several actors share.
    case thread(DedicatedThreadExecutor)
}

/// One hosted actor's executor: passes its jobs on to the thread where it runs and writes them into its ledger.
final class ActorExecutor: SerialExecutor, JobRunner {
    enum Target: Sendable {
        case io(IOSerialExecutor)
        case thread(DedicatedThreadExecutor)
    }

    let target: Target
    private let ledger: ActorLedger
    private let starting: StartingCall

    init(target: Target, ledger: ActorLedger, starting: StartingCall) {
        self.target = target
        self.ledger = ledger
        self.starting = starting
    }

    func enqueue(_ job: consuming ExecutorJob) {
        ledger.jobQueued()
        let tag = starting.take(for: ledger)
        switch target {
        case .io(let executor): executor.add(UnownedJob(job), runner: self, tag: tag)
        case .thread(let executor): executor.add(UnownedJob(job), runner: self, tag: tag)
        }
    }

    func run(_ job: UnownedJob, tag: AnyObject?) {
        ledger.jobStarted(ticket: (tag as? IncomingCall)?.ticket, now: MonotonicClock.nanoseconds())
        job.runSynchronously(on: asUnownedSerialExecutor())
        ledger.jobEnded()
    }
}

/// Which remote call the I/O thread is starting at the moment: the first job that reaches the actor's executor meanwhile is
/// the call's own, and its start is the call's start.
final class StartingCall: @unchecked Sendable {
    // Safety: `call` is touched on the I/O thread alone; other threads turn back at `isCurrent`.
    private let io: IOThread
    private var call: IncomingCall?

    init(io: IOThread) { self.io = io }

    // A task that outlives the thread runs elsewhere, and then nothing is started here.
    func begin(_ call: IncomingCall) { if io.isCurrent { self.call = call } }
    func end() { if io.isCurrent { call = nil } }

    func take(for ledger: ActorLedger) -> IncomingCall? {
        guard io.isCurrent, let call, call.hosted.ledger === ledger else { return nil }
        self.call = nil
        return call
    }
}
