import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// Three ranks: while the others meet, one is lost.
    @Suite(
        .mesh(
            .frontAndTwoRanks,
            changing: { text in
                text.replacing("  - name: worker-1\n", with: "  - name: worker-1\n  - name: worker-2\n")
                    .replacing("ranks: [worker-0, worker-1] ", with: "ranks: [worker-0, worker-1, worker-2] ")
            }))
    struct GroupOfThreeTests {
        /// Rank 1 is killed, and comes back to a rank 2 that stands still and is then killed too. Ranks 0 and 1 wait for it, up
        /// to 20 seconds if nothing told them that they wait in vain.
        @Test(.timeLimit(.minutes(3)), arguments: 0..<3)
        func aRankThatIsLostWhileTheOthersMeetHoldsUpNobody(round: Int) async throws {
            let mesh = RunningMesh.current
            let client = try mesh.client()
            defer { client.close() }
            try await mesh.whole()
            let wanted = await client.answer(to: .request())
            #expect(wanted.failure == nil)
            let old = mesh.processes()["worker-1"]
            try mesh.send(SIGKILL, to: "worker-1")
            _ = try await eventually("another worker-1", look: { mesh.processes()["worker-1"] }) { $0 != nil && $0 != old }
            try mesh.send(SIGSTOP, to: "worker-2")
            // Whether the loss falls into this wait depends on how long rank 1 takes to load.
            let meets = try? await eventually(
                "ranks that meet", within: .milliseconds(1500), look: { try await Self.state(of: "worker-0", in: mesh) }
            ) { $0 == "the ranks meet" }
            let began = ContinuousClock.now
            try mesh.send(SIGKILL, to: "worker-2")
            let answer = await client.answer(to: .request())
            let took = ContinuousClock.now - began
            #expect(answer.choices == wanted.choices && answer.failure == nil)
            #expect(took < .seconds(12), "ranks that met: \(meets != nil)")
        }

        private static func state(of name: String, in mesh: RunningMesh) async throws -> String {
            guard let node = mesh.configuration.node(NodeName(name)) else { throw StartedProcess.Failed("no \(name)") }
            let target = InspectionClient.Target(node: node.name, endpoint: node.inspect)
            let picture = MeshPicture(
                try await InspectionClient.ask([target], InspectionQuery(.everything), deadline: .milliseconds(500)))
            return picture.workers.first?.state.reason ?? ""
        }
    }
}
