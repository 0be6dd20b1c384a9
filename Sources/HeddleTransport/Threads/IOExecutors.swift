/// Runs tasks that prefer it on the I/O thread.
public final class IOTaskExecutor: TaskExecutor, JobRunner {
    private let mailbox: IOMailbox
    init(mailbox: IOMailbox) { self.mailbox = mailbox }

    public func enqueue(_ job: consuming ExecutorJob) { mailbox.add(.job(UnownedJob(job), self, tag: nil)) }

    package func run(_ job: UnownedJob, tag: AnyObject?) { job.runSynchronously(on: asUnownedTaskExecutor()) }
}

/// Runs actors on the I/O thread. Another object than the task executor: the runtime does not bear one that is both.
public final class IOSerialExecutor: SerialExecutor, JobRunner {
    private let mailbox: IOMailbox
    init(mailbox: IOMailbox) { self.mailbox = mailbox }

    public func enqueue(_ job: consuming ExecutorJob) { mailbox.add(.job(UnownedJob(job), self, tag: nil)) }

    package func run(_ job: UnownedJob, tag: AnyObject?) { job.runSynchronously(on: asUnownedSerialExecutor()) }

    /// Puts a job of another executor into the thread's queue.
    package func add(_ job: UnownedJob, runner: any JobRunner, tag: AnyObject?) {
        mailbox.add(.job(job, runner, tag: tag))
    }
}
