import HeddleCore
import HeddleTransport
import HeddleWire

/// Calls that this node makes.
extension MeshNode {
    /// Takes a call over from its task: sends it, parks it until its node appears for the first time, or ends it.
    func begin(_ call: OutgoingCall) {
        if call.isCancelled.load(ordering: .acquiring) { return call.end(.failure(CancellationError())) }
        if isClosing { return fail(call, .shuttingDown(name)) }
        guard outgoing.count < limits.callsInFlightMax else {
            return fail(call, .callsInFlightFull(countMax: limits.callsInFlightMax))
        }
        guard call.deadline > MonotonicClock.nanoseconds() else {
            count { $0.deadlinesExceeded += 1 }
            return fail(call, .deadlineExceeded(after: call.patience))
        }
        guard let peer = peers[call.target.node] else { return fail(call, .unknownNode(call.target.node)) }
        switch peer.state {
        case .up(let connection, let incarnation):
            outgoing[call.number] = call
            transmit(call, on: connection, incarnation: incarnation)
        case .neverSeen:
            guard peer.parked.count < limits.callsParkedPerNodeMax else {
                return fail(call, .callsInFlightFull(countMax: limits.callsParkedPerNodeMax))
            }
            outgoing[call.number] = call
            peers[call.target.node]?.parked.append(call.number)
        case .lost: return fail(call, .nodeUnreachable(call.target.node))
        case .refused(_, let refusal): return fail(call, .handshakeRefused(refusal))
        }
        dueNanoseconds = min(dueNanoseconds, call.deadline)
    }

    /// Sends a call that is in the table, or ends it.
    func transmit(_ call: OutgoingCall, on connection: ConnectionID, incarnation present: Incarnation) {
        if let wanted = call.target.incarnation, wanted != present {
            outgoing.removeValue(forKey: call.number)
            return fail(call, .staleIncarnation(wanted: wanted, present: present))
        }
        let now = MonotonicClock.nanoseconds()
        let left = call.deadline > now ? call.deadline - now : 0
        let envelope = MeshEnvelope(
            kind: .call, incarnation: incarnation, call: call.number, role: call.target.role.text,
            name: call.target.name.text, method: call.method.index, deadlineMicroseconds: max(1, left / 1000),
            trace: call.trace)
        call.connection = connection
        do throws(TransportError) {
            try link.send(
                LinkMessage(envelope: envelope.packed(), payload: call.payload), on: connection, isUrgent: false)
            count { $0.messagesSent += 1 }
        } catch {
            outgoing.removeValue(forKey: call.number)
            fail(call, .notSent(error))
        }
    }

    /// A result or an error came.
    func answered(_ number: UInt64, on connection: ConnectionID, _ result: Result<[UInt8], any Error>) {
        guard let call = outgoing[number], call.connection == connection else {
            return count { $0.repliesLate += 1 }
        }
        outgoing.removeValue(forKey: number)
        call.end(result)
    }

    /// The caller's task was cancelled.
    func cancel(_ call: OutgoingCall) {
        guard outgoing.removeValue(forKey: call.number) != nil else { return }
        withdraw(call)
        call.end(.failure(CancellationError()))
    }

    /// Ends every call whose deadline has passed, in both directions, and finds the next moment.
    func expire(now: UInt64) {
        var next = UInt64.max
        var expired: [OutgoingCall] = []
        for call in outgoing.values {
            if call.deadline <= now { expired.append(call) } else { next = min(next, call.deadline) }
        }
        for call in expired.sorted(by: { $0.number < $1.number }) {
            outgoing.removeValue(forKey: call.number)
            count { $0.deadlinesExceeded += 1 }
            withdraw(call)
            call.end(.failure(RemoteCallError.deadlineExceeded(after: call.patience)))
        }
        // A callee whose caller is too stuck to withdraw the call stops by itself.
        for call in incoming.values {
            guard let deadline = call.context.deadline?.nanoseconds else { continue }
            if deadline <= now { call.task?.cancel() } else { next = min(next, deadline) }
        }
        dueNanoseconds = next
    }

    func failParked(of peer: NodeName, with error: RemoteCallError) {
        let parked = peers[peer]?.parked ?? []
        peers[peer]?.parked = []
        for number in parked {
            if let call = outgoing.removeValue(forKey: number) { fail(call, error) }
        }
    }

    /// Tells the callee that nobody waits any more.
    private func withdraw(_ call: OutgoingCall) {
        guard let connection = call.connection else {
            peers[call.target.node]?.parked.removeAll { $0 == call.number }
            return
        }
        sendUrgent(.cancel, on: connection, call: call.number)
    }

    private func fail(_ call: OutgoingCall, _ error: RemoteCallError) { call.end(.failure(error)) }
}
