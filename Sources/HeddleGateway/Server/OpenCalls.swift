import HeddleRoles
import Synchronization

/// Knows the calls that are being answered: nudges their clients' streams, and waits for their ends when the node ends.
final class OpenCalls: Sendable {
    private struct State {
        var isDraining = false
        var clients: [ObjectIdentifier: LocalClient] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isDraining: Bool { state.withLock { $0.isDraining } }
    var count: Int { state.withLock { $0.clients.count } }

    /// A call begins; false where none may begin any more.
    func began(_ client: LocalClient) -> Bool {
        state.withLock { state in
            guard !state.isDraining else { return false }
            state.clients[ObjectIdentifier(client)] = client
            return true
        }
    }

    func ended(_ client: LocalClient) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.clients[ObjectIdentifier(client)] = nil
            guard state.clients.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Gives every stream's writer something to do.
    func nudge() {
        for client in state.withLock({ Array($0.clients.values) }) { client.nudge() }
    }

    /// From now on no call begins.
    func startDraining() { state.withLock { $0.isDraining = true } }

    /// Returns when no call is open.
    func allEnded() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.clients.isEmpty { state.waiting.append(continuation) }
                return state.clients.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Ends every call that is still open.
    func endAll() {
        for client in state.withLock({ Array($0.clients.values) }) { client.leave() }
    }
}
