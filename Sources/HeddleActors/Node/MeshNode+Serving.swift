import HeddleCore
import HeddleTransport
import HeddleWire

/// Calls that other nodes make.
extension MeshNode {
    /// A call came: refuse it, or start it. Calls of a connection start in the order in which they came: each task's first
    /// piece runs on this thread and ends with the hop onto the actor's own first-in, first-out executor.
    func called(_ envelope: MeshEnvelope, _ payload: [UInt8], from peer: NodeName, on connection: ConnectionID) {
        let key = IncomingCall.Key(connection: connection, number: envelope.call)
        let local = LocalName(role: envelope.role, name: envelope.name)
        do throws(RemoteCallError) {
            if isClosing { throw RemoteCallError.shuttingDown(name) }
            guard let method = contracts.method(at: envelope.method) else {
                count { $0.callsToUnknownMethods += 1 }
                throw RemoteCallError.unknownMethod(index: envelope.method)
            }
            guard let hosted = system.hosted(local) else {
                count { $0.callsToUnknownActors += 1 }
                throw missing(local)
            }
            // A number that is in flight already would make the answers ambiguous.
            guard incoming[key] == nil else { return unreadable("call number \(envelope.call) is in flight twice") }
            let now = MonotonicClock.nanoseconds()
            let ticket: UInt64
            do throws(RemoteCallError) {
                ticket = try hosted.ledger.arrived(method, caller: peer, now: now)
            } catch {
                count { $0.callsRefused += 1 }
                throw error
            }
            let patience = envelope.deadlineMicroseconds.multipliedReportingOverflow(by: 1000)
            let deadline = now.addingClamped(patience.overflow ? .max : patience.partialValue)
            let call = IncomingCall(
                key: key, hosted: hosted, method: method, payload: payload,
                context: CallContext(deadline: Instant(nanoseconds: deadline), trace: envelope.trace), ticket: ticket)
            incoming[key] = call
            dueNanoseconds = min(dueNanoseconds, deadline)
            let system = self.system
            call.task = Task.detached(executorPreference: system.io.taskExecutor) {
                await call.run(system: system)
                system.ended(call)
            }
        } catch {
            sendUrgent(.failure, on: connection, call: envelope.call, payload: contracts.errors.payload(of: error))
        }
    }

    /// A call's task is through: answer it.
    func ended(_ call: IncomingCall) {
        let outcome = call.outcome ?? .failure(RemoteCallError.resultUnreadable(reason: "the method left no result"))
        call.hosted.ledger.ended(ticket: call.ticket, now: MonotonicClock.nanoseconds(), outcome: outcome)
        call.task = nil
        incoming.removeValue(forKey: call.key)
        answer(call.key, outcome)
        if incoming.isEmpty {
            let waiting = onIdle
            onIdle = []
            for resume in waiting { resume() }
        }
    }

    private func answer(_ key: IncomingCall.Key, _ outcome: Result<[UInt8], any Error>) {
        guard let connection = connections[key.connection], case .up = connection.state else { return }
        switch outcome {
        case .failure(let error):
            sendUrgent(.failure, on: key.connection, call: key.number, payload: contracts.errors.payload(of: error))
        case .success(let payload):
            let envelope = MeshEnvelope(kind: .reply, incarnation: incarnation, call: key.number)
            do throws(TransportError) {
                try link.send(
                    LinkMessage(envelope: envelope.packed(), payload: payload), on: key.connection, isUrgent: false)
                count { $0.messagesSent += 1 }
            } catch {
                // The caller learns in few bytes what did not fit in many.
                count { $0.repliesDropped += 1 }
                let reason = RemoteCallError.notSent(error)
                sendUrgent(
                    .failure, on: key.connection, call: key.number, payload: contracts.errors.payload(of: reason))
            }
        }
    }

    private func missing(_ local: LocalName) -> RemoteCallError {
        guard RoleName.isValid(local.role), ActorName.isValid(local.name) else {
            return .argumentsUnreadable(reason: "the envelope names no actor")
        }
        return .noActor(
            ActorIdentity(node: name, role: RoleName(local.role), name: ActorName(local.name), incarnation: incarnation)
        )
    }
}
