import HeddleCore
import HeddleTransport

/// Holds what has come of one answer until the program takes it. The credit that the router was given bounds it.
final class AnswerBuffer: Sendable {
    private struct State {
        var events: [AnswerEvent] = []
        var end: End?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private enum End {
        case finished
        case failed(RequestFailure)
    }

    private let state = Locked(State())

    func add(_ event: AnswerEvent) {
        wake { state in
            if state.end == nil { state.events.append(event) }
        }
    }

    func end(_ failure: RequestFailure?) {
        wake { state in
            if state.end == nil { state.end = failure.map(End.failed) ?? .finished }
        }
    }

    /// The next event; nil after the last; throws where the answer ends badly. One task reads at a time.
    func next() async throws(RequestFailure) -> AnswerEvent? {
        while true {
            let (event, end): (AnswerEvent?, End?) = state.withLock { state in
                if state.events.isEmpty { return (nil, state.end) }
                return (state.events.removeFirst(), nil)
            }
            if let event { return event }
            switch end {
            case .finished: return nil
            case .failed(let failure): throw failure
            case nil: await waitForChange()
            }
        }
    }

    private func waitForChange() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.events.isEmpty || state.end != nil { return true }
                precondition(state.waiter == nil, "an answer is read by one task at a time")
                state.waiter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
