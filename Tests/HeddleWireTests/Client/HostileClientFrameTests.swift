import HeddleCore
import HeddleWire
import Testing

@Suite struct HostileClientFrameTests {
    typealias Change = @Sendable (inout ClientSubmission) -> Void

    private func refusal(_ change: Change) -> RequestError? {
        var submission = ClientSamples.submission
        change(&submission)
        let frames = ClientMessage.submit(submission).frames()
        do throws(ClientFrameError) {
            _ = try ClientMessage(frames: frames)
            return nil
        } catch {
            #expect(error.requestID == ClientSamples.id, "the refusal names the request")
            return error.error
        }
    }

    @Test func impossibleValuesAreRefusedByName() {
        let changes: [(String, Change)] = [
            ("temperature", { $0.sampling.temperature = -1 }), ("temperature", { $0.sampling.temperature = .nan }),
            ("temperature", { $0.sampling.temperature = .infinity }), ("top_p", { $0.sampling.topP = 0 }),
            ("top_p", { $0.sampling.topP = 1.5 }), ("top_p", { $0.sampling.topP = .nan }),
            (
                "n",
                {
                    $0.sampling.choiceCount = 0; $0.resumeFrom = []
                }
            ),
            (
                "n",
                {
                    $0.sampling.choiceCount = 17; $0.resumeFrom = []
                }
            ),
            ("max_tokens", { $0.sampling.tokenCountMax = 0 }), ("stop", { $0.sampling.stopStrings = [""] }),
            ("stop", { $0.sampling.stopStrings = [String(repeating: "x", count: 257)] }),
            ("stop", { $0.sampling.stopStrings = Array(repeating: "x", count: 17) }),
            ("stop_token_ids", { $0.sampling.stopTokens = Array(repeating: 1, count: 65) }),
            ("stop_token_ids", { $0.sampling.stopTokens = [-1] }), ("logprobs", { $0.sampling.logprobCount = 21 }),
            ("min_p", { $0.sampling.minP = -0.1 }), ("min_p", { $0.sampling.minP = .nan }),
            ("typical_p", { $0.sampling.typicalP = 0 }), ("typical_p", { $0.sampling.typicalP = 1.1 }),
            ("repetition_penalty", { $0.sampling.repetitionPenalty = 0 }),
            ("repetition_penalty", { $0.sampling.repetitionPenalty = .infinity }),
            ("presence_penalty", { $0.sampling.presencePenalty = -2.5 }),
            ("presence_penalty", { $0.sampling.presencePenalty = .nan }),
            ("frequency_penalty", { $0.sampling.frequencyPenalty = 3 }),
            ("logit_bias", { $0.sampling.logitBias = [.init(token: 1, bias: 101)] }),
            ("logit_bias", { $0.sampling.logitBias = [.init(token: 1, bias: .nan)] }),
            ("logit_bias", { $0.sampling.logitBias = [.init(token: -1, bias: 1)] }),
            ("logit_bias", { $0.sampling.logitBias = [.init(token: 1, bias: 1), .init(token: 1, bias: 2)] }),
            ("logit_bias", { $0.sampling.logitBias = (0...1024).map { .init(token: $0, bias: 1) } }),
            ("min_tokens", { $0.sampling.tokenCountMin = 34 }), ("best_of", { $0.sampling.bestOf = 1 }),
            ("best_of", { $0.sampling.bestOf = 17 }), ("prompt_logprobs", { $0.sampling.promptLogprobCount = 21 }),
            (
                "json_schema",
                {
                    $0.sampling.ignoresEndTokens = false
                    $0.sampling.constraint = .jsonSchema(String(repeating: " ", count: (256 << 10) + 1))
                }
            ),
            (
                "ignore_eos",
                {
                    $0.sampling.ignoresEndTokens = true
                    $0.sampling.constraint = .jsonObject
                }
            ),
            ("deadline", { $0.deadline = .zero }), ("deadline", { $0.deadline = .seconds(3601) }),
            ("deadline", { $0.deadline = .seconds(Int64.max) }), ("credit_tokens", { $0.creditTokens = 0 }),
            ("credit_tokens", { $0.creditTokens = .max }), ("resume_from", { $0.resumeFrom = [1] }),
            ("resume_from", { $0.resumeFrom = [1, 1000] }), ("tenant", { $0.tenant = TenantName("a b") }),
            ("tenant", { $0.tenant = TenantName(String(repeating: "a", count: 129)) }),
            ("model", { $0.model = String(repeating: "m", count: 258) }), ("model", { $0.model = "a\nb" }),
        ]
        for (index, (name, change)) in changes.enumerated() {
            guard case .invalidParameter(name, _, _) = refusal(change) else {
                Issue.record("change \(index) must be refused as \(name), not \(String(describing: refusal(change)))")
                continue
            }
        }
    }

    /// A map on the wire has no order, and the same request must be the same whatever its writer made of it.
    @Test func aBiasIsReadInTheOrderOfItsTokensAndAFullOneFits() throws {
        var submission = ClientSamples.submission
        let sorted = (0..<1024).map { SamplingParameters.LogitBias(token: $0 * 7, bias: Float($0 % 200) - 100) }
        submission.sampling.logitBias = sorted.reversed()
        guard case .submit(let read) = try ClientMessage(frames: ClientMessage.submit(submission).frames()) else {
            Issue.record("a Submit is read as one")
            return
        }
        #expect(read.sampling.logitBias == sorted)
    }

    @Test(arguments: [1025, 5000, 100_000, 190_000])
    func tooManyBiasesAreRefusedByNameHoweverManyTheyAre(count: Int) {
        let error = refusal { $0.sampling.logitBias = (0..<count).map { .init(token: TokenID($0), bias: 1) } }
        #expect(
            error
                == .invalidParameter(name: "logit_bias", value: "\(count) tokens", rule: "at most 1024 tokens"))
    }

    @Test func badPromptsAreRefusedWithTheirNumbers() {
        #expect(refusal { $0.prompt = .text("") } == .emptyPrompt)
        #expect(refusal { $0.prompt = .tokens([]) } == .emptyPrompt)
        let long = (1 << 20) + 1
        #expect(
            refusal { $0.prompt = .text(String(repeating: "a", count: long)) }
                == .promptTextTooLong(byteCount: long, byteCountMax: 1 << 20))
        #expect(
            refusal { $0.prompt = .tokens(Array(repeating: 1, count: (1 << 18) + 1)) }
                == .promptTooLong(tokenCount: (1 << 18) + 1, tokenCountMax: 1 << 18))
        #expect(
            refusal { $0.prompt = .tokens([1, -5]) }
                == .promptTokenOutOfRange(token: -5, vocabularyCount: Int(TokenID.max)))
        #expect(refusal { $0.key = String(repeating: "k", count: 257) } == .wrongKey)
    }

    @Test func aPromptThatIsNotUTF8IsRefusedAtItsByte() {
        let id: [UInt8] = Array(repeating: 1, count: 16)
        for (bytes, offset): ([UInt8], Int) in [
            ([0x61, 0xFF], 1), ([0xC3], 0), ([0x61, 0x62, 0xED, 0xA0, 0x80], 2), ([0xF4, 0x90, 0x80, 0x80], 0),
        ] {
            let payload = [0x0A, 16] + id + [0x2A, UInt8(bytes.count)] + bytes
            #expect(
                throws: ClientFrameError(
                    requestID: RequestID(high: 0x0101_0101_0101_0101, low: 0x0101_0101_0101_0101),
                    error: .promptNotUTF8(byteOffset: offset))
            ) { try ClientMessage(frames: [[0x48, 0x43, 1, 1], payload]) }
        }
    }

    @Test func framesOfTheWrongShapeAreProtocolViolations() {
        let good = ClientMessage.ping(number: 1).frames()
        let bad: [[[UInt8]]] = [
            [], [good[0]], good + [[]], [[], good[1]], [[0x48], good[1]], [[0x48, 0x49, 1, 4], good[1]],
            [[0x48, 0x43, 2, 4], good[1]], [[0x48, 0x43, 1, 99], good[1]], [[0x48, 0x43, 1, 16], good[1]],
            [good[0] + [0], good[1]], [good[0], [0xFF]], [good[0], [0x08]],
            [[0x48, 0x43, 1, 2], [0x0A, 3, 1, 2, 3]], [[0x48, 0x43, 1, 2], []],
            [[0x48, 0x43, 1, 1], Array(repeating: 0, count: (2 << 20) + 1)],
        ]
        for (index, frames) in bad.enumerated() {
            let error = #expect(throws: ClientFrameError.self, "frames \(index)") { try ClientMessage(frames: frames) }
            #expect(error?.error.code == "protocol_violation", "frames \(index)")
            #expect(throws: ClientFrameError.self, "frames \(index)") { try ClientReply(frames: frames) }
        }
    }

    @Test func aFrameThatWouldTakeMuchMoreMemoryThanItHasIsRefused() {
        // A million empty entries of the repeated message `logprobs`: two bytes each on the wire, some fifty as structures.
        let payload = Array(repeatElement([0x32, 0x00] as [UInt8], count: 1 << 20).joined())
        #expect(throws: ClientFrameError.self) { try ClientReply(frames: [[0x48, 0x43, 1, 17], payload]) }
        // The same with empty stop strings of a Submit.
        let stops = Array(repeatElement([0x3A, 0x00] as [UInt8], count: 1 << 19).joined())
        let length: [UInt8] = [0x80, 0x80, 0x40]
        #expect(throws: ClientFrameError.self) {
            try ClientMessage(frames: [[0x48, 0x43, 1, 1], [0x3A] + length + stops])
        }
    }

    @Test(arguments: 0..<8)
    func changedBytesAreReadOrRefusedAndNeverTrap(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let samples = ClientSamples.messages.map { $0.frames() } + ClientSamples.replies.map { $0.frames() }
        for _ in 0..<4000 {
            guard var frames = samples.randomElement(using: &generator) else { continue }
            Fuzz.change(&frames, using: &generator)
            // What is read must be in bounds: it goes back to bytes and comes again as the same value.
            if let message = try? ClientMessage(frames: frames) {
                #expect((try? ClientMessage(frames: message.frames())) == message, "seed \(seed)")
            }
            if let reply = try? ClientReply(frames: frames) {
                #expect((try? ClientReply(frames: reply.frames())) == reply, "seed \(seed)")
            }
        }
    }
}

/// Changes to frames such as a broken or hostile peer makes.
enum Fuzz {
    static func change(_ frames: inout [[UInt8]], using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            guard let frame = frames.indices.randomElement(using: &generator) else { return }
            switch Int.random(in: 0..<7, using: &generator) {
            case 0 where !frames[frame].isEmpty:
                let index = Int.random(in: 0..<frames[frame].count, using: &generator)
                frames[frame][index] = UInt8.random(in: 0...255, using: &generator)
            case 1 where !frames[frame].isEmpty:
                let index = Int.random(in: 0..<frames[frame].count, using: &generator)
                frames[frame][index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2:
                frames[frame] = Array(frames[frame].prefix(Int.random(in: 0...frames[frame].count, using: &generator)))
            case 3:
                frames[frame] += (0..<Int.random(in: 1...16, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
            case 4 where frames.count == 2:
                // Another kind for the same payload.
                if frames[0].count == 4 { frames[0][3] = UInt8.random(in: 0...24, using: &generator) }
            case 5: frames[frame] += frames[frame].shuffled(using: &generator).prefix(64)
            default: if Int.random(in: 0..<20, using: &generator) == 0 { frames.remove(at: frame) }
            }
        }
    }
}
