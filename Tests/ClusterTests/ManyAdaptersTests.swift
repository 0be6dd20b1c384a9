import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// More adapters than a group has slots: every request makes another adapter leave, and none may suffer from it.
    @Suite struct ManyAdaptersTests {
        static let count = 40

        @Test(.timeLimit(.minutes(3))) func eachIsLoadedWhenItsTurnComes() async throws {
            let folder = try TemporaryFolder()
            var lines = "adapters:\n"
            for index in 0..<Self.count {
                let path = try folder.copy("\(Topology.folder)/demo/adapters/sql", as: "copy-\(index)")
                try Self.mark(path, index)
                lines += "  - {name: copy-\(index), model: demo, path: \(path)}\n"
            }
            let changed = lines
            let mesh = try await RunningMesh.start(.frontAndTwoRanks, in: folder) {
                $0.replacing("adapters:\n", with: changed, maxReplacements: 1)
            }
            do { try await check(mesh) } catch {
                try? await mesh.stop()
                throw error
            }
            try await mesh.stop()
        }

        /// Makes a copy another adapter than the rest, by the last bit of one weight and the bits before it.
        private static func mark(_ folder: String, _ index: Int) throws {
            let path = "\(folder)/adapter_model.safetensors"
            guard var bytes = FileManager.default.contents(atPath: path), bytes.count > 4 else {
                throw StartedProcess.Failed("\(path) is empty")
            }
            bytes[bytes.count - 4] ^= UInt8(index + 1)
            try bytes.write(to: URL(fileURLWithPath: path))
        }

        private func check(_ mesh: RunningMesh) async throws {
            let client = try mesh.client()
            defer { client.close() }
            for round in 0..<4 {
                for index in 0..<Self.count {
                    let submission = ClientSubmission.request(
                        model: "copy-\(index)", sampling: RequestedSampling(tokenCountMax: 2))
                    let failure = await client.failure(of: submission)
                    #expect(failure == nil, "copy-\(index) in round \(round): \(String(describing: failure))")
                }
            }
        }
    }
}
