import Foundation
import HeddleClient
import HeddleCore
import HeddleFiles
import Testing

extension WholeMesh {
    /// Every shipped cluster file serves many tenants at once, and all of them answer the same tokens.
    @Suite struct TopologyTests {
        @Test(.timeLimit(.minutes(2)), arguments: Topology.allCases)
        func serves64RequestsAtOnceAndAnswersAsAnyOther(topology: Topology) async throws {
            try await Self.expectTheMixAnswered(by: topology)
        }

        /// As on different hosts, where ranks share no memory.
        @Test(.timeLimit(.minutes(2))) func answersTheSameWhereRanksAddOverSockets() async throws {
            try await Self.expectTheMixAnswered(by: .frontAndTwoRanks) {
                $0.replacing("threads: 1", with: "collective: zeromq")
            }
        }

        private static func expectTheMixAnswered(
            by topology: Topology, changing change: (String) -> String = { $0 }
        ) async throws {
            let alone = try await Alone.shared.answers()
            let tokenizer = try Tokenizer(path: "\(Topology.model)/tokenizer.json")
            try await RunningMesh.with(topology, changing: change) { mesh in
                let client = try mesh.client()
                defer { client.close() }
                let mix = Mix.submissions
                let answers = await client.answers(to: mix.map(\.again))
                for (index, answer) in answers.enumerated() {
                    #expect(answer.failure == nil, "request \(index)")
                    let isSame =
                        answer.choices == alone[index].choices && answer.promptLogprobs == alone[index].promptLogprobs
                    #expect(isSame, "request \(index)")
                    #expect(
                        answer.usage?.totalTokenCount == alone[index].usage?.totalTokenCount, "request \(index)")
                    Mix.expectSound(answer, to: mix[index], tokenizer)
                }
                #expect(answers.contains { $0.messageCounts[0] > 1 })
                let picture = try await mesh.idle()
                #expect(picture.tenants.map(\.name.text) == ["acme", "beacon", "cobalt", "dune"])
                #expect(picture.tenants.allSatisfy { $0.tokensOut > 0 && $0.refusedCount == 0 })
                #expect(picture.adapters.count == 8)
                #expect(picture.adapters.allSatisfy { $0.digest != nil && $0.residency == .resident })
                #expect(picture.workers.filter { $0.rank == 0 }.allSatisfy { $0.blocksUsed == 0 })
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func answersAsTheEngineDoesWithoutAMesh() async throws {
            let help = try await HeddleProgram.run(["generate", "--help"])
            guard help.code == 0 else { return }
            let alone = try await Alone.shared.answers()
            for (submission, answer) in zip(Mix.submissions, alone).filter({ $0.0.sampling == Mix.greedy }).prefix(3) {
                guard case .text(let prompt) = submission.prompt else { continue }
                var words = [
                    "generate", "--model-dir", Topology.model, "--prompt", prompt, "--max-tokens",
                    "\(submission.sampling.tokenCountMax ?? 0)", "--tensor-parallel", "2", "--json",
                ]
                if submission.model != "demo" {
                    words += ["--adapter", "\(Topology.folder)/demo/adapters/\(submission.model)"]
                }
                let ended = try await HeddleProgram.run(words)
                #expect(ended.code == 0, "\(ended.errors)")
                let object = try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
                #expect(object?["tokens"] as? [Int] == answer.choices[0].tokens.map(Int.init))
                #expect(object?["text"] as? String == answer.choices[0].text)
                #expect(object?["finish_reason"] as? String == answer.choices[0].finish?.description)
            }
        }
    }
}

/// 64 requests of every kind, over 8 adapters and the base model, from 4 tenants.
enum Mix {
    static let greedy = RequestedSampling(tokenCountMax: 20)

    static let submissions: [ClientSubmission] = (0..<64).map { index in
        let models = Topology.adapters + ["demo"]
        let model = models[index % models.count]
        // One file lets only two tenants use this adapter.
        let tenants = model == "pirate" ? ["cobalt", "dune"] : ["acme", "beacon", "cobalt", "dune"]
        var sampling = greedy
        switch index % 8 {
        case 1: sampling.temperature = 0.8
        case 2: (sampling.temperature, sampling.topK) = (1.5, 40)
        case 3: (sampling.temperature, sampling.choiceCount) = (1, 2)
        case 4: (sampling.temperature, sampling.topP) = (2, 0.9)
        case 5: (sampling.temperature, sampling.stopStrings) = (5, ["e", "\n", "an"])
        case 6: sampling.logprobCount = 5
        case 7: (sampling.temperature, sampling.tokenCountMax) = (100, 40)
        default: break
        }
        switch index % 16 {
        case 9:
            (sampling.repetitionPenalty, sampling.presencePenalty, sampling.frequencyPenalty) = (1.3, 0.4, 0.3)
            sampling.minP = 0.01
        case 10:
            (sampling.typicalP, sampling.logitBias) = (0.9, [.init(token: 7, bias: 3), .init(token: 40, bias: -100)])
        case 11: sampling.bestOf = 4
        case 12: (sampling.ignoresEndTokens, sampling.tokenCountMin) = (true, 12)
        case 14: sampling.promptLogprobCount = 2
        case 15: sampling.tokenCountMin = 10
        default: break
        }
        if sampling != greedy { sampling.seed = UInt64(index) }
        let prompts = [
            "List the customers in Paris with more than 30 orders.", "What is 17 plus 25?", "Say hello.",
            "Une phrase très courte, s’il vous plaît 🙂", "def add(a, b):",
        ]
        return .request(
            prompts[index % prompts.count] + (index % 3 == 0 ? " Number \(index)." : ""), model: model,
            tenant: tenants[index % tenants.count], sampling: sampling)
    }

    /// What must hold of any answer, whatever the model.
    static func expectSound(_ answer: Answer, to submission: ClientSubmission, _ tokenizer: Tokenizer) {
        let sampling = submission.sampling.completed(by: SamplingDefaults())
        for (choice, messageCount) in zip(answer.choices, answer.messageCounts) {
            let whole = tokenizer.decode(choice.tokens)
            if sampling.stopStrings.isEmpty {
                #expect(choice.text == whole)
            } else {
                #expect(whole.utf8.starts(with: choice.text.utf8))
                #expect(!sampling.stopStrings.contains { choice.text.contains($0) })
            }
            #expect(choice.tokens.count <= sampling.tokenCountMax)
            #expect(
                (choice.finish == .length) == (choice.tokens.count == sampling.tokenCountMax) || choice.finish == .stop)
            #expect(choice.logprobs.count == (sampling.logprobCount == nil ? 0 : choice.tokens.count))
            if choice.tokens.count > 8, !sampling.choosesBest {
                #expect(messageCount > 1, "a stream comes in pieces")
            }
            #expect(choice.tokens.count >= sampling.tokenCountMin || !sampling.stopStrings.isEmpty)
        }
        let answered = answer.choices.reduce(0) { $0 + $1.tokens.count }
        let generated = answer.usage?.generatedTokenCount ?? 0
        #expect(sampling.choosesBest ? generated >= answered : generated == answered)
        let promptTokenCount = sampling.promptLogprobCount == nil ? 1 : answer.usage?.promptTokenCount ?? 0
        #expect(answer.promptLogprobs.count == promptTokenCount - 1)
    }
}

/// The answers to the mix when each request has the mesh for itself: what all others are compared with.
actor Alone {
    static let shared = Alone()
    private var known: [Answer]?

    func answers() async throws -> [Answer] {
        if let known { return known }
        var answers: [Answer] = []
        try await RunningMesh.with(.oneProcess) { mesh in
            let client = try mesh.client()
            defer { client.close() }
            for submission in Mix.submissions { answers.append(await client.answer(to: submission.again)) }
        }
        known = answers
        return answers
    }
}
