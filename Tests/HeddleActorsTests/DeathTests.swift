import Distributed
import Glibc
import HeddleActors
import HeddleCore
import HeddleTransport
import HeddleWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct DeathTests {
    @Test func aKilledProcessIsNoticedAndItsCallsFail() async throws {
        try await withFolder { folder in
            let endpoint = "ipc://\(folder)/b"
            let child = try ChildProcess(
                path: "/proc/self/exe",
                arguments: ["--testing-library", "swift-testing", "--filter", "ChildRoles/hostsAnEcho"],
                environment: ["HEDDLE_TEST_ENDPOINT=\(endpoint)"])
            let near = MeshActorSystem(
                node: nodeA, incarnation: Incarnation(high: 1, low: 1),
                directory: Directory(nodes: [nodeA: nil, nodeB: endpoint], actors: [echoOnB]), contracts: testContracts,
                link: try ZeroMQLink(listeningOn: nil))
            try await near.start()
            var events = near.watch(echoOnB).makeAsyncIterator()
            guard case .up(let incarnation)? = await events.next() else { throw TransportError.unreachable }
            let far = try Echo.resolve(id: echoOnB, using: near)
            let sum = try await far.add(1, to: 1)
            #expect(sum == 2)
            let call = Task(executorPreference: near.taskExecutor) { try await far.untilCancelled() }
            // Answered after the other call was sent.
            _ = try await Task(executorPreference: near.taskExecutor) { try await far.add(1, to: 1) }.value
            child.kill()
            await #expect(throws: RemoteCallError.nodeLost(nodeB)) { try await call.value }
            #expect(await events.next() == .lost(incarnation))
            await #expect(throws: RemoteCallError.nodeUnreachable(nodeB)) { try await far.add(1, to: 1) }
            await near.shutdown()
            child.end()
            unlink("\(folder)/b")
        }
    }

    @Test(arguments: [Wire.memory, .ipc, .tcp]) func aNodeThatEndsIsLost(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            var events = pair.near.watch(node: nodeB).makeAsyncIterator()
            #expect(await events.next() == .up(pair.far.incarnation))
            await pair.far.shutdown()
            #expect(await events.next() == .lost(pair.far.incarnation))
        }
    }

    @Test(arguments: Wire.allCases) func anActorThatIsRetiredIsLost(wire: Wire) async throws {
        try await withPair(wire) { pair, far in
            var events = pair.near.watch(echoOnB).makeAsyncIterator()
            #expect(await events.next() == .up(pair.far.incarnation))
            // Answered after the watch was received.
            _ = try await far.add(1, to: 1)
            pair.far.retire(echoOnB)
            #expect(await events.next() == .lost(pair.far.incarnation))
            let error = await #expect(throws: RemoteCallError.self) { try await far.add(1, to: 1) }
            guard case .noActor? = error else { throw try #require(error) }
        }
    }

    @Test func anActorThatWasNeverThereIsLost() async throws {
        try await withPair(.ipc) { pair, far in
            let nobody = ActorIdentity(node: nodeB, role: RoleName("echo"), name: ActorName("nobody"))
            var events = pair.near.watch(nobody).makeAsyncIterator()
            #expect(await events.next() == .up(pair.far.incarnation))
            #expect(await events.next() == .lost(pair.far.incarnation))
        }
    }

    @Test func aCutConnectionComesBack() async throws {
        let mesh = try await InMemoryMesh(nodes: [nodeA, nodeB], actors: [echoOnB], contracts: testContracts)
        let (near, far) = (mesh.systems[0], mesh.systems[1])
        far.host(role: echoOnB.role, name: echoOnB.name) { Echo(actorSystem: far) }
        try await near.waitUntilUp(nodeB)
        var events = near.watch(node: nodeB).makeAsyncIterator()
        #expect(await events.next() == .up(far.incarnation))
        mesh.cut(nodeB)
        #expect(await events.next() == .lost(far.incarnation))
        #expect(await events.next() == .up(far.incarnation))
        let sum = try await Echo.resolve(id: echoOnB, using: near).add(2, to: 2)
        #expect(sum == 4)
        await mesh.shutdown()
    }

    @Test func callsToAnEarlierStartAreRefused() async throws {
        try await withPair { pair, _ in
            var old = echoOnB
            old.incarnation = Incarnation(high: 0, low: 1)
            let stale = try Echo.resolve(id: old, using: pair.near)
            await #expect(
                throws: RemoteCallError.staleIncarnation(
                    wanted: Incarnation(high: 0, low: 1), present: pair.far.incarnation)
            ) { try await stale.add(1, to: 1) }
        }
    }

    @Test func shutdownFailsWhatIsUnderWay() async throws {
        let gate = Gate()
        try await withPair(.ipc, gate: gate) { pair, far in
            let task = Task { try await far.untilCancelled() }
            await gate.waitUntilEntered()
            await pair.near.shutdown()
            await #expect(throws: RemoteCallError.shuttingDown(nodeA)) { try await task.value }
            await gate.waitUntilLeft()
        }
    }

    @Test func systemsThatEndLeaveNoSocketAndNoThread() async throws {
        let child = try ChildProcess(
            path: "/proc/self/exe",
            arguments: ["--testing-library", "swift-testing", "--filter", "ChildRoles/startsAndEnds"],
            environment: ["HEDDLE_TEST_ENDPOINT=none"])
        #expect(child.end() == 0)
    }
}

/// What other processes of these tests do; not for itself.
@Suite(.enabled(if: getenv("HEDDLE_TEST_ENDPOINT") != nil)) struct ChildRoles {
    @Test func hostsAnEcho() async throws {
        let endpoint = String(cString: try #require(getenv("HEDDLE_TEST_ENDPOINT")))
        var generator = SystemRandomNumberGenerator()
        let system = MeshActorSystem(
            node: nodeB, incarnation: Incarnation(using: &generator),
            directory: Directory(nodes: [nodeA: nil, nodeB: endpoint], actors: [echoOnB]), contracts: testContracts,
            link: try ZeroMQLink(listeningOn: endpoint))
        system.host(role: echoOnB.role, name: echoOnB.name) { Echo(actorSystem: system) }
        try await system.start()
        print("ready")
        fflush(nil)
        // Until it is killed, or its parent is gone.
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            _ = NamedThread(name: "test-input") {
                var byte: UInt8 = 0
                while read(0, &byte, 1) > 0 {}
                continuation.resume()
            }
        }
        await system.shutdown()
    }

    @Test func startsAndEnds() async throws {
        for wire in Wire.allCases { try await startAndEnd(wire) }
        let before = try resources()
        for _ in 0..<3 { for wire in Wire.allCases { try await startAndEnd(wire) } }
        #expect(try resources() == before)
    }

    private func startAndEnd(_ wire: Wire) async throws {
        try await withPair(wire) { _, far in _ = try await far.add(1, to: 1) }
    }

    /// Open descriptors, and threads that are ours or libzmq's.
    private func resources() throws -> [String: Int] {
        var threads = 0
        for task in try entries("/proc/self/task") {
            guard let file = fopen("/proc/self/task/\(task)/comm", "r") else { continue }
            defer { fclose(file) }
            var name = [UInt8](repeating: 0, count: 32)
            let count = fread(&name, 1, name.count, file)
            let text = String(decoding: name.prefix(count), as: UTF8.self)
            if ["io-", "ZMQ", "echo-", "heddle-end"].contains(where: text.hasPrefix) { threads += 1 }
        }
        return ["descriptors": try entries("/proc/self/fd").count, "threads": threads]
    }

    private func entries(_ path: String) throws -> [String] {
        let folder = try #require(opendir(path))
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }
}
