import Distributed
import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct CallTests {
    @Test(arguments: Wire.allCases) func aCallBringsItsResultBack(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            let sum = try await far.add(40, to: 2)
            #expect(sum == 42)
            let bytes = try await far.echo([1, 2, 3])
            #expect(bytes == [1, 2, 3])
        }
    }

    @Test(arguments: Wire.allCases) func callsOfOneCallerStartInOrder(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            for number in 0..<200 { try await far.note(number) }
            let result = try await far.noted()
            #expect(result == Array(0..<200))
        }
    }

    @Test(arguments: Wire.allCases) func callsThatAreNotWaitedForStartInTheOrderInWhichTheyWereMade(wire: Wire)
        async throws
    {
        try await withPair(wire) { pair, far in
            // All made on the I/O thread, one after the other, before any has an answer.
            let tasks = (0..<300).map { number in
                Task(executorPreference: pair.near.taskExecutor) { try await far.note(number) }
            }
            for task in tasks { try await task.value }
            let result = try await far.noted()
            #expect(result == Array(0..<300))
        }
    }

    @Test(arguments: Wire.allCases) func typedErrorsArriveAsThemselves(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            await #expect(throws: RequestError.tenantLaneFull(depthMax: 512)) {
                try await far.refuse(.tenantLaneFull(depthMax: 512))
            }
        }
    }

    @Test(arguments: Wire.allCases) func unregisteredErrorsArriveWithTypeAndText(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            await #expect(throws: RemoteCallError.remoteFailure(type: "Strange", message: "Strange(number: 7)")) {
                try await far.failStrangely()
            }
        }
    }
}
