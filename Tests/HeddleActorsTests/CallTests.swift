import Distributed
import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

let testContracts = ContractTable(testMethods)

@Suite struct CallTests {
    @Test func aCallBringsItsResultBack() async throws {
        try await withPair { near, far in
            let sum = try await far.add(40, to: 2)
            #expect(sum == 42)
            let bytes = try await far.echo([1, 2, 3])
            #expect(bytes == [1, 2, 3])
        }
    }

    @Test func callsOfOneCallerStartInOrder() async throws {
        try await withPair { near, far in
            for number in 0..<200 { try await far.note(number) }
            let result = try await far.noted()
            #expect(result == Array(0..<200))
        }
    }

    @Test func callsThatAreNotWaitedForStartInTheOrderInWhichTheyWereMade() async throws {
        try await withPair { near, far in
            // All made on the I/O thread, one after the other, before any has an answer.
            let tasks = (0..<300).map { number in
                Task(executorPreference: near.taskExecutor) { try await far.note(number) }
            }
            for task in tasks { try await task.value }
            let result = try await far.noted()
            #expect(result == Array(0..<300))
        }
    }

    @Test func typedErrorsArriveAsThemselves() async throws {
        try await withPair { near, far in
            await #expect(throws: RequestError.tenantLaneFull(depthMax: 512)) {
                try await far.refuse(.tenantLaneFull(depthMax: 512))
            }
        }
    }

    @Test func unregisteredErrorsArriveWithTypeAndText() async throws {
        try await withPair { near, far in
            await #expect(throws: RemoteCallError.remoteFailure(type: "Strange", message: "Strange(number: 7)")) {
                try await far.failStrangely()
            }
        }
    }
}

/// Two nodes, with an echo on the second; the body gets the first system and a remote reference.
func withPair(
    gate: Gate? = nil, place: ActorPlace = .ownThread, limits: MeshLimits = MeshLimits(),
    _ body: (MeshActorSystem, Echo) async throws -> Void
) async throws {
    let mesh = try await InMemoryMesh.pair(contracts: testContracts, limits: limits)
    let (near, far) = (mesh.systems[0], mesh.systems[1])
    far.host(role: RoleName("echo"), name: ActorName("one"), on: place) { Echo(actorSystem: far, gate: gate) }
    let remote = try Echo.resolve(
        id: ActorIdentity(node: far.node, role: RoleName("echo"), name: ActorName("one")), using: near)
    do {
        try await body(near, remote)
    } catch {
        await mesh.shutdown()
        throw error
    }
    await mesh.shutdown()
}
