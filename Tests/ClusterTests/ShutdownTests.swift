import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// However a mesh ends, nothing of it stays, and it can be started again at once.
    @Suite struct ShutdownTests {
        @Test(.timeLimit(.minutes(2)), arguments: [SIGTERM, SIGINT, SIGHUP])
        func aSignalEndsEverything(signal: Int32) async throws {
            let mesh = try await RunningMesh.start(.frontAndTwoRanks)
            #expect(Set(mesh.processes().keys) == ["up", "front", "worker-0", "worker-1"])
            let client = try mesh.client()
            defer { client.close() }
            var open = try client.submit(.long()).makeAsyncIterator()
            while let event = try await open.next() { if case .tokens = event { break } }
            mesh.supervisor.send(signal)
            var code: String?
            do throws(RequestFailure) {
                while try await open.next() != nil {}
            } catch {
                code = error.code
            }
            #expect(code == "shutting_down")
            let ended = try await mesh.supervisor.ended(within: .seconds(15))
            #expect(ended.code == 0, "\(ended.errors)")
            try await mesh.expectNothingLeft()

            let again = try await RunningMesh.start(file: mesh.file, in: mesh.folder)
            #expect(await client.answer(to: .request()).failure == nil)
            try await again.stop()
        }

        @Test(.timeLimit(.minutes(2))) func downEndsADetachedMesh() async throws {
            let folder = try TemporaryFolder()
            let file = try RunningMesh.write(.frontAndTwoRanks, in: folder)
            let up = try await HeddleProgram.run(["up", "--detach", "-c", file], within: RunningMesh.patience)
            #expect(up.code == 0, "\(up.errors)")
            #expect(up.output.contains("heddle down -c \(file)"))
            let second = try await HeddleProgram.run(["up", "-c", file])
            #expect(second.code == 2)
            #expect(second.errors.contains("up already"))
            let answer = try await HeddleProgram.run([
                "submit", "-c", file, "--model", "sql", "--key", "demo-acme", "--max-tokens", "8", "Hello",
            ])
            #expect(answer.code == 0, "\(answer.errors)")
            let down = try await HeddleProgram.run(["down", "-c", file], within: RunningMesh.patience)
            #expect(down.code == 0, "\(down.errors)")
            let mesh = try await RunningMesh.start(file: file, in: folder)
            try await mesh.stop()
            let nothing = try await HeddleProgram.run(["down", "-c", file])
            #expect(nothing.code == 1)
            #expect(nothing.errors.contains("is not up"))
        }

        @Test(.timeLimit(.minutes(2))) func nodesEndWithAKilledSupervisor() async throws {
            let mesh = try await RunningMesh.start(.twoGroups)
            // The promise that a process ends with its supervisor is the kernel's to one of its threads: those that come
            // and go have gone by now.
            try await Task.sleep(for: .seconds(8))
            mesh.supervisor.send(SIGKILL)
            _ = try await mesh.supervisor.ended(within: .seconds(5))
            _ = try await eventually(
                "the end of the nodes", within: .seconds(5), look: { mesh.processes() }, until: { $0.isEmpty })
            // What lies there still is nobody's, and no obstacle.
            let again = try await RunningMesh.start(file: mesh.file, in: mesh.folder)
            let client = try again.client()
            #expect(await client.answer(to: .request()).failure == nil)
            client.close()
            again.supervisor.send(SIGKILL)
            _ = try await again.supervisor.ended(within: .seconds(5))
            _ = try await eventually(
                "the end of the nodes", within: .seconds(5), look: { again.processes() }, until: { $0.isEmpty })
            let down = try await HeddleProgram.run(["down", "-c", mesh.file])
            #expect(down.code == 1)
            try await again.expectNothingLeft(wasKilled: true)
        }

        @Test(.timeLimit(.minutes(1))) func aStoppedNodeDoesNotHoldUpTheEnd() async throws {
            let mesh = try await RunningMesh.start(.frontAndTwoRanks)
            try mesh.send(SIGSTOP, to: "worker-1")
            try await mesh.stop()
        }
    }
}
