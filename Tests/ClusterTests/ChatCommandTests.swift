import Foundation
import Testing

extension WholeMesh {
    /// A conversation over a running mesh, in the words of a chat template.
    @Suite(.mesh(.frontAndTwoRanks)) struct ChatCommandTests {
        let mesh = RunningMesh.current

        private static let template = """
            {{- bos_token }}
            {%- for message in messages %}
                {%- if message.content == 'refuse me' %}{{ raise_exception('this is not talked about') }}{% endif %}
                {{- message.role|title + ': ' + message.content|trim + '\\n' }}
            {%- endfor %}
            {%- if add_generation_prompt %}Assistant:{% endif %}
            """

        /// The path of a template, for as long as the body runs.
        private func withTemplate<Result>(_ body: ([String]) async throws -> Result) async throws -> Result {
            let path = "/tmp/heddle-template-\(UUID().uuidString).jinja"
            try Data(Self.template.utf8).write(to: URL(fileURLWithPath: path))
            defer { try? FileManager.default.removeItem(atPath: path) }
            return try await body(["chat", "-c", mesh.file, "--model", "sql", "--key", "demo-acme", "--template", path])
        }

        private func objects(_ ended: StartedProcess.Ended) throws -> [[String: Any]] {
            try ended.output.split(separator: "\n").map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(ended.errors)")
            }
        }

        @Test(.timeLimit(.minutes(1))) func oneMessageIsAnsweredInTheTemplatesWords() async throws {
            try await withTemplate { chat in
                let words = ["--system", "Be brief.", "--max-tokens", "12", "--show-prompt"]
                let ended = try await HeddleProgram.run(chat + words + ["--json", "Hello"])
                #expect(ended.code == 0)
                #expect(ended.errors == "<|begin_of_text|>System: Be brief.\nUser: Hello\nAssistant:\n")
                let answer = try #require(try objects(ended).first)
                let tokens = try #require(answer["prompt_tokens"] as? [Int])
                // The template's begin token is the only one, and it is a token and not its spelling.
                #expect(tokens.first == 0 && !tokens.dropFirst().contains(0))
                let ids = tokens.map(String.init).joined(separator: ",")
                let same = try await HeddleProgram.run(
                    [
                        "submit", "-c", mesh.file, "--model", "sql", "--key", "demo-acme", "--max-tokens", "12",
                        "--prompt-ids", ids,
                    ])
                let plain = try await HeddleProgram.run(chat + words + ["Hello"])
                #expect(plain.output == same.output && plain.code == 0)
            }
        }

        @Test(.timeLimit(.minutes(1))) func aConversationIsRememberedUntilItIsReset() async throws {
            try await withTemplate { chat in
                let lines = "Hello\n\nAnd then?\n/reset\nHello\n//slash\\\nand more\n/quit\nnever\n"
                let ended = try await HeddleProgram.run(
                    chat + ["--max-tokens", "8", "--json"], input: Array(lines.utf8))
                #expect(ended.code == 0 && ended.errors.isEmpty, "\(ended.errors)")
                let answers = try objects(ended)
                #expect(answers.count == 4)
                let prompts = answers.compactMap { $0["prompt_tokens"] as? [Int] }
                try #require(prompts.count == 4)
                #expect(prompts[1].count > prompts[0].count)
                #expect(prompts[2] == prompts[0])
                #expect(answers[2]["text"] as? String == answers[0]["text"] as? String)
                #expect(prompts[3].count > prompts[2].count)
            }
        }

        @Test(.timeLimit(.minutes(1))) func whatCannotBeSaidIsRefused() async throws {
            try await withTemplate { chat in
                let refused = try await HeddleProgram.run(chat + ["refuse me"])
                #expect(refused.code == 2 && refused.errors == "heddle: this is not talked about\n")
                let unknown = try await HeddleProgram.run(chat, input: Array("/nothing\n".utf8))
                #expect(unknown.code == 64 && unknown.errors.contains("/nothing"))
                let broken = try await HeddleProgram.run(chat, input: [0x48, 0xFF, 0x0A])
                #expect(broken.code == 2 && broken.errors.contains("UTF-8"))
                let nobody = try await HeddleProgram.run(["chat", "-c", mesh.file, "--model", "nobody", "Hello"])
                #expect(nobody.code == 1 && nobody.errors.contains("nobody"))
            }
            let folder = try TemporaryFolder()
            let model = try folder.copy(Topology.model, as: "model")
            try FileManager.default.removeItem(atPath: "\(model)/chat_template.jinja")
            let plain = try await HeddleProgram.run(
                ["chat", "-c", mesh.file, "--model", "sql", "--model-dir", model, "Hello"])
            #expect(plain.code == 1 && plain.errors.contains("no chat template"), "\(plain.errors)")
        }

        @Test(.timeLimit(.minutes(1))) func anInterruptEndsTheAnswerAndNotTheChat() async throws {
            try await withTemplate { chat in
                // Words drawn almost evenly hardly ever come upon an end token soon.
                let process = try StartedProcess(
                    HeddleProgram.path, chat + ["--max-tokens", "900", "--temperature", "100", "--seed", "1"],
                    input: Array("Tell me a long story.\n/reset\nHello\n".utf8))
                _ = try await eventually("the first words", look: { process.written }) { !$0.isEmpty }
                process.send(SIGINT)
                let ended = try await process.ended(within: .seconds(40))
                #expect(ended.code == 0, "\(ended.errors)")
                #expect(ended.output.split(separator: "\n").count >= 2, "\(ended.output)")
            }
        }
    }
}
