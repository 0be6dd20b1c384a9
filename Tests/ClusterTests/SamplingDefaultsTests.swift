import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// What generation_config.json proposes reaches the requests that leave it out, and no other.
    @Suite struct SamplingDefaultsTests {
        private static let proposal =
            #"{"do_sample": true, "temperature": 1.5, "top_k": 12, "repetition_penalty": 1.1, "#
            + #""max_new_tokens": 9, "min_new_tokens": 2}"#

        @Test(.timeLimit(.minutes(2))) func requestsThatSayNothingFollowTheModelsProposal() async throws {
            let folder = try TemporaryFolder()
            let model = try folder.copy(Topology.model, as: "model")
            let path = "\(model)/generation_config.json"
            let known = try? JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            var fields = try #require(JSONSerialization.jsonObject(with: Data(Self.proposal.utf8)) as? [String: Any])
            if let ends = (known as? [String: Any])?["eos_token_id"] { fields["eos_token_id"] = ends }
            try JSONSerialization.data(withJSONObject: fields).write(to: URL(fileURLWithPath: path))

            let mesh = try await RunningMesh.start(.oneProcess, in: folder) {
                $0.replacing("path: \(Topology.model)", with: "path: \(model)")
            }
            do { try await Self.expectDefaults(in: mesh, model: model) } catch {
                try? await mesh.stop()
                throw error
            }
            try await mesh.stop()
        }

        private static func expectDefaults(in mesh: RunningMesh, model: String) async throws {
            let client = try mesh.client()
            defer { client.close() }
            func answer(_ sampling: RequestedSampling) async -> Answer {
                await client.answer(to: .request("Say hello.", model: "demo", sampling: sampling))
            }
            let silent = await answer(RequestedSampling(seed: 5))
            let said = await answer(
                RequestedSampling(
                    temperature: 1.5, topK: 12, repetitionPenalty: 1.1, seed: 5, tokenCountMax: 9, tokenCountMin: 2))
            #expect(silent.failure == nil && silent.choices == said.choices)
            #expect((2...9).contains(silent.choices[0].tokens.count))
            // Another value is another answer, or the defaults would not have been what decided.
            let greedy = await answer(
                RequestedSampling(
                    temperature: 0, topK: 0, repetitionPenalty: 1, seed: 5, tokenCountMax: 20, tokenCountMin: 0))
            let untouched = await answer(
                RequestedSampling(temperature: 0, repetitionPenalty: 1, seed: 6, tokenCountMax: 20, tokenCountMin: 0))
            #expect(greedy.failure == nil && greedy.choices == untouched.choices)
            #expect(greedy.choices != silent.choices)
            let alone = try await HeddleProgram.run([
                "generate", "--model-dir", model, "--prompt", "Say hello.", "--seed", "5", "--json",
            ])
            #expect(alone.code == 0, "\(alone.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(alone.output.utf8)) as? [String: Any]
            #expect(object?["tokens"] as? [Int] == silent.choices[0].tokens.map(Int.init))
        }
    }
}
