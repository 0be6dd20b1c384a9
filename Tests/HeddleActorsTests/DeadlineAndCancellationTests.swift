import Distributed
import HeddleActors
import HeddleCore
import HeddleWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct DeadlineAndCancellationTests {
    @Test(arguments: Wire.allCases) func aCallEndsAtItsDeadlineAndTheCalleeIsCancelled(wire: Wire) async throws {
        let gate = Gate()
        try await withPair(wire, gate: gate) { pair, far in
            // Connected first: a call whose deadline passes before it is sent never reaches the callee.
            _ = try await far.add(1, to: 1)
            let error = await #expect(throws: RemoteCallError.self) {
                try await withDeadline(.milliseconds(300)) { try await far.untilCancelled() }
            }
            guard case .deadlineExceeded(let after)? = error else { throw try #require(error) }
            #expect(after <= .milliseconds(300))
            await gate.waitUntilLeft()
            #expect(pair.near.counters.deadlinesExceeded == 1)
        }
    }

    @Test(arguments: Wire.allCases) func cancellingTheCallerReachesTheCallee(wire: Wire) async throws {
        let gate = Gate()
        try await withPair(wire, gate: gate) { pair, far in
            let task = Task { try await far.untilCancelled() }
            await gate.waitUntilEntered()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await gate.waitUntilLeft()
        }
    }

    @Test func aCancelledTaskDoesNotCall() async throws {
        try await withPair { pair, far in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await far.note(1)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let noted = try await far.noted()
            #expect(noted.isEmpty)
        }
    }

    @Test func theCalleeSeesWhatIsLeftOfTheDeadline() async throws {
        try await withPair { pair, far in
            let left = try await withDeadline(.seconds(3)) { try await far.deadlineLeft() }
            #expect(try #require(left) <= .seconds(3))
            let standard = try await far.deadlineLeft()
            #expect(try #require(standard) <= .seconds(5))
        }
    }

    @Test func anOuterDeadlineIsNotExtended() async throws {
        try await withPair { pair, far in
            let left = try await withDeadline(.seconds(2)) {
                try await withDeadline(.seconds(100)) { try await far.deadlineLeft() }
            }
            #expect(try #require(left) <= .seconds(2))
        }
    }

    @Test func theTraceTravels() async throws {
        try await withPair(.ipc) { pair, far in
            let trace = TraceContext(traceHigh: 1, traceLow: 42, span: 3, flags: 1)
            let seen = try await withTrace(trace) { try await far.trace() }
            #expect(seen == 42)
        }
    }
}
