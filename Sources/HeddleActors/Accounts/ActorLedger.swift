import HeddleCore
import HeddleTransport

/// Keeps one actor's account while it lives: written by the I/O thread and the actor's executor, read from anywhere.
final class ActorLedger: Sendable {
    let identity: ActorIdentity
    let place: String
    private let limits: MeshLimits
    private let state = Locked(State())

    private struct Call {
        let method: ContractMethod
        let caller: NodeName
        let arrived: UInt64
        var started: UInt64?
    }

    private struct Method {
        let method: ContractMethod
        var ended: UInt64 = 0
        var errors: UInt64 = 0
        var cancelled: UInt64 = 0
        var latencies = LatencyHistogram()
        var rate = RateMeter()
    }

    private struct State {
        var typeName = ""
        var calls: [UInt64: Call] = [:]
        var waitingCount = 0
        var ticketLast: UInt64 = 0
        var methods: [UInt32: Method] = [:]
        var refused: UInt64 = 0
        var rate = RateMeter()
        var jobsQueued = 0
        var jobsRun: UInt64 = 0
        var jobStarted: UInt64?
        var methodRunning: String?
    }

    init(identity: ActorIdentity, place: String, limits: MeshLimits) {
        self.identity = identity
        self.place = place
        self.limits = limits
    }

    func named(_ typeName: String) { state.withLock { $0.typeName = typeName } }

    /// A remote call arrived: its ticket, or why there is no room for it.
    func arrived(_ method: ContractMethod, caller: NodeName, now: UInt64) throws(RemoteCallError) -> UInt64 {
        try state.withLock { state throws(RemoteCallError) in
            guard state.waitingCount < limits.mailboxDepthMax else {
                state.refused += 1
                throw RemoteCallError.mailboxFull(depthMax: limits.mailboxDepthMax)
            }
            guard state.calls.count < limits.callsPerActorMax else {
                state.refused += 1
                throw RemoteCallError.callsInFlightFull(countMax: limits.callsPerActorMax)
            }
            state.ticketLast += 1
            state.calls[state.ticketLast] = Call(method: method, caller: caller, arrived: now)
            state.waitingCount += 1
            state.rate.add(nowNanoseconds: now)
            return state.ticketLast
        }
    }

    func ended(ticket: UInt64, now: UInt64, outcome: Result<[UInt8], any Error>) {
        state.withLock { state in
            guard let call = state.calls.removeValue(forKey: ticket) else { return }
            if call.started == nil { state.waitingCount -= 1 }
            var method = state.methods.removeValue(forKey: call.method.index) ?? Method(method: call.method)
            method.ended += 1
            method.rate.add(nowNanoseconds: now)
            method.latencies.add(nanoseconds: now &- call.arrived)
            if case .failure(let error) = outcome {
                if error is CancellationError { method.cancelled += 1 } else { method.errors += 1 }
            }
            state.methods[call.method.index] = method
        }
    }

    func jobQueued() { state.withLock { $0.jobsQueued += 1 } }

    /// The executor takes a job up; with a ticket it is the first of that call.
    func jobStarted(ticket: UInt64?, now: UInt64) {
        state.withLock { state in
            state.jobsQueued -= 1
            state.jobsRun += 1
            state.jobStarted = now
            guard let ticket, var call = state.calls[ticket], call.started == nil else { return }
            call.started = now
            state.calls[ticket] = call
            state.waitingCount -= 1
            state.methodRunning = call.method.name
        }
    }

    func jobEnded() {
        state.withLock { state in
            state.jobStarted = nil
            state.methodRunning = nil
        }
    }

    func account(now: UInt64) -> ActorAccount {
        state.withLock { state in
            func age(_ moment: UInt64) -> Duration { .nanoseconds(Int64(clamping: now > moment ? now - moment : 0)) }
            let calls = state.calls.sorted { $0.key < $1.key }.map(\.value)
            return ActorAccount(
                identity: identity, typeName: state.typeName, place: place, mailboxDepth: state.waitingCount,
                mailboxDepthMax: limits.mailboxDepthMax,
                oldestWaiting: calls.first { $0.started == nil }.map { age($0.arrived) },
                jobsQueued: state.jobsQueued, jobRunning: state.jobStarted.map(age), methodRunning: state.methodRunning,
                jobsRun: state.jobsRun,
                callsInFlight: calls.map {
                    ActorAccount.CallInFlight(
                        method: $0.method.name, caller: $0.caller, age: age($0.arrived), running: $0.started.map(age))
                },
                methods: state.methods.sorted { $0.key < $1.key }.map { _, method in
                    ActorAccount.MethodAccount(
                        index: method.method.index, method: method.method.name, callsEnded: method.ended,
                        errors: method.errors, cancelled: method.cancelled,
                        latencyMedian: method.latencies.quantile(0.5), latency99: method.latencies.quantile(0.99),
                        callsPerSecond: method.rate.perSecond(nowNanoseconds: now))
                },
                callsRefused: state.refused, callsPerSecond: state.rate.perSecond(nowNanoseconds: now))
        }
    }
}
