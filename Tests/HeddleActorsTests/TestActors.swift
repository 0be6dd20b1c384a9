import Distributed
import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire

/// What the tests call: one method for each thing that can happen to a call.
distributed actor Echo {
    typealias ActorSystem = MeshActorSystem
    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.executor(of: id) }

    private let gate: Gate?
    private var log: [Int] = []

    init(actorSystem: MeshActorSystem, gate: Gate? = nil) {
        self.actorSystem = actorSystem
        self.gate = gate
    }

    distributed func echo(_ bytes: [UInt8]) -> [UInt8] { bytes }

    distributed func add(_ left: Int, to right: Int) -> Int { left &+ right }

    distributed func note(_ number: Int) { log.append(number) }

    distributed func noted() -> [Int] { log }

    distributed func refuse(_ error: RequestError) throws { throw error }

    distributed func failStrangely() throws { throw Strange(number: 7) }

    /// Waits inside the actor until the gate opens, without letting anyone else in.
    distributed func block() { gate?.waitBlocking() }

    /// Suspends until the task is cancelled.
    distributed func untilCancelled() async throws {
        gate?.enter()
        do {
            try await Task.sleep(for: .seconds(3600))
        } catch {
            gate?.leave()
            throw error
        }
    }

    distributed func deadlineLeft() -> Duration? {
        CallContext.current.deadline.map { $0.duration(since: CallContext.now) }
    }

    distributed func trace() -> UInt64 { CallContext.current.trace?.traceLow ?? 0 }
}

struct Strange: Error {
    let number: Int
}

/// Lets a test wait for an actor and an actor for a test, without sleeping.
final class Gate: @unchecked Sendable {
    // Safety: semaphores and streams may be used from any thread.
    private let opened = Signal()
    let entered: AsyncStream<Void>
    let left: AsyncStream<Void>
    private let enteredContinuation: AsyncStream<Void>.Continuation
    private let leftContinuation: AsyncStream<Void>.Continuation

    init() {
        (entered, enteredContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        (left, leftContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
    }

    func enter() { enteredContinuation.yield() }
    func leave() { leftContinuation.yield() }
    func open() { opened.raise() }

    func waitUntilEntered() async { for await _ in entered { return } }
    func waitUntilLeft() async { for await _ in left { return } }

    func waitBlocking() {
        enter()
        opened.wait()
        leave()
    }
}
