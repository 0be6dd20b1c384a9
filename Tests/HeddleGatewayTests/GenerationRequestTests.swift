import HeddleCore
import HeddleFiles
import HeddleGateway
import Testing

/// What a body asks for, and which bodies are refused, each by the name of the field at fault.
@Suite struct GenerationRequestTests {
    private func read(
        _ endpoint: GenerationRequest.Endpoint, _ body: String, limits: GatewayLimits = GatewayLimits()
    ) throws(HTTPFailure) -> GenerationRequest {
        try GenerationRequest(endpoint, body: Array(body.utf8), limits: limits)
    }

    /// The failure of a body whose only fault is `member`.
    private func failure(_ endpoint: GenerationRequest.Endpoint, _ member: String) -> HTTPFailure? {
        let prompt = endpoint == .chat ? #""messages": [{"role": "user", "content": "x"}]"# : #""prompt": "x""#
        do throws(HTTPFailure) {
            _ = try read(endpoint, #"{"model": "m", \#(prompt), \#(member)}"#)
            return nil
        } catch { return error }
    }

    private func sampling(_ endpoint: GenerationRequest.Endpoint, _ member: String) throws -> RequestedSampling {
        let prompt = endpoint == .chat ? #""messages": [{"role": "user", "content": "x"}]"# : #""prompt": "x""#
        return try read(endpoint, #"{"model": "m", \#(prompt), \#(member)}"#).sampling
    }

    @Test(arguments: [GenerationRequest.Endpoint.completions, .chat])
    func everySamplingFieldReachesTheRouter(endpoint: GenerationRequest.Endpoint) throws {
        let sampling = try sampling(
            endpoint,
            """
            "temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.1, "typical_p": 0.8, "repetition_penalty": 1.1,
            "presence_penalty": 0.25, "frequency_penalty": -0.5, "logit_bias": {"30": -1, "4": 2.5}, "n": 3, "best_of": 4,
            "min_tokens": 2, "stop": ["a", "b"], "stop_token_ids": [5, 6], "ignore_eos": true, "prompt_logprobs": 1
            """)
        #expect(
            sampling
                == RequestedSampling(
                    temperature: 0.5, topK: 7, topP: 0.9, minP: 0.1, typicalP: 0.8, repetitionPenalty: 1.1,
                    presencePenalty: 0.25, frequencyPenalty: -0.5,
                    logitBias: [.init(token: 4, bias: 2.5), .init(token: 30, bias: -1)], choiceCount: 3, bestOf: 4,
                    tokenCountMin: 2, stopStrings: ["a", "b"], stopTokens: [5, 6], ignoresEndTokens: true,
                    promptLogprobCount: 1))
    }

    @Test func otherProgramsWaysOfSayingItAreUnderstood() throws {
        #expect(try sampling(.completions, #""stop": "x""#).stopStrings == ["x"])
        #expect(try sampling(.completions, #""top_k": -1"#).topK == 0)
        #expect(try sampling(.completions, #""n": 2.0"#).choiceCount == 2)
        #expect(
            try sampling(.completions, #""temperature": null, "stop": null, "logit_bias": null"#)
                == RequestedSampling())
        #expect(try sampling(.completions, #""logprobs": 2"#).logprobCount == 2)
        #expect(try sampling(.chat, #""logprobs": true"#).logprobCount == 0)
        #expect(try sampling(.chat, #""logprobs": true, "top_logprobs": 3"#).logprobCount == 3)
        #expect(try sampling(.chat, #""logprobs": false"#).logprobCount == nil)
    }

    @Test func theLengthIsOpenAIsUnlessItIsSaid() throws {
        #expect(try read(.completions, #"{"model": "m", "prompt": "x"}"#).tokenCountMax == 16)
        let chat = #"{"model": "m", "messages": [{"role": "user", "content": "x"}]"#
        #expect(try read(.chat, chat + "}").tokenCountMax == nil)
        #expect(try read(.chat, chat + #", "max_tokens": 5}"#).tokenCountMax == 5)
        #expect(try read(.chat, chat + #", "max_completion_tokens": 6}"#).tokenCountMax == 6)
        #expect(try read(.chat, chat + #", "max_completion_tokens": 6, "max_tokens": 6}"#).tokenCountMax == 6)
        #expect(failure(.chat, #""max_completion_tokens": 6, "max_tokens": 5"#)?.parameter == "max_tokens")
    }

    @Test func aSeedIsAny64BitsAndOtherwiseTheRequests() throws {
        let request = try read(.completions, #"{"model": "m", "prompt": "x", "seed": -1}"#)
        #expect(request.seed == .max)
        let unseeded = try read(.completions, #"{"model": "m", "prompt": "x"}"#)
        let id = RequestID(high: 1, low: 77)
        func seed(_ request: GenerationRequest) -> UInt64 {
            request.submission(
                id: id, key: "k", prompt: .text("x"), tokenCountMax: 4, resumeFrom: nil, limits: GatewayLimits()
            ).sampling.seed
        }
        #expect(seed(unseeded) == 77 && seed(request) == .max)
    }

    @Test func promptsComeInFourForms() throws {
        func prompts(_ json: String) throws -> [ClientSubmission.Prompt] {
            guard case .plain(let prompts) = try read(.completions, #"{"model": "m", "prompt": \#(json)}"#).prompts
            else {
                return []
            }
            return prompts
        }
        #expect(try prompts(#""a""#) == [.text("a")])
        #expect(try prompts(#"["a", "b"]"#) == [.text("a"), .text("b")])
        #expect(try prompts("[1, 2]") == [.tokens([1, 2])])
        #expect(try prompts("[[1], [2, 3]]") == [.tokens([1]), .tokens([2, 3])])
        for bad in ["[]", "5", "{}", "[1, -2]", "[[1], 2.5]", #"["a", null]"#, "[4294967296]", "true"] {
            #expect(throws: HTTPFailure.self) { try prompts(bad) }
        }
        let many =
            "[" + Array(repeating: #""a""#, count: GatewayLimits().promptCountMax + 1).joined(separator: ",") + "]"
        #expect(throws: HTTPFailure.self) { try prompts(many) }
    }

    @Test(arguments: UnsupportedField.common + UnsupportedField.completions)
    func whatCompletionsDoNotHaveIsRefusedByName(field: UnsupportedField) {
        let failure = failure(.completions, #""\#(field.name)": {"a": ["strange"]}"#)
        #expect(failure?.parameter == field.name && failure?.code == "unsupported_parameter" && failure?.status == 400)
    }

    @Test(arguments: UnsupportedField.common + UnsupportedField.chat)
    func whatChatDoesNotHaveIsRefusedByName(field: UnsupportedField) {
        let failure = failure(.chat, #""\#(field.name)": {"a": ["strange"]}"#)
        #expect(failure?.parameter == field.name && failure?.code == "unsupported_parameter" && failure?.status == 400)
    }

    @Test func valuesThatAskForNothingAreTaken() {
        for member in [
            #""use_beam_search": false"#, #""length_penalty": 1.0"#, #""service_tier": "auto""#, #""store": false"#,
            #""metadata": {}"#, #""bad_words": []"#, #""suffix": null"#, #""response_format": {"type": "text"}"#,
        ] { #expect(failure(.completions, member) == nil, "\(member)") }
        #expect(failure(.chat, #""modalities": ["text"], "parallel_tool_calls": true"#) == nil)
    }

    @Test func aStrangerIsRefusedByName() {
        #expect(failure(.chat, #""temprature": 1"#)?.parameter == "temprature")
        #expect(failure(.chat, #""temprature": 1"#)?.code == "unknown_parameter")
        #expect(failure(.chat, #""prompt": "x""#)?.parameter == "prompt")
        #expect(failure(.completions, #""messages": []"#)?.parameter == "messages")
        #expect(
            failure(.completions, #""stream": true, "stream_options": {"frob": 1}"#)?.parameter == "stream_options.frob"
        )
        #expect(failure(.completions, #""stream_options": {"include_usage": true}"#)?.parameter == "stream_options")
    }

    @Test(arguments: [
        ("temperature", #""hot""#), ("top_k", "1.5"), ("n", #""2""#), ("stop", "5"), ("stop", "[5]"),
        ("logit_bias", "[]"),
        ("logit_bias", #"{"x": 1}"#), ("logit_bias", #"{"5": "a"}"#), ("stream", "1"), ("seed", "1.5"), ("user", "7"),
        ("stop_token_ids", #"["a"]"#), ("deadline", "0"), ("deadline", "1e300"), ("echo", "0"),
        ("user", #""a\u0007b""#),
    ])
    func aValueOfTheWrongKindNamesItsField(field: (name: String, value: String)) {
        let failure = failure(.completions, #""\#(field.name)": \#(field.value)"#)
        #expect(failure?.parameter == field.name && failure?.code == "invalid_parameter")
    }

    @Test func whatDoesNotGoTogetherIsRefused() {
        #expect(failure(.chat, #""top_logprobs": 2"#)?.parameter == "top_logprobs")
        #expect(failure(.completions, #""stream": true, "prompt_logprobs": 1"#)?.parameter == "prompt_logprobs")
        #expect(failure(.completions, #""stream": true, "echo": true, "logprobs": 1"#)?.parameter == "echo")
        #expect(throws: HTTPFailure.self) {
            try read(.completions, #"{"model": "m", "prompt": ["a", "b", "c", "d", "e"], "n": 16}"#)
        }
    }

    @Test func aBodyThatIsNoObjectIsRefused() {
        for body in ["", "[]", "nonsense", #"{"model": "m""#, #"{"model": "m", "model": "n"}"#, "\u{FEFF}{}"] {
            #expect(throws: HTTPFailure.self) { try read(.completions, body) }
        }
        var limits = GatewayLimits()
        limits.jsonDepthMax = 3
        #expect(throws: HTTPFailure.self) { try read(.completions, #"{"a": [[[[]]]]}"#, limits: limits) }
        #expect(throws: HTTPFailure.self) { try read(.completions, #"{"prompt": "x"}"#) }
    }

    @Test func bytesThatWereTurnedOverNeverTrap() {
        let body = Array(
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"n":2,"logit_bias":{"5":1},"stop":["a"],"seed":7,"tools":[{"type":"function","function":{"name":"f"}}]}"#
                .utf8)
        var state: UInt64 = 1
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        for _ in 0..<20_000 {
            var mutant = body
            for _ in 0...next(3) {
                switch next(3) {
                case 0: mutant[next(mutant.count)] = UInt8(next(256))
                case 1: mutant.remove(at: next(mutant.count))
                default: mutant.insert(Array(#"{}[]",:0e-1"#.utf8)[next(11)], at: next(mutant.count))
                }
            }
            _ = try? GenerationRequest(.chat, body: mutant, limits: GatewayLimits())
        }
    }
}

extension UnsupportedField: CustomTestStringConvertible {
    public var testDescription: String { name }
}
