import Foundation
import HeddleClient
import HeddleCore
import Testing

extension WholeMesh {
    /// A system prompt that many requests begin with, through a router, a queue and two ranks.
    @Suite(.mesh(.frontAndTwoRanks)) struct PrefixCacheTests {
        let mesh = RunningMesh.current

        private func request(
            _ prompt: [TokenID], model: String, tenant: String, seed: UInt64 = 1, choices: Int = 1
        ) -> ClientSubmission {
            var submission = ClientSubmission.request(
                model: model, tenant: tenant,
                sampling: RequestedSampling(temperature: 1, seed: seed, choiceCount: choices, tokenCountMax: 12))
            submission.prompt = .tokens(prompt)
            return submission
        }

        @Test(.timeLimit(.minutes(2))) func aSystemPromptIsComputedOnceForEachTenantAndAdapter() async throws {
            let client = try mesh.client()
            defer { client.close() }
            // 100 tokens: six whole blocks and four more.
            let system = (0..<100).map { TokenID(300 + $0 * 7 % 150) }
            func ask(_ ending: [TokenID], model: String, tenant: String, choices: Int = 1) async -> Answer {
                let answer = await client.answer(
                    to: request(system + ending, model: model, tenant: tenant, choices: choices))
                #expect(answer.failure == nil)
                #expect(answer.usage?.promptTokenCount == system.count + ending.count)
                return answer
            }
            var known: [String: Answer] = [:]
            for tenant in ["acme", "beacon"] {
                for model in ["sql", "french"] {
                    // Cold: what another tenant, or another adapter, has computed is not found.
                    let cold = await ask([310, 311], model: model, tenant: tenant)
                    #expect(cold.usage?.cachedTokenCount == 0, "\(tenant) \(model)")
                    let other = await ask([312], model: model, tenant: tenant)
                    #expect(other.usage?.cachedTokenCount == 96, "\(tenant) \(model)")
                    let warm = await ask([310, 311], model: model, tenant: tenant)
                    #expect(warm.usage?.cachedTokenCount == 96, "\(tenant) \(model)")
                    #expect(warm.choices == cold.choices, "\(tenant) \(model)")
                    // Law 1: who asks decides nothing.
                    #expect(known[model].map { $0.choices == cold.choices } ?? true, "\(tenant) \(model)")
                    known[model] = cold
                }
            }
            #expect(known["sql"]?.choices != known["french"]?.choices)
            // Three choices of a prompt that is new but for the system prompt.
            let several = await ask(Array(repeating: 320, count: 40), model: "sql", tenant: "acme", choices: 3)
            #expect(several.usage?.cachedTokenCount == 96)
            let cold = await ask(Array(repeating: 320, count: 40), model: "sql", tenant: "cobalt", choices: 3)
            #expect(cold.usage?.cachedTokenCount == 0 && cold.choices == several.choices)
            let picture = try await mesh.idle()
            #expect(picture.workers.allSatisfy { $0.blocksUsed == 0 })
            let worker = picture.actors.first {
                $0.fields.contains { $0.key == "prefix tokens found" && $0.value.description != "0" }
            }
            #expect(
                worker?.fields.contains { $0.key == "prefix hit rate" && $0.value.description.hasSuffix(" %") } ?? false
            )
        }

        @Test(.timeLimit(.minutes(1))) func aCommandTellsHowManyTokensWereFound() async throws {
            let prompt = "Hello, how are you? " + String(repeating: "List the customers in Paris. ", count: 10)
            var cached: [Int] = []
            for _ in 0..<2 {
                let ended = try await mesh.heddle(
                    "submit", "--model", "json", "--key", "demo-dune", "--max-tokens", "4", "--json", prompt)
                #expect(ended.code == 0)
                let answer = try #require(
                    try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
                let usage = try #require(answer["usage"] as? [String: Any])
                let whole = (try #require(usage["prompt_tokens"] as? Int) - 1) / kvBlockTokens * kvBlockTokens
                let found = try #require(usage["cached_tokens"] as? Int)
                #expect(found == (cached.isEmpty ? 0 : whole) && whole > 0)
                cached.append(found)
            }
        }
    }
}
