import Foundation
import HeddleClient
import HeddleCore
import HeddleWire
import Testing

extension WholeMesh {
    /// Requests that cannot be served: each is refused with its code and the cause, and nobody else notices.
    @Suite(.mesh(.oneProcess)) struct BadRequestTests {
        let mesh = RunningMesh.current

        /// A command, and what must come of it.
        struct Case: Sendable, CustomTestStringConvertible {
            let words: [String]
            var key: String? = "demo-acme"
            let exit: Int32
            /// Of the failure's JSON.
            let code: String
            /// What the message names.
            let names: [String]
            var input: [UInt8]?
            var testDescription: String { "\(code): \(words.joined(separator: " ").prefix(60))" }
        }

        static let cases = [
            Case(words: ["--model", "nope", "x"], exit: 1, code: "unknown_model", names: ["nope"]),
            Case(words: ["--model", "demo:nope", "x"], exit: 1, code: "unknown_adapter", names: ["nope"]),
            Case(words: ["--model", "nope:sql", "x"], exit: 1, code: "unknown_model", names: ["nope"]),
            Case(words: ["--tenant", "nobody", "x"], exit: 1, code: "unknown_tenant", names: ["nobody"]),
            Case(words: ["x"], key: nil, exit: 2, code: "wrong_key", names: ["key"]),
            Case(words: ["x"], key: "demo-wrong", exit: 2, code: "wrong_key", names: ["key"]),
            Case(words: ["--tenant", "beacon", "x"], exit: 2, code: "wrong_key", names: ["key"]),
            Case(words: ["--model", "pirate", "x"], exit: 2, code: "not_permitted", names: ["acme", "pirate"]),
            Case(words: ["--model", "demo:pirate", "x"], exit: 2, code: "not_permitted", names: ["acme", "pirate"]),
            Case(words: [""], exit: 64, code: "empty_prompt", names: ["empty"]),
            Case(words: ["-"], exit: 64, code: "empty_prompt", names: ["empty"], input: []),
            Case(
                words: ["-"], exit: 2, code: "prompt_too_long", names: ["1024"],
                input: Array(String(repeating: "word ", count: 3000).utf8)),
            Case(
                words: ["-"], exit: 2, code: "prompt_text_too_long", names: ["1048576"],
                input: [UInt8](repeating: 0x61, count: (1 << 20) + 1)),
            Case(words: ["-"], exit: 2, code: "prompt_not_utf8", names: ["byte 2"], input: [0x61, 0x62, 0xFF, 0x63]),
            Case(
                words: ["--prompt-ids", "1,2,99999999"], exit: 2, code: "prompt_token_out_of_range",
                names: ["99999999"]),
            Case(words: ["--prompt-ids=-1,2"], exit: 2, code: "prompt_token_out_of_range", names: ["-1"]),
            Case(words: ["--prompt-ids", "1,x"], exit: 64, code: "invalid_parameter", names: ["prompt_ids"]),
            Case(words: ["--temperature=-1", "x"], exit: 64, code: "invalid_parameter", names: ["temperature", "-1"]),
            Case(words: ["--temperature", "nan", "x"], exit: 64, code: "invalid_parameter", names: ["temperature"]),
            Case(words: ["--temperature", "1e9", "x"], exit: 64, code: "invalid_parameter", names: ["temperature"]),
            Case(words: ["--top-p", "0", "x"], exit: 64, code: "invalid_parameter", names: ["top_p"]),
            Case(words: ["--top-p", "1.5", "x"], exit: 64, code: "invalid_parameter", names: ["top_p", "1.5"]),
            Case(words: ["--top-k=-2", "x"], exit: 64, code: "invalid_parameter", names: ["top_k", "-2"]),
            Case(words: ["--n", "0", "x"], exit: 64, code: "invalid_parameter", names: ["n is 0"]),
            Case(words: ["--n", "17", "x"], exit: 64, code: "invalid_parameter", names: ["n is 17", "16"]),
            Case(words: ["--max-tokens", "0", "x"], exit: 64, code: "invalid_parameter", names: ["max_tokens"]),
            Case(words: ["--stop", "", "x"], exit: 64, code: "invalid_parameter", names: ["stop"]),
            Case(words: ["--logprobs", "21", "x"], exit: 64, code: "invalid_parameter", names: ["logprobs", "20"]),
            Case(words: ["--min-p=-0.5", "x"], exit: 64, code: "invalid_parameter", names: ["min_p", "-0.5"]),
            Case(words: ["--typical-p", "0", "x"], exit: 64, code: "invalid_parameter", names: ["typical_p"]),
            Case(
                words: ["--repetition-penalty", "0", "x"], exit: 64, code: "invalid_parameter",
                names: ["repetition_penalty", "above 0"]),
            Case(
                words: ["--presence-penalty", "3", "x"], exit: 64, code: "invalid_parameter",
                names: ["presence_penalty", "2.0"]),
            Case(
                words: ["--frequency-penalty", "nan", "x"], exit: 64, code: "invalid_parameter",
                names: ["frequency_penalty"]),
            Case(
                words: ["--logit-bias", "5=101", "x"], exit: 64, code: "invalid_parameter",
                names: ["logit_bias", "token 5", "100.0"]),
            Case(
                words: ["--logit-bias", "5=1", "--logit-bias", "5=2", "x"], exit: 64, code: "invalid_parameter",
                names: ["logit_bias", "token 5"]),
            Case(
                words: ["--logit-bias", "99999999=1", "x"], exit: 64, code: "invalid_parameter",
                names: ["logit_bias", "99999999", "vocabulary"]),
            Case(
                words: ["--stop-token-id", "99999999", "x"], exit: 64, code: "invalid_parameter",
                names: ["stop_token_ids", "99999999"]),
            Case(words: ["--min-tokens", "5", "x"], exit: 64, code: "invalid_parameter", names: ["min_tokens", "4"]),
            Case(
                words: ["--n", "3", "--best-of", "2", "x"], exit: 64, code: "invalid_parameter",
                names: ["best_of", "3"]),
            Case(words: ["--best-of", "17", "x"], exit: 64, code: "invalid_parameter", names: ["best_of", "16"]),
            Case(
                words: ["--prompt-logprobs", "21", "x"], exit: 64, code: "invalid_parameter",
                names: ["prompt_logprobs", "20"]),
        ]

        @Test(.timeLimit(.minutes(2))) func theCommandNamesWhatIsWrong() async throws {
            for wrong in Self.cases {
                let ended = try await HeddleProgram.run(
                    ["submit", "-c", mesh.file, "--json", "--max-tokens", "4"] + wrong.words, input: wrong.input,
                    environment: wrong.key.map { ["HEDDLE_KEY": $0] } ?? [:])
                #expect(ended.code == wrong.exit, "\(wrong.testDescription): \(ended.errors)")
                #expect(ended.output.isEmpty, "\(wrong.testDescription): \(ended.output)")
                let object = try JSONSerialization.jsonObject(with: Data(ended.errors.utf8)) as? [String: Any]
                let error = object?["error"] as? [String: Any]
                #expect(error?["code"] as? String == wrong.code, "\(wrong.testDescription): \(ended.errors)")
                let message = error?["message"] as? String ?? ""
                for name in wrong.names { #expect(message.contains(name), "\(wrong.testDescription): \(message)") }
            }
        }

        /// The client's library would have refused these: the router must by itself.
        @Test(.timeLimit(.minutes(1))) func theRouterChecksWhatAClientDidNot() async throws {
            typealias Change = @Sendable (inout ClientSubmission) -> Void
            let changes: [(String, String, Change)] = [
                ("empty_prompt", "prompt", { $0.prompt = .text("") }),
                ("empty_prompt", "prompt", { $0.prompt = .tokens([]) }),
                ("prompt_text_too_long", "prompt", { $0.prompt = .text(String(repeating: "a", count: (1 << 20) + 1)) }),
                ("prompt_token_out_of_range", "prompt", { $0.prompt = .tokens([1, 1 << 30]) }),
                ("prompt_too_long", "prompt", { $0.prompt = .tokens(Array(repeating: 5, count: 5000)) }),
                ("invalid_parameter", "temperature", { $0.sampling.temperature = .nan }),
                ("invalid_parameter", "temperature", { $0.sampling.temperature = -.infinity }),
                ("invalid_parameter", "temperature", { $0.sampling.temperature = 101 }),
                ("invalid_parameter", "top_p", { $0.sampling.topP = 0 }),
                ("invalid_parameter", "top_p", { $0.sampling.topP = .nan }),
                ("invalid_parameter", "n", { $0.sampling.choiceCount = 100 }),
                ("invalid_parameter", "max_tokens", { $0.sampling.tokenCountMax = 0 }),
                ("invalid_parameter", "stop", { $0.sampling.stopStrings = Array(repeating: "a", count: 17) }),
                ("invalid_parameter", "stop", { $0.sampling.stopStrings = [String(repeating: "a", count: 257)] }),
                ("invalid_parameter", "logprobs", { $0.sampling.logprobCount = 1000 }),
                ("invalid_parameter", "min_p", { $0.sampling.minP = .nan }),
                ("invalid_parameter", "typical_p", { $0.sampling.typicalP = 2 }),
                ("invalid_parameter", "repetition_penalty", { $0.sampling.repetitionPenalty = .infinity }),
                ("invalid_parameter", "presence_penalty", { $0.sampling.presencePenalty = .nan }),
                ("invalid_parameter", "frequency_penalty", { $0.sampling.frequencyPenalty = -2.5 }),
                (
                    "invalid_schema", "json_schema",
                    { $0.sampling.constraint = .jsonSchema(#"{"items":{"contains":{}}}"#) }
                ),
                ("invalid_schema", "json_schema", { $0.sampling.constraint = .jsonSchema("{") }),
                ("invalid_parameter", "logit_bias", { $0.sampling.logitBias = [.init(token: 1, bias: -.infinity)] }),
                ("invalid_parameter", "logit_bias", { $0.sampling.logitBias = [.init(token: 1 << 30, bias: 1)] }),
                (
                    "invalid_parameter", "logit_bias",
                    { $0.sampling.logitBias = (0..<1100).map { .init(token: $0, bias: 1) } }
                ),
                ("invalid_parameter", "stop_token_ids", { $0.sampling.stopTokens = [1 << 30] }),
                ("invalid_parameter", "min_tokens", { $0.sampling.tokenCountMin = .max }),
                ("invalid_parameter", "best_of", { $0.sampling.bestOf = 0 }),
                ("invalid_parameter", "prompt_logprobs", { $0.sampling.promptLogprobCount = 1000 }),
                ("invalid_parameter", "deadline", { $0.deadline = .seconds(7200) }),
                ("invalid_parameter", "resume_from", { $0.resumeFrom = [99_999] }),
                ("invalid_parameter", "model", { $0.model = "a\u{7}b" }),
                ("unknown_model", "model", { $0.model = "../../etc/passwd" }),
            ]
            for (code, parameter, change) in changes {
                var submission = ClientSubmission.request()
                change(&submission)
                let wrong = submission
                let reply = try await RawClient.with(mesh.endpoint) { client in
                    try client.say(.submit(wrong))
                    return try client.hear(within: .seconds(10))
                }
                guard case .failed(let failure)? = reply else {
                    Issue.record("\(code) of \(parameter): \(String(describing: reply))")
                    continue
                }
                #expect(failure.code == code, "\(parameter): \(failure)")
                #expect(failure.parameter == parameter, "\(failure)")
                #expect(failure.id == submission.id)
            }
            try await mesh.idle()
        }

        @Test(.timeLimit(.minutes(1))) func bytesThatAreNoUTF8AreRefusedWithTheirPlace() async throws {
            var submission = ClientSubmission.request()
            submission.prompt = .text("abcdQQQQ")
            var frames = ClientMessage.submit(submission).frames()
            guard let place = frames[1].firstRange(of: Array("QQQQ".utf8)) else {
                Issue.record("the prompt is not in the frame")
                return
            }
            frames[1][place.lowerBound] = 0xC3
            frames[1][place.lowerBound + 1] = 0x28
            let wrong = frames
            let reply = try await RawClient.with(mesh.endpoint) { client in
                try client.say(wrong)
                return try client.hear(within: .seconds(10))
            }
            guard case .failed(let failure)? = reply else {
                Issue.record("\(String(describing: reply))")
                return
            }
            #expect(failure.code == "prompt_not_utf8")
            #expect(failure.message.contains("byte 4"), "\(failure.message)")
            #expect(failure.id == submission.id)
        }

        /// Whatever is refused is counted for its tenant, and leaves nothing behind.
        @Test(.timeLimit(.minutes(1))) func refusalsLeaveNothing() async throws {
            let client = try mesh.client()
            defer { client.close() }
            // No other test of this mesh is refused as this tenant.
            let answers = await client.answers(to: (0..<50).map { _ in .request(model: "nope", tenant: "dune") })
            #expect(answers.allSatisfy { $0.failure == "unknown_model" })
            _ = try await eventually("50 refusals", look: { try await refused() }, until: { $0 >= 50 })
            #expect(await client.answer(to: .request()).failure == nil)
        }

        private func refused() async throws -> UInt64 {
            try await mesh.idle().tenants.first { $0.name.text == "dune" }?.refusedCount ?? 0
        }
    }
}
