import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// Adapters whose files are spoiled, or made for another model: only those who ask for them hear of it.
    @Suite struct BadAdapterTests {
        /// A copy of a good adapter, and how it is spoiled.
        struct Spoiled: Sendable {
            let name: String
            let spoil: @Sendable (String) throws -> Void
            /// What the failure names.
            let names: [String]
        }

        static let weights = "adapter_model.safetensors"

        static let spoiled = [
            Spoiled(
                name: "truncated",
                spoil: { folder in
                    let path = "\(folder)/\(weights)"
                    guard let bytes = FileManager.default.contents(atPath: path) else { return }
                    try bytes.prefix(bytes.count - 100).write(to: URL(fileURLWithPath: path))
                }, names: [weights]),
            Spoiled(
                name: "corrupt",
                spoil: { folder in
                    let path = "\(folder)/\(weights)"
                    guard var bytes = FileManager.default.contents(atPath: path) else { return }
                    for index in 8..<200 { bytes[index] = UInt8(truncatingIfNeeded: index &* 37) }
                    try bytes.write(to: URL(fileURLWithPath: path))
                }, names: [weights]),
            Spoiled(
                name: "empty", spoil: { try Data().write(to: URL(fileURLWithPath: "\($0)/\(weights)")) },
                names: [weights]),
            Spoiled(
                name: "renamed",
                spoil: { folder in
                    // The length of the header stays, so that only the tensor's name is another.
                    let path = "\(folder)/\(weights)"
                    guard var bytes = FileManager.default.contents(atPath: path),
                        let place = bytes.firstRange(of: Data("q_proj.lora_A".utf8))
                    else { throw StartedProcess.Failed("the adapter has no q_proj") }
                    bytes.replaceSubrange(place, with: Data("x_proj.lora_A".utf8))
                    try bytes.write(to: URL(fileURLWithPath: path))
                }, names: ["x_proj"]),
            Spoiled(
                name: "unset",
                spoil: { try "{}".write(toFile: "\($0)/adapter_config.json", atomically: true, encoding: .utf8) },
                names: ["adapter_config.json"]),
            Spoiled(
                name: "halfset",
                spoil: { folder in
                    let path = "\(folder)/adapter_config.json"
                    let text = try String(contentsOfFile: path, encoding: .utf8)
                    try String(text.prefix(text.count / 2)).write(toFile: path, atomically: true, encoding: .utf8)
                }, names: ["adapter_config.json"]),
        ]

        /// Of the engine's tests: an adapter for a model of another shape.
        static var foreign: String {
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("HeddleEngineTests/Goldens/heads4/adapters/all").path
        }

        @Test(.timeLimit(.minutes(2))) func onlyThoseWhoAskForThemHearOfIt() async throws {
            let folder = try TemporaryFolder()
            var lines = "adapters:\n"
            for bad in Self.spoiled {
                let path = try folder.copy("\(Topology.folder)/demo/adapters/sql", as: bad.name)
                try bad.spoil(path)
                lines += "  - {name: \(bad.name), model: demo, path: \(path)}\n"
            }
            lines += "  - {name: foreign, model: demo, path: \(Self.foreign)}\n"
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

        private func check(_ mesh: RunningMesh) async throws {
            let client = try mesh.client()
            defer { client.close() }
            var open = try client.submit(.long(model: "french")).makeAsyncIterator()
            while let event = try await open.next() { if case .tokens = event { break } }
            let cases = Self.spoiled.map { ($0.name, $0.names) } + [("foreign", ["tensor", "shape"])]
            for (name, words) in cases {
                for _ in 0..<2 {
                    let failure = await client.failure(of: .request(model: name))
                    #expect(failure?.code == "adapter_invalid", "\(name): \(String(describing: failure))")
                    #expect(failure?.parameter == "model")
                    let message = failure?.message ?? ""
                    #expect(message.contains(name), "\(message)")
                    if name == "foreign" {
                        #expect(words.contains { message.contains($0) } || message.contains("_proj"), "\(message)")
                    } else {
                        for word in words { #expect(message.contains(word), "\(name): \(message)") }
                    }
                }
            }
            // The request that ran meanwhile runs on.
            guard case .tokens? = try await open.next() else {
                Issue.record("the request with a good adapter ended")
                return
            }
            let answers = await client.answers(to: Topology.adapters.map { .request(model: $0, tenant: "dune") })
            #expect(answers.allSatisfy { $0.failure == nil })
            let repaired = "\(mesh.folder.path)/truncated/\(Self.weights)"
            let good = "\(Topology.folder)/demo/adapters/sql/\(Self.weights)"
            try Data(contentsOf: URL(fileURLWithPath: good)).write(to: URL(fileURLWithPath: repaired), options: .atomic)
            // An adapter's description is looked at again after a second.
            let mended = try await eventually(
                "a mended adapter", look: { await client.answer(to: .request(model: "truncated")) }
            ) { $0.failure == nil }
            let same = await client.answer(to: .request(model: "sql"))
            #expect(mended.choices == same.choices)
        }
    }
}
