import Foundation
import Testing

/// `heddle model show`, for people and for programs.
@Suite struct ModelCommandTests {
    private let demo = Topology.model

    @Test func theDemoModelIsShown() async throws {
        let text = try await HeddleProgram.run(["model", "show", demo])
        #expect(text.code == 0 && text.errors.isEmpty && text.output.contains("LlamaForCausalLM, 4 layers"))
        #expect(text.output.contains("KV per token    4096 bytes") && text.output.contains("refused         nothing"))
        let json = try await HeddleProgram.run(["model", "show", "--json", demo])
        let answer = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let model = try #require(answer["model"] as? [String: Any])
        #expect(model["parameters"] as? Int == 3_672_320 && model["kvBytesPerToken"] as? Int == 4096)
        #expect((model["packedBytes"] as? [String: Int])?["f32"] == 14_680_064)
        #expect((answer["refusals"] as? [String])?.isEmpty == true)
    }

    @Test func everyRefusalIsALine() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "heddle-model-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let config = try String(contentsOfFile: demo + "/config.json", encoding: .utf8)
        let changed = config.replacingOccurrences(
            of: "\"hidden_act\": \"silu\"", with: "\"hidden_act\": \"relu\", \"odd\": 1")
        #expect(changed != config)
        try changed.write(to: folder.appending(path: "config.json"), atomically: true, encoding: .utf8)
        let ended = try await HeddleProgram.run(["model", "show", folder.path()])
        let lines = ended.output.split(separator: "\n")
        #expect(ended.code == 2 && lines.count == 2 && lines.allSatisfy { $0.hasPrefix("refused ") }, "\(ended.output)")
        let nobody = try await HeddleProgram.run(["model", "show", folder.path() + "/none"])
        #expect(nobody.code == 1 && nobody.errors.contains("there is no file"))
    }
}
