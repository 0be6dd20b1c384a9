import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// What a person and a script see of a running mesh.
    @Suite(.mesh(.frontAndTwoRanks)) struct CommandTests {
        let mesh = RunningMesh.current

        @Test(.timeLimit(.minutes(1))) func aPromptIsAnsweredAndStreamed() async throws {
            let words = ["--model", "sql", "--key", "demo-acme", "--max-tokens", "12"]
            let plain = try await HeddleProgram.run(["submit", "-c", mesh.file] + words + ["Hello"])
            #expect(plain.code == 0 && plain.errors.isEmpty, "\(plain.errors)")
            let json = try await HeddleProgram.run(["submit", "-c", mesh.file, "--json"] + words + ["Hello"])
            let answer = try object(json)
            #expect(json.output.split(separator: "\n").count == 1)
            #expect((answer["text"] as? String).map { $0.trimmingCharacters(in: .newlines) }
                == plain.output.trimmingCharacters(in: .newlines))
            let usage = answer["usage"] as? [String: Any]
            #expect((answer["tokens"] as? [Int])?.count == usage?["completion_tokens"] as? Int)
            #expect((answer["prompt_tokens"] as? [Int])?.isEmpty == false)
            #expect((answer["prompt_tokens"] as? [Int])?.count == usage?["prompt_tokens"] as? Int)
            #expect((answer["request_id"] as? String)?.isEmpty == false)
            #expect(answer["adapter"] as? String == "sql" && answer["model"] as? String == "demo")
            let fromInput = try await HeddleProgram.run(
                ["submit", "-c", mesh.file] + words, input: Array("Hello\n".utf8),
                environment: ["HEDDLE_KEY": "demo-acme"])
            #expect(fromInput.output == plain.output)
            let ids = (answer["prompt_tokens"] as? [Int] ?? []).map(String.init).joined(separator: ",")
            let fromIds = try await HeddleProgram.run(
                ["submit", "-c", mesh.file, "--prompt-ids", ids] + words)
            #expect(fromIds.output == plain.output)
        }

        @Test(.timeLimit(.minutes(1)))
        func everyListIsATableAndJSON() async throws {
            let client = try mesh.client()
            defer { client.close() }
            #expect(await client.answer(to: .request()).failure == nil)
            let counts = ["nodes": 3, "actors": 5, "tenants": 4, "adapters": 8, "workers": 2, "requests": 0]
            for (subject, count) in counts {
                let table = try await mesh.heddle("get", subject)
                let wide = try await mesh.heddle("get", subject, "-o", "wide")
                let json = try await mesh.heddle("get", subject, "-o", "json")
                for ended in [table, wide, json] {
                    #expect(ended.code == 0 && ended.errors.isEmpty, "\(subject): \(ended.errors)")
                    #expect(!ended.hasColour)
                }
                #expect(table.output.split(separator: "\n").count == count + 1, "\(table.output)")
                #expect(wide.output.split(separator: "\n")[0].count >= table.output.split(separator: "\n")[0].count)
                let answer = try object(json)
                #expect((answer[subject] as? [Any])?.count == count, "\(json.output)")
                #expect((answer["missing"] as? [Any])?.isEmpty == true)
                let none = try await mesh.heddle("get", subject, "nobody")
                #expect(none.code == 1, "\(subject)")
                #expect(none.errors.contains("nobody"))
            }
            let status = try await mesh.heddle("status")
            #expect(status.code == 0, "\(status.errors)")
            #expect(status.output.contains("well, 3 of 3 nodes answer") && !status.hasColour)
        }

        @Test(.timeLimit(.minutes(1))) func everyActorIsDescribed() async throws {
            let list = try object(try await mesh.heddle("get", "actors", "-o", "json"))
            let ids = (list["actors"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            #expect(ids.count == 5)
            for id in ids {
                let text = try await mesh.heddle("describe", "actor", id)
                #expect(text.code == 0 && text.output.contains(id) && !text.hasColour, "\(text.errors)")
                let json = try await mesh.heddle("describe", "actor", id, "-o", "json")
                #expect(try object(json)["id"] as? String == id)
            }
            let none = try await mesh.heddle("describe", "actor", "front/nobody")
            #expect(none.code == 1 && none.errors.contains("front/nobody"))
        }

        @Test(.timeLimit(.minutes(1))) func aRunningRequestIsSeen() async throws {
            let client = try mesh.client()
            defer { client.close() }
            var open = try client.submit(.long()).makeAsyncIterator()
            while let event = try await open.next() { if case .tokens = event { break } }
            let json = try await mesh.heddle("get", "requests", "-o", "json")
            let requests = try object(json)["requests"] as? [[String: Any]] ?? []
            #expect(requests.count == 1, "\(json.output)")
            let state = requests.first?["state"] as? [String: Any]
            #expect(state?["name"] as? String == "running")
            #expect(requests.first?["group"] as? String == "g0")
            #expect(requests.first?["tenant"] as? String == "acme")
        }

        @Test(.timeLimit(.minutes(1))) func aRequestThatWaitsSaysWhy() async throws {
            let client = try mesh.client(windowTokens: 4)
            defer { client.close() }
            // Nobody reads on: it runs to its end, and then waits for credit.
            var unread = try client.submit(.long(tokenCountMax: 100)).makeAsyncIterator()
            _ = try await unread.next()
            let list = try await eventually(
                "the reason of a wait", look: { try await mesh.heddle("get", "requests", "-o", "json") }
            ) { $0.output.contains("credit") }
            let requests = try object(list)["requests"] as? [[String: Any]]
            let state = requests?.first?["state"] as? [String: Any]
            #expect(state?["reason"] as? String == "waits for the client's credit")
        }

        @Test(.timeLimit(.minutes(1))) func aSilentNodeIsNamedAndTheOthersAnswer() async throws {
            try await mesh.whole()
            try mesh.send(SIGSTOP, to: "worker-1")
            let nodes = try await mesh.heddle("get", "nodes", "-o", "json", "--timeout", "1")
            let status = try await mesh.heddle("status", "--timeout", "1")
            let actor = try await mesh.heddle("describe", "actor", "worker-1/gpu-worker/g0.1", "--timeout", "1")
            try mesh.send(SIGCONT, to: "worker-1")
            #expect(nodes.code == 2 && nodes.errors.contains("worker-1"))
            let answer = try object(nodes)
            #expect((answer["nodes"] as? [Any])?.count == 2)
            #expect((answer["missing"] as? [[String: Any]])?.first?["node"] as? String == "worker-1")
            #expect(status.code == 2 && status.output.contains("degraded, 2 of 3 nodes answer"), "\(status.output)")
            #expect(actor.code == 2 && actor.errors.contains("worker-1"))
            try await mesh.whole()
            let client = try mesh.client()
            defer { client.close() }
            #expect(await client.answer(to: .request()).failure == nil)
        }

        private func object(_ ended: StartedProcess.Ended) throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
            return value as? [String: Any] ?? [:]
        }
    }
}
