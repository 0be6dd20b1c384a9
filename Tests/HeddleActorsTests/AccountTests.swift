import Distributed
import HeddleActors
import HeddleCore
import HeddleWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct AccountTests {
    @Test func aStuckActorShowsAsItIs() async throws {
        let gate = Gate()
        try await withPair(.ipc, gate: gate) { pair, far in
            let other = ActorIdentity(node: nodeB, role: echoOnB.role, name: ActorName("two"))
            let farSystem = pair.far
            farSystem.host(role: other.role, name: other.name) { Echo(actorSystem: farSystem) }
            let stuck = Task(executorPreference: pair.near.taskExecutor) { try await far.block() }
            await gate.waitUntilEntered()
            let waiting = (0..<3).map { number in
                Task(executorPreference: pair.near.taskExecutor) { try await far.note(number) }
            }
            // Arrives after the three, over the same connection.
            let second = try Echo.resolve(id: other, using: pair.near)
            let marker = Task(executorPreference: pair.near.taskExecutor) { try await second.add(1, to: 1) }
            _ = try await marker.value

            let account = try #require(pair.far.account(of: echoOnB))
            #expect(account.mailboxDepth == 3)
            #expect(account.jobsQueued == 3)
            #expect(account.jobRunning != nil)
            #expect(account.methodRunning == "Echo.block()")
            #expect(account.oldestWaiting != nil)
            #expect(
                account.callsInFlight.map(\.method) == ["Echo.block()", "Echo.note()", "Echo.note()", "Echo.note()"])
            #expect(account.callsInFlight.map { $0.running != nil } == [true, false, false, false])
            #expect(account.callsInFlight.allSatisfy { $0.caller == nodeA })

            gate.open()
            try await stuck.value
            for task in waiting { try await task.value }
            let later = try #require(pair.far.account(of: echoOnB))
            #expect(later.mailboxDepth == 0)
            #expect(later.callsInFlight.isEmpty)
            #expect(later.methods.map(\.method).contains("Echo.note()"))
            #expect(later.methods.first { $0.method == "Echo.note()" }?.callsEnded == 3)
            #expect(later.typeName == "Echo")
        }
    }

    @Test func errorsAndCancellationsAreCountedApart() async throws {
        let gate = Gate()
        try await withPair(gate: gate) { pair, far in
            await #expect(throws: RemoteCallError.self) { try await far.failStrangely() }
            let task = Task { try await far.untilCancelled() }
            await gate.waitUntilEntered()
            task.cancel()
            _ = await task.result
            await gate.waitUntilLeft()
            // The cancelled call's answer goes nowhere, so the callee itself is asked when it is through.
            await pair.far.waitUntilIdle()
            let account = try #require(pair.far.account(of: echoOnB))
            #expect(account.methods.first { $0.method == "Echo.failStrangely()" }?.errors == 1)
            #expect(account.methods.first { $0.method == "Echo.untilCancelled()" }?.cancelled == 1)
            #expect(account.methods.first { $0.method == "Echo.untilCancelled()" }?.errors == 0)
        }
    }

    @Test func aFullMailboxRefusesTheNextCallWithItsLimit() async throws {
        let gate = Gate()
        var limits = MeshLimits()
        limits.mailboxDepthMax = 2
        try await withPair(.tcp, gate: gate, limits: limits) { pair, far in
            let stuck = Task(executorPreference: pair.near.taskExecutor) { try await far.block() }
            await gate.waitUntilEntered()
            let calls = (0..<3).map { number in
                Task(executorPreference: pair.near.taskExecutor) { try await far.note(number) }
            }
            await #expect(throws: RemoteCallError.mailboxFull(depthMax: 2)) { try await calls[2].value }
            gate.open()
            try await stuck.value
            try await calls[0].value
            try await calls[1].value
            #expect(pair.far.counters.callsRefused == 1)
            #expect(pair.far.account(of: echoOnB)?.callsRefused == 1)
        }
    }

    @Test func localCallsShowAsJobs() async throws {
        try await withPair { pair, _ in
            let local = try Echo.resolve(id: echoOnB, using: pair.far)
            _ = try await local.noted()
            let account = try #require(pair.far.account(of: echoOnB))
            #expect(account.jobsRun >= 1)
            #expect(account.methods.isEmpty)
        }
    }

    @Test func quantilesAreRightWithinAnEighth() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for microseconds in 1...1000 { histogram.record(.microseconds(microseconds)) }
        let median = histogram.quantile(0.5)
        #expect((437...563).contains(median.microseconds))
        let high = histogram.quantile(0.99)
        #expect((866...1114).contains(high.microseconds))
    }
}

extension Duration? {
    var microseconds: Int64 { (self?.components.attoseconds ?? 0) / 1_000_000_000_000 }
}
