import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// Far more adapters than slots, and than the adapter-cache may hold at once.
    @Suite struct AdapterRoomTests {
        /// Copies of the smaller demo adapters under other names.
        private static let copies = ["sql", "json", "python", "german", "spanish", "pirate"].flatMap { name in
            ["one", "two"].map { (name: "\(name)-\($0)", of: name) }
        }

        private static func mesh(
            _ topology: Topology, bytes: String, slots: Int, copying copies: [(name: String, of: String)]
        ) async throws -> RunningMesh {
            let folder = try TemporaryFolder()
            var lines = ""
            for (index, copy) in copies.enumerated() {
                let path = try folder.copy("\(Topology.folder)/demo/adapters/\(copy.of)", as: copy.name)
                // Other bytes and the same meaning: another digest, so nothing is shared with the adapter it is a copy of.
                let configuration = "\(path)/adapter_config.json"
                let text = try String(contentsOfFile: configuration, encoding: .utf8)
                try (text + String(repeating: "\n", count: index + 1)).write(
                    toFile: configuration, atomically: true, encoding: .utf8)
                lines += "  - {name: \(copy.name), model: demo, path: \(path)}\n"
            }
            let added = lines
            return try await RunningMesh.start(topology, in: folder) { text in
                let first = "  - {name: sql, model: demo"
                let changed = text.replacing(first, with: added + first, maxReplacements: 1)
                    .replacing("adapterCache: {bytes: 128MiB}", with: "")
                    .replacing("adapterCache:", with: "").replacing("  bytes: 256MiB", with: "")
                    .replacing("kvTokens: 32768}", with: "kvTokens: 32768, adapterSlots: \(slots)}")
                    .replacing("    kvTokens: 65536", with: "    adapterSlots: \(slots)\n    kvTokens: 65536")
                    .replacing("    adapterSlots: 32 ", with: "    # ")
                return changed + "\nadapterCache: {bytes: \(bytes)}\n"
            }
        }

        private static func lend(_ mesh: RunningMesh, _ body: (RunningMesh) async throws -> Void) async throws {
            do { try await body(mesh) } catch {
                try? await mesh.stop()
                throw error
            }
            try await mesh.stop()
        }

        @Test(.timeLimit(.minutes(3)), arguments: [Topology.oneProcess, .twoGroups])
        func everyAdapterIsServedInTurnWithTheSameTokens(topology: Topology) async throws {
            try await Self.lend(
                try await Self.mesh(topology, bytes: "1MiB", slots: 3, copying: Self.copies)
            ) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                var known: [String: [CollectedAnswer.Choice]] = [:]
                // One after the other on an idle mesh, then all at once.
                for round in 0..<2 {
                    for copy in Self.copies {
                        let answer = await client.answer(to: .request(model: copy.name, deadline: .seconds(20)))
                        #expect(answer.failure == nil, "\(copy.name), round \(round)")
                        let expected = known[copy.of] ?? answer.choices
                        known[copy.of] = expected
                        #expect(answer.choices == expected, "\(copy.name), round \(round)")
                    }
                }
                let crowd = (0..<3).flatMap { _ in Self.copies }
                let answers = await client.answers(to: crowd.map { .request(model: $0.name) })
                for (copy, answer) in zip(crowd, answers) {
                    #expect(answer.failure == nil, "\(copy.name), all at once")
                    #expect(answer.choices == known[copy.of], "\(copy.name), all at once")
                }
                try await mesh.idle()
            }
        }

        @Test(.timeLimit(.minutes(2))) func whoFindsAllInUseHearsNoCapacityAndOneThatNeverFitsItsBytes() async throws {
            try await Self.lend(try await Self.mesh(.oneProcess, bytes: "1MiB", slots: 32, copying: [])) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                let failure = await client.failure(of: .request(model: "french"))
                #expect(failure?.code == "adapter_invalid", "\(String(describing: failure))")
                #expect(failure?.message.contains("the adapter-cache may hold 1048576") ?? false)
                // Together they leave less than the third needs.
                var open: [AnswerStream.AsyncIterator] = []
                for (seed, model) in ["spanish", "sql", "sql"].enumerated() {
                    var events = try client
                        .submit(.long(model: model, seed: UInt64(seed))).makeAsyncIterator()
                    while let event = try await events.next() { if case .tokens = event { break } }
                    open.append(events)
                }
                let refused = await client.failure(of: .request(model: "german", deadline: .milliseconds(1400)))
                #expect(refused?.code == "no_capacity", "\(String(describing: refused))")
                #expect(refused?.message.contains("room in the adapter-cache") ?? false, "\(refused?.message ?? "")")
                for index in open.indices {
                    guard case .tokens? = try await open[index].next() else {
                        Issue.record("a request that held its adapter has ended")
                        return
                    }
                }
            }
        }

        @Test(.timeLimit(.minutes(2))) func anAdapterThatIsWrittenIntoInPlaceEndsNothing() async throws {
            let copy = (name: "sql-one", of: "sql")
            try await Self.lend(
                try await Self.mesh(.frontAndTwoRanks, bytes: "16MiB", slots: 8, copying: [copy])
            ) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                let before = mesh.processes()
                let whole = await client.answer(to: .request(model: copy.name))
                #expect(whole.failure == nil)
                let path = "\(mesh.folder.path)/\(copy.name)/adapter_model.safetensors"
                let bytes = try #require(FileManager.default.contents(atPath: path))
                let file = try #require(FileHandle(forWritingAtPath: path))
                // Ever shorter and whole again, while requests ask what it is.
                for turn in 0..<20 {
                    try file.truncate(atOffset: UInt64(bytes.count * (turn % 10) / 10))
                    async let asked = client.answer(to: .request(model: copy.name))
                    try file.seek(toOffset: 0)
                    try file.write(contentsOf: bytes)
                    _ = await asked
                }
                try file.close()
                let again = try await eventually(
                    "a mended adapter", look: { await client.answer(to: .request(model: copy.name)) }
                ) { $0.failure == nil }
                #expect(again.choices == whole.choices)
                #expect(mesh.processes() == before, "a process has ended")
                // What somebody has deleted from the cache's directory is packed again.
                let other = await client.answer(to: .request(model: "json"))
                for name in FileManager.default.enumerator(atPath: "\(mesh.runtime)/adapters") ?? .init() {
                    guard let name = name as? String, name.hasSuffix(".heddle") else { continue }
                    try FileManager.default.removeItem(atPath: "\(mesh.runtime)/adapters/\(name)")
                }
                let answers = await client.answers(to: ["json", "german"].map { .request(model: $0) })
                #expect(answers.allSatisfy { $0.failure == nil } && answers[0].choices == other.choices)
            }
        }
    }
}
