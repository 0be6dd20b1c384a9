import HeddleCore
import HeddleFiles
import HeddleGrammar
import HeddleTransport

/// Turns prompts into tokens and checks schemas on a thread of its own, the tenants in turn: long ones hold up their tenant alone,
/// and never the threads that everybody shares.
final class PromptEncoder: Sendable {
    /// Prompts of one tenant that wait at most.
    static let depthMax = 64
    /// What a client is told to wait when its tenant has so many.
    static let retryAfter: Duration = .milliseconds(250)

    private struct Work: Sendable {
        let run: @Sendable () -> Void
        let refuse: @Sendable (RequestError) -> Void
    }

    private struct Queue {
        var work = RoundRobin<TenantName, Work>(depthMax: PromptEncoder.depthMax)
        var isStopping = false
    }

    private let queue: Locked<Queue>
    private let signal: Signal
    private let thread: NamedThread

    init(threadName: String = "encode") {
        let queue = Locked(Queue())
        let signal = Signal()
        self.queue = queue
        self.signal = signal
        thread = NamedThread(name: threadName) { Self.run(queue, signal) }
    }

    /// A client's text never becomes a control token: only a template's own tokens are added.
    ///
    /// - Throws: `RequestError.busy` where the tenant has too many prompts here, `shuttingDown` after `stop`.
    func tokens(of text: String, for tenant: TenantName, by tokenizer: Tokenizer) async throws -> [TokenID] {
        try await tokens(for: tenant) { tokenizer.encode(text, parseSpecialTokens: false) }
    }

    /// The tokens of a prompt that has still to be written.
    ///
    /// - Throws: what `encode` throws, and as for a text.
    func tokens(for tenant: TenantName, _ encode: @escaping @Sendable () throws -> [TokenID]) async throws -> [TokenID]
    {
        try await run(for: tenant, encode)
    }

    /// Checks that a constraint can be enforced, by compiling it for no vocabulary in particular.
    ///
    /// - Throws: `RequestError.schemaInvalid` with the place and the keyword; else as `tokens`.
    func check(_ constraint: OutputConstraint, for tenant: TenantName) async throws {
        try await run(for: tenant) {
            do throws(SchemaError) { _ = try Automaton(constraint) } catch {
                throw RequestError.schemaInvalid(reason: error.description)
            }
        }
    }

    private func run<Value: Sendable>(
        for tenant: TenantName, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let work = Work(
                run: { continuation.resume(with: Result { try body() }) },
                refuse: { continuation.resume(throwing: $0) })
            let refusal = queue.withLock { queue -> RequestError? in
                if queue.isStopping { return .shuttingDown }
                return queue.work.add(work, to: tenant) ? nil : .busy(retryAfter: Self.retryAfter)
            }
            if let refusal { work.refuse(refusal) } else { signal.raise() }
        }
    }

    /// Refuses what waits and ends the thread.
    func stop() {
        let waiting = queue.withLock { queue in
            queue.isStopping = true
            return queue.work.removeAll()
        }
        for work in waiting { work.refuse(.shuttingDown) }
        signal.raise()
        _ = thread.join(timeout: .seconds(1))
    }

    private static func run(_ queue: Locked<Queue>, _ signal: Signal) {
        while true {
            let (next, isStopping) = queue.withLock { ($0.work.next(), $0.isStopping) }
            if let next {
                next.run()
            } else if isStopping {
                return
            } else {
                signal.wait()
            }
        }
    }
}
