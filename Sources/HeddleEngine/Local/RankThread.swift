import Dispatch
import Glibc
import HeddleCollective
import HeddleCore
import HeddleFiles
import Synchronization

/// Owns the thread of one rank of a `LocalEngine` that is not rank 0: it obeys commands in order until told to stop.
///
/// A rank that fails aborts the collective, so that the others do not wait for it.
final class RankThread: Sendable {
    enum Command: Sendable {
        case map(AdapterFolder, AdapterSlot)
        case unmap(AdapterSlot)
        case run(StepPlan)
        case stop
    }

    private let commands = Mutex<[Command]>([])
    private let commandCount = DispatchSemaphore(value: 0)
    private let answers = Mutex<[Result<Void, any Error>]>([])
    private let answerCount = DispatchSemaphore(value: 0)

    /// Starts the thread; `make` runs on it, and its answer is the first that `wait` gives.
    init(
        collective: any Collective, threadRefused: Int,
        make: @escaping @Sendable () throws -> CPUForwardPass
    ) throws(EngineError) {
        let body = ThreadBody { [self] in
            var pass: CPUForwardPass?
            answer { pass = try make() }
            while true {
                let command = next()
                if case .stop = command { break }
                guard let pass else { continue }
                answer {
                    do { try pass.obey(command) } catch let error as PlanError { throw error } catch {
                        collective.abort()
                        throw error
                    }
                }
            }
        }
        guard body.start() else { throw .threadsRefused(count: threadRefused) }
    }

    func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        commandCount.signal()
    }

    /// Waits for the answer to the oldest command, or to the start, that was not waited for yet.
    func wait() throws {
        answerCount.wait()
        try answers.withLock { $0.removeFirst() }.get()
    }

    private func next() -> Command {
        commandCount.wait()
        return commands.withLock { $0.removeFirst() }
    }

    private func answer(_ body: () throws -> Void) {
        let result = Result(catching: body)
        answers.withLock { $0.append(result) }
        answerCount.signal()
    }
}

extension CPUForwardPass {
    /// Carries out what rank 0 told this rank.
    func obey(_ command: RankThread.Command) throws {
        switch command {
        case .map(let folder, let slot):
            try mapAdapter(
                PackedAdapter(folder: folder, for: shard.shape), slot: slot)
        case .unmap(let slot): try unmapAdapter(slot)
        case .run(let plan): _ = try run(plan)
        case .stop: break
        }
    }
}

/// A detached POSIX thread that runs one closure; Foundation's would pull Foundation into the engine.
private final class ThreadBody {
    private let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }

    func start() -> Bool {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Safety: the thread takes over the reference that is handed to it, once.
        let handle = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, handle)
        if code != 0 { Unmanaged<ThreadBody>.fromOpaque(handle).release() }
        return code == 0
    }
}
