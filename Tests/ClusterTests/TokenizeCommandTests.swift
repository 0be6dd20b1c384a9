import Foundation
import Testing

/// `heddle tokenize`, for people and for programs.
@Suite struct TokenizeCommandTests {
    private func json(_ words: [String], input: [UInt8]? = nil) async throws -> (tokens: [Int], text: String) {
        let ended = try await HeddleProgram.run(
            ["tokenize", "--model-dir", Topology.model, "--json"] + words, input: input)
        #expect(ended.code == 0, "\(ended.errors)")
        let answer = try #require(JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
        return (try #require(answer["tokens"] as? [Int]), try #require(answer["text"] as? String))
    }

    @Test func aTextComesBackFromItsTokens() async throws {
        let text = "List the customers – 30 naïve 🙂 orders."
        let found = try await json([text])
        let piped = try await json([], input: Array(text.utf8))
        #expect(piped.tokens == found.tokens)
        let back = try await json(["--ids", found.tokens.map(String.init).joined(separator: ",")])
        #expect(back.text == found.text && found.text.hasSuffix(text))
        let table = try await HeddleProgram.run(["tokenize", "--model-dir", Topology.model, text])
        #expect(table.output.split(separator: "\n").count == found.tokens.count + 1)
    }

    @Test func aSpelledSpecialTokenIsOneOnlyWhereThatIsAskedFor() async throws {
        let plain = try await json(["<|end_of_text|>"])
        let special = try await json(["--special", "<|end_of_text|>"])
        #expect(special.tokens.count == 2 && plain.tokens.count > 2)
    }

    @Test func whatCannotBeIsNamed() async throws {
        let ids = try await HeddleProgram.run(["tokenize", "--model-dir", Topology.model, "--ids", "1,99999"])
        #expect(ids.code == 2 && ids.errors.contains("99999"))
        let folder = try await HeddleProgram.run(["tokenize", "--model-dir", "/nowhere", "a"])
        #expect(folder.code != 0 && folder.errors.contains("/nowhere/tokenizer.json"))
        let bytes = try await HeddleProgram.run(["tokenize", "--model-dir", Topology.model], input: [0x61, 0xFF])
        #expect(bytes.code == 2 && bytes.errors.contains("UTF-8"))
    }
}
