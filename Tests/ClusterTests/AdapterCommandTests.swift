import Foundation
import Testing

extension WholeMesh {
    /// What `heddle adapter show` says of a folder, without any mesh.
    @Suite struct AdapterCommandTests {
        private let sql = "\(Topology.folder)/demo/adapters/sql"

        @Test(.timeLimit(.minutes(1))) func anAdapterThatFitsIsShown() async throws {
            let text = try await HeddleProgram.run(["adapter", "show", sql, "--model-dir", Topology.model])
            #expect(text.code == 0 && text.errors.isEmpty, "\(text.errors)")
            #expect(text.output.contains("MODULE") && text.output.contains("fits \(Topology.model)"), "\(text.output)")
            let json = try await HeddleProgram.run(["adapter", "show", sql, "--model-dir", Topology.model, "--json"])
            let answer = try object(json)
            #expect(answer["fits"] as? Bool == true && (answer["refusals"] as? [Any])?.isEmpty == true)
            let modules = answer["modules"] as? [[String: Any]] ?? []
            #expect(!modules.isEmpty)
            for module in modules {
                let (rank, alpha) = (module["rank"] as? Double ?? 0, module["alpha"] as? Double ?? 0)
                #expect(rank > 0 && module["scale"] as? Double == alpha / rank, "\(module)")
            }
            let alone = try object(try await HeddleProgram.run(["adapter", "show", sql, "--json"]))
            #expect(alone["fits"] == nil && (alone["modules"] as? [Any])?.count == modules.count)
            #expect(alone["digest"] as? String == answer["digest"] as? String)
        }

        @Test(.timeLimit(.minutes(1))) func whatIsRefusedIsNamed() async throws {
            let foreign = try await HeddleProgram.run(
                ["adapter", "show", BadAdapterTests.foreign, "--model-dir", Topology.model])
            #expect(foreign.code == 2 && foreign.output.contains("refused: the adapter's tensor"), "\(foreign.output)")
            let folder = try TemporaryFolder()
            let path = try folder.copy(sql, as: "dora")
            let config = "\(path)/adapter_config.json"
            let written = try String(contentsOfFile: config, encoding: .utf8)
            let changed = written.replacing("{", with: #"{"use_dora": true, "novelty": 1, "#, maxReplacements: 1)
                .replacing(#/"use_dora": false,/#, with: "")
            try changed.write(toFile: config, atomically: true, encoding: .utf8)
            let refused = try await HeddleProgram.run(["adapter", "show", path])
            #expect(refused.code == 2)
            #expect(refused.output.contains("adapter_config.json: use_dora = true is not supported"), "\(refused.output)")
            #expect(refused.output.contains("the field “novelty” (1) is unknown"))
            let none = try await HeddleProgram.run(["adapter", "show", path + "-none"])
            #expect(none.code == 1 && none.errors.contains("adapter_config.json"))
        }

        private func object(_ ended: StartedProcess.Ended) throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
        }
    }
}
