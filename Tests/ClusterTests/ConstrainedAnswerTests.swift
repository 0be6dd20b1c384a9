import Foundation
import HeddleClient
import HeddleCore
import HeddleFiles
import Testing

extension WholeMesh {
    /// Answers that are held to a schema, through the whole mesh.
    @Suite struct ConstrainedAnswerTests {
        static let schema =
            #"{"type":"object","properties":{"city":{"type":"string","maxLength":12},"#
            + #""count":{"type":"integer","minimum":0,"maximum":99},"kind":{"enum":["big","small"]}},"#
            + #""required":["city","count","kind"],"additionalProperties":false}"#

        static func requests() -> [ClientSubmission] {
            (0..<6).map { index in
                var sampling = RequestedSampling(
                    temperature: index == 0 ? 0 : 2, seed: UInt64(index), tokenCountMax: 220, logprobCount: 1)
                sampling.constraint = index == 5 ? .jsonObject : .jsonSchema(schema)
                if index == 2 { sampling.choiceCount = 3 }
                if index == 3 { sampling.bestOf = 2 }
                if index == 4 { sampling.presencePenalty = 1 }
                return ClientSubmission.request(
                    "Number \(index).", model: Topology.adapters[index], tenant: index % 2 == 0 ? "acme" : "dune",
                    sampling: sampling, deadline: .seconds(40))
            }
        }

        /// Whether a text is what the schema asks for, by our reader of JSON and by hand.
        static func isValid(_ text: String) -> Bool {
            guard let object = (try? JSONParser.parse(Array(text.utf8)))?.object else { return false }
            return object.members.map(\.key.description) == ["city", "count", "kind"]
                && (object["city"]?.text?.unicodeScalars.count ?? 99) <= 12
                && (0...99).contains(object["count"]?.integer ?? -1)
                && ["big", "small"].contains(object["kind"]?.text ?? "")
        }

        static func expectSound(_ answers: [Answer]) {
            for (index, answer) in answers.enumerated() {
                #expect(answer.failure == nil, "request \(index)")
                for choice in answer.choices where choice.finish == .stop {
                    if index == 5 {
                        #expect((try? JSONParser.parse(Array(choice.text.utf8)))?.object != nil, "\(choice.text)")
                    } else {
                        #expect(isValid(choice.text), "\(choice.text)")
                    }
                }
            }
            #expect(answers.flatMap(\.choices).contains { $0.finish == .stop })
        }

        /// One rank, two ranks, and after the loss of a rank while they run: the same tokens.
        @Test(.timeLimit(.minutes(2))) func areTheSameHoweverTheyRun() async throws {
            var one: [[CollectedAnswer.Choice]] = []
            try await RunningMesh.with(.oneProcess) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                let answers = await client.answers(to: Self.requests())
                Self.expectSound(answers)
                one = answers.map(\.choices)
            }
            try await RunningMesh.with(.frontAndTwoRanks) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                _ = try await mesh.whole()
                #expect(await client.answers(to: Self.requests()).map(\.choices) == one)
                async let found = client.answers(to: Self.requests().map(\.again))
                _ = try await eventually("decoding requests", look: { try await mesh.picture() }) { picture in
                    picture.requests.contains { $0.generatedTokenCount > 4 }
                }
                try mesh.send(SIGKILL, to: "worker-1")
                let answers = await found
                #expect(answers.allSatisfy { $0.failure == nil })
                #expect(answers.map(\.choices) == one)
                _ = try await mesh.whole()
                try await mesh.idle()
            }
        }

        @Test(.timeLimit(.minutes(1))) func theCommandHoldsToAFileAndNamesWhatIsWrongWithOne() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("heddle-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (good, bad) = (folder.path + "/good.json", folder.path + "/bad.json")
            try Data(Self.schema.utf8).write(to: URL(fileURLWithPath: good))
            try Data(#"{"properties":{"a":{"not":{}}}}"#.utf8).write(to: URL(fileURLWithPath: bad))
            let local = try await HeddleProgram.run([
                "generate", "--model-dir", Topology.model, "--prompt", "Number 1.", "--max-tokens", "120",
                "--json-schema", good,
            ])
            #expect(local.code == 0 && Self.isValid(local.output), "\(local.output)")
            let refused = try await HeddleProgram.run([
                "generate", "--model-dir", Topology.model, "--prompt", "x", "--json-schema", bad,
            ])
            #expect(refused.code != 0 && refused.errors.contains("/properties/a/not: keyword “not” is not supported"))
        }
    }
}
