import HeddleActors
import HeddleCore
import Synchronization

/// Delivers one sender's messages to one remote actor, in order, and several in one call where they pile up.
///
/// A call that fails is made again, after a pause that doubles, with the same messages: every role's messages may arrive
/// twice. Messages that are too large for one call go in several; one that is too large alone is given up. Only `close`, or an error that says that this start of the receiver is gone, gives messages up; then whoever
/// watches the receiver's node has been told, and what was lost is made good from the owners (law 3).
package final class Outbox<Message: Sendable>: Sendable {
    /// How many messages wait at most; more are given up, which the receiver's owner notices by its deadlines.
    package let depthMax: Int
    private let messages: Mutex<State>
    private let send: @Sendable ([Message]) async throws -> Void
    private let gaveUp: @Sendable (_ count: Int, _ reason: String) -> Void

    private struct State {
        var waiting: [Message] = []
        var isSending = false
        var isClosed = false
    }

    private static var batchCountMax: Int { 256 }
    private static var pauseFirst: Duration { .milliseconds(10) }
    private static var pauseMax: Duration { .milliseconds(500) }

    package init(
        depthMax: Int = 65_536, send: @escaping @Sendable ([Message]) async throws -> Void,
        gaveUp: @escaping @Sendable (_ count: Int, _ reason: String) -> Void
    ) {
        self.depthMax = depthMax
        messages = Mutex(State())
        self.send = send
        self.gaveUp = gaveUp
    }

    /// Queues a message behind all earlier ones. Never waits.
    package func post(_ message: Message) {
        let (isFirst, isFull) = messages.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            guard state.waiting.count < depthMax else { return (false, true) }
            state.waiting.append(message)
            if state.isSending { return (false, false) }
            state.isSending = true
            return (true, false)
        }
        if isFull { gaveUp(1, "\(depthMax) messages already wait") }
        if isFirst { outliving { Task { await drain() } } }
    }

    /// Forgets what waits and takes nothing more.
    package func close() {
        messages.withLock { state in
            state.isClosed = true
            state.waiting = []
        }
    }

    package var depth: Int { messages.withLock { $0.waiting.count } }

    private func drain() async {
        while let batch = next() { await deliver(batch) }
    }

    private func deliver(_ batch: [Message]) async {
        var pause = Self.pauseFirst
        while true {
            do {
                return try await send(batch)
            } catch RemoteCallError.notSent(.messageTooLarge) where batch.count > 1 {
                await deliver(Array(batch[..<(batch.count / 2)]))
                return await deliver(Array(batch[(batch.count / 2)...]))
            } catch {
                if isClosed || Self.isFinal(error) { return gaveUp(batch.count, "\(error)") }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauseMax)
            }
        }
    }

    private func next() -> [Message]? {
        messages.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isSending = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchCountMax))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private var isClosed: Bool { messages.withLock { $0.isClosed } }

    /// Whether making the call again cannot help.
    private static func isFinal(_ error: any Error) -> Bool {
        switch error as? RemoteCallError {
        case .staleIncarnation, .unknownNode, .noActorInRole, .unknownMethod, .notInContract, .genericMethod,
            .argumentsUnreadable, .handshakeRefused, .wrongActorType, .notSent(.messageTooLarge): true
        default: error is CancellationError
        }
    }
}
