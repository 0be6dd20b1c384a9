import Foundation
import HeddleClient
import HeddleCluster
import HeddleCore
import Testing

/// The shipped file with a key for administration.
@Sendable private func withAdmin(_ text: String) -> String {
    let digest = ClusterConfiguration.digest(ofKey: "demo-admin")
    return text.replacing("insecure: false", with: "admin: {key: \"sha256:\(digest)\"}\ninsecure: false")
}

extension WholeMesh {
    /// Programs that know OpenAI's API, at a running mesh's gateway.
    @Suite(.mesh(.oneProcess, changing: withAdmin)) struct GatewayTests {
        let mesh = RunningMesh.current

        private static let long = """
            "model": "sql", "prompt": "x", "max_tokens": 900, "temperature": 100, "seed": 1, "ignore_eos": true
            """

        @Test(
            .enabled(if: PythonProgram.canRun), .timeLimit(.minutes(5)),
            arguments: ["openai_cases.py", "langchain_cases.py", "http_cases.py"])
        func theirProgramsGetWhatTheyExpect(program: String) async throws {
            try await PythonProgram.run(program, environment: mesh.pythonEnvironment)
            try await mesh.idle()
        }

        @Test(.enabled(if: PythonProgram.canRun), .timeLimit(.minutes(3)))
        func theDocumentedPythonClientStreamsCancelsAndResumes() async throws {
            try await PythonProgram.run("socket_cases.py", environment: mesh.pythonEnvironment)
            try await mesh.idle()
        }

        @Test(.timeLimit(.minutes(1))) func theGatewayAndTheSocketGiveTheSameTokens() async throws {
            let client = try mesh.client()
            defer { client.close() }
            for seed in 1...3 {
                let sampling = RequestedSampling(
                    temperature: 1.3, seed: UInt64(seed), choiceCount: 2, tokenCountMax: 40, logprobCount: 1)
                let own = await client.answer(to: .request("List the customers.", model: "json", sampling: sampling))
                let body = """
                    {"model": "json", "prompt": "List the customers.", "temperature": 1.3, "seed": \(seed), "n": 2,
                     "max_tokens": 40, "logprobs": 1, "return_token_ids": true}
                    """
                let call = try await Curl.call("\(mesh.url)/v1/completions", body: body)
                let answer = try #require(
                    try JSONSerialization.jsonObject(with: Data(call.body.utf8)) as? [String: Any], "\(call.body)")
                let choices = try #require(answer["choices"] as? [[String: Any]])
                #expect(choices.count == 2)
                for (choice, expected) in zip(choices, own.choices) {
                    #expect(choice["text"] as? String == expected.text)
                    #expect(choice["token_ids"] as? [Int] == expected.tokens.map { Int($0) })
                    let logprobs = (choice["logprobs"] as? [String: Any])?["token_logprobs"] as? [Double]
                    #expect(logprobs?.map { Float($0) } == expected.logprobs.map(\.logprob))
                }
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: [true, false])
        func aClientThatGoesHasCancelled(isStreamed: Bool) async throws {
            let body = "{\(Self.long), \"n\": 16, \"stream\": \(isStreamed)}"
            let curl = try StartedProcess(Curl.path, Curl.words("\(mesh.url)/v1/completions", body: body))
            _ = try await eventually("a running request", look: { try await mesh.picture() }) { picture in
                picture.workers.contains { $0.runningCount > 0 }
            }
            let before = ContinuousClock.now
            curl.send(SIGKILL)
            try await mesh.idle(within: .seconds(5))
            #expect(ContinuousClock.now - before < .seconds(4), "16 times 900 tokens take longer than that to compute")
            let router = try await mesh.picture()
            #expect(router.requests.isEmpty)
        }

        @Test(.timeLimit(.minutes(2))) func clientsThatGoLeaveNothingBehind() async throws {
            let curls = try (0..<24).map { number in
                try StartedProcess(
                    Curl.path,
                    Curl.words(
                        "\(mesh.url)/v1/completions",
                        body: "{\(Self.long), \"stream\": \(number.isMultiple(of: 2)), \"n\": \(1 + number % 4)}"))
            }
            _ = try await eventually("running requests", look: { try await mesh.picture() }) { picture in
                picture.requests.count >= 20
            }
            for curl in curls { curl.send(SIGKILL) }
            try await mesh.idle(within: .seconds(10))
            let picture = try await mesh.picture()
            let router = try #require(picture.actors.first { $0.role == "router" })
            let clients = router.fields.first { $0.key == "clients" }
            #expect(clients == ReportField("clients", 0), "no client in this process is left")
        }

        @Test(.timeLimit(.minutes(1))) func whoTheUserIsStandsInTheLog() async throws {
            let name = "user-\(UUID().uuidString)"
            let call = try await Curl.call(
                "\(mesh.url)/v1/completions",
                body: #"{"model": "sql", "prompt": "secret words", "max_tokens": 4, "user": "\#(name)"}"#)
            #expect(call.status == 200)
            let id = try #require(call.headers["x-request-id"])
            let log = try await eventually(
                "the log", look: { try String(contentsOfFile: "\(mesh.runtime)/logs/all.log", encoding: .utf8) }
            ) { $0.contains(name) }
            let line = try #require(log.split(separator: "\n").first { $0.contains(name) })
            #expect(line.contains(id) && line.contains("acme"))
            #expect(!log.contains("secret words") && !log.contains("demo-acme"))
        }

        @Test(.timeLimit(.minutes(1))) func onlyTheAdminTakesAdaptersBackAndGivesThemAgain() async throws {
            let (load, unload) = ("\(mesh.url)/v1/load_lora_adapter", "\(mesh.url)/v1/unload_lora_adapter")
            let named = #"{"lora_name": "spanish"}"#
            for (key, status, code) in [(nil, 401, "invalid_api_key"), ("demo-acme", 403, "not_permitted")] {
                let refused = try await Curl.call(unload, key: key, body: named)
                #expect(refused.status == status)
                #expect(try refused.error("code") == code)
            }
            let ask = #"{"model": "spanish", "prompt": "x", "max_tokens": 2}"#
            func models() async throws -> String { try await Curl.call("\(mesh.url)/v1/models").body }
            #expect(try await models().contains(#""id":"spanish""#))
            let gone = try await Curl.call(unload, key: "demo-admin", body: named)
            #expect(gone.status == 200 && gone.body == "Success: LoRA adapter 'spanish' removed successfully.")
            #expect(try await !models().contains("spanish"))
            #expect(try await Curl.call("\(mesh.url)/v1/completions", body: ask).status == 404)
            #expect(try await Curl.call(unload, key: "demo-admin", body: named).status == 404)
            let elsewhere = try await Curl.call(
                load, key: "demo-admin", body: #"{"lora_name": "spanish", "lora_path": "/etc"}"#)
            #expect(elsewhere.status == 400)
            #expect(try elsewhere.error("param") == "lora_path")
            let folder = "\(Topology.folder)/demo/adapters/spanish"
            let back = try await Curl.call(
                load, key: "demo-admin", body: #"{"lora_name": "spanish", "lora_path": "\#(folder)"}"#)
            #expect(
                back.status == 200 && back.body == "Success: LoRA adapter 'spanish' added successfully.", "\(back.body)"
            )
            #expect(try await Curl.call("\(mesh.url)/v1/completions", body: ask).status == 200)
            let twice = try await Curl.call(load, key: "demo-admin", body: named)
            #expect(try twice.error("code") == "adapter_already_loaded")
            let inPlace = #"{"lora_name": "spanish", "load_inplace": true}"#
            #expect(try await Curl.call(load, key: "demo-admin", body: inPlace).status == 200)
            #expect(try await Curl.call(load, key: "demo-admin", body: #"{"lora_name": "no"}"#).status == 404)
            let stranger = try await Curl.call(load, key: "demo-admin", body: #"{"lora_name": "sql", "rank": 4}"#)
            #expect(try stranger.error("param") == "rank")
        }

        @Test(.timeLimit(.minutes(1))) func healthIsToldToEverybody() async throws {
            for path in ["livez", "readyz", "health"] {
                #expect(try await Curl.call("\(mesh.url)/\(path)", key: nil).status == 200)
            }
            let told = try await Curl.call("\(mesh.url)/readyz?verbose", key: nil)
            #expect(told.body.contains("[+]tenant-queue demo ok") && told.body.hasSuffix("readyz check passed\n"))
            let closed = try await Curl.call("\(mesh.url)/v1/models", key: nil)
            #expect(closed.status == 401 && closed.headers["www-authenticate"] == "Bearer")
            #expect(try closed.error("code") == "invalid_api_key")
        }
    }
}
