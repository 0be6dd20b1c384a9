import HeddleCore
import Testing

@Suite struct AdmissionTests {
    private func tenant(
        _ name: String, key: UInt8, permission: TenantTable.Permission = .everything
    ) throws -> TenantTable.Tenant {
        try TenantTable.Tenant(
            share: TenantShare(tenant: TenantName(name)), keyDigest: digest(key), permission: permission)
    }

    private func catalogue() -> ModelCatalogue {
        var catalogue = ModelCatalogue()
        catalogue.set(.init(name: ModelName("base"), vocabularyCount: 100, sequenceTokenCountMax: 64))
        catalogue.set(.init(name: ModelName("other"), vocabularyCount: 10, sequenceTokenCountMax: 8))
        for (model, number) in [("base", 1), ("other", 1), ("other", 2)] as [(String, UInt8)] {
            catalogue.set(ModelCatalogue.Adapter(reference: adapter(number), model: ModelName(model)))
        }
        return catalogue
    }

    private func admission() throws -> Admission {
        Admission(
            limits: RequestLimits(), tenants: try TenantTable([tenant("a", key: 1)]), catalogue: catalogue())
    }

    private func error(
        model: String = "base", prompt: [TokenID] = [1], sampling: RequestedSampling = RequestedSampling(tokenCountMax: 64),
        deadline: Duration = .seconds(1), permission: TenantTable.Permission = .everything
    ) throws -> RequestError? {
        let draft = Admission.Draft(
            id: request(1), model: model, promptTokens: prompt, sampling: sampling, deadline: deadline)
        let admission = try admission()
        let tenant = try tenant("a", key: 1, permission: permission)
        do throws(RequestError) {
            _ = try admission.admit(draft, tenant: tenant)
            return nil
        } catch {
            return error
        }
    }

    @Test func aSubmissionIsResolvedToItsModelAndAdapter() throws {
        let draft = Admission.Draft(
            id: request(1), model: "other:adapter-2", promptTokens: [1, 9],
            sampling: RequestedSampling(tokenCountMax: 6), deadline: .seconds(5))
        let submission = try admission().admit(draft, tenant: tenant("a", key: 1))
        #expect(submission.model == ModelName("other") && submission.adapter == adapter(2))
        #expect(submission.tenant == TenantName("a") && submission.promptTokens == [1, 9])
    }

    /// A model's end tokens are added to what was checked: they are not the client's to answer for.
    @Test func theModelsEndTokensAreAddedUnlessTheyAreIgnored() throws {
        for isIgnored in [false, true] {
            let draft = Admission.Draft(
                id: request(1), model: "base", promptTokens: [1],
                sampling: RequestedSampling(
                    tokenCountMax: 4, stopTokens: Array(0..<64), ignoresEndTokens: isIgnored),
                deadline: .seconds(1), defaults: SamplingDefaults(endTokens: [5, 70, 71]))
            let parameters = try admission().admit(draft, tenant: tenant("a", key: 1)).parameters
            #expect(parameters.stopTokens == Array(0..<64) + (isIgnored ? [] : [70, 71]))
        }
    }

    @Test func whatARequestLeavesOutIsTheModelsDefaultAndThenHeddles() throws {
        var defaults = SamplingDefaults()
        (defaults.temperature, defaults.topK, defaults.topP, defaults.minP) = (0.6, 20, 0.95, 0.1)
        (defaults.typicalP, defaults.repetitionPenalty, defaults.tokenCountMin) = (0.9, 1.05, 2)
        func parameters(_ sampling: RequestedSampling, _ defaults: SamplingDefaults) throws -> SamplingParameters {
            let draft = Admission.Draft(
                id: request(1), model: "base", promptTokens: [1], sampling: sampling, deadline: .seconds(1),
                defaults: defaults)
            return try admission().admit(draft, tenant: tenant("a", key: 1)).parameters
        }
        #expect(
            try parameters(RequestedSampling(tokenCountMax: 4), defaults)
                == SamplingParameters(
                    temperature: 0.6, topK: 20, topP: 0.95, minP: 0.1, typicalP: 0.9, repetitionPenalty: 1.05,
                    tokenCountMax: 4, tokenCountMin: 2))
        // What is said holds, also where it is the value that Heddle itself would take.
        let said = RequestedSampling(
            temperature: 0, topK: 0, topP: 1, minP: 0, typicalP: 1, repetitionPenalty: 1, tokenCountMax: 4,
            tokenCountMin: 0)
        #expect(try parameters(said, defaults) == SamplingParameters(tokenCountMax: 4))
        #expect(
            try parameters(RequestedSampling(tokenCountMax: 4), SamplingDefaults())
                == SamplingParameters(tokenCountMax: 4))
        // A model's least length never exceeds the most that the client asks for.
        #expect(try parameters(RequestedSampling(tokenCountMax: 1), defaults).tokenCountMin == 1)
    }

    @Test func aLengthThatNobodyAskedForIsCutToTheContext() throws {
        func length(_ sampling: RequestedSampling, prompt count: Int, default: Int) throws -> Int {
            var defaults = SamplingDefaults()
            defaults.tokenCountMax = `default`
            let draft = Admission.Draft(
                id: request(1), model: "base", promptTokens: Array(repeating: 1, count: count), sampling: sampling,
                deadline: .seconds(1), defaults: defaults)
            return try admission().admit(draft, tenant: tenant("a", key: 1)).parameters.tokenCountMax
        }
        #expect(try length(RequestedSampling(), prompt: 4, default: 2048) == 60)
        #expect(try length(RequestedSampling(), prompt: 63, default: 2048) == 1)
        #expect(try length(RequestedSampling(), prompt: 4, default: 10) == 10)
        #expect(try length(RequestedSampling(tokenCountMin: 20), prompt: 4, default: 10) == 20)
        #expect(throws: RequestError.promptTooLong(tokenCount: 64, tokenCountMax: 64)) {
            try length(RequestedSampling(), prompt: 64, default: 10)
        }
        #expect(throws: RequestError.promptTooLong(tokenCount: 60, tokenCountMax: 64)) {
            try length(RequestedSampling(tokenCountMax: 5), prompt: 60, default: 1)
        }
    }

    @Test func logprobsOfAPromptAreBoundedTogether() {
        let limits = RequestLimits()
        func error(_ tokens: Int, _ count: Int) -> String? {
            SamplingParameters(promptLogprobCount: count)
                .firstError(promptTokenCount: tokens, vocabularyCount: 100, limits: limits)?.parameter
        }
        #expect(error(1 << 18, 0) == nil)
        #expect(error((1 << 18) + 1, 0) == "prompt_logprobs")
        #expect(error(12_483, 20) == nil)
        #expect(error(12_484, 20) == "prompt_logprobs")
        #expect(error(.max, 20) == "prompt_logprobs")
    }

    @Test func modelsAreNamedAloneByAdapterOrByBoth() throws {
        let catalogue = catalogue()
        #expect(try catalogue.resolve("base").adapter == nil)
        #expect(try catalogue.resolve("adapter-1").model.name == ModelName("base"))
        #expect(try catalogue.resolve("other:adapter-1").model.name == ModelName("other"))
        #expect(throws: RequestError.unknownModel("nobody")) { try catalogue.resolve("nobody") }
        #expect(throws: RequestError.unknownModel("nobody:adapter-1")) { try catalogue.resolve("nobody:adapter-1") }
        #expect(throws: RequestError.unknownAdapter("base:adapter-2")) { try catalogue.resolve("base:adapter-2") }
        #expect(throws: RequestError.unknownModel("")) { try catalogue.resolve("") }
    }

    @Test func anAdapterThatIsReplacedHasItsNewDigestForLaterRequests() throws {
        var catalogue = catalogue()
        let newer = AdapterRef(name: AdapterName("adapter-1"), digest: digest(50), rank: 4)
        catalogue.set(ModelCatalogue.Adapter(reference: newer, model: ModelName("base")))
        #expect(try catalogue.resolve("adapter-1").adapter == newer)
        #expect(try catalogue.resolve("other:adapter-1").adapter == adapter(1))
        catalogue.removeAdapter(AdapterName("adapter-1"), model: ModelName("base"))
        #expect(try catalogue.resolve("adapter-1").model.name == ModelName("other"))
    }

    @Test func promptsThatCannotBeServedAreRefusedWithTheirNumbers() throws {
        #expect(try error(prompt: []) == .emptyPrompt)
        #expect(
            try error(prompt: Array(repeating: 1, count: 60), sampling: RequestedSampling(tokenCountMax: 5))
                == .promptTooLong(tokenCount: 60, tokenCountMax: 64))
        #expect(
            try error(prompt: Array(repeating: 1, count: 60), sampling: RequestedSampling(tokenCountMax: 4)) == nil)
        #expect(
            try error(sampling: RequestedSampling(tokenCountMax: .max))
                == .promptTooLong(tokenCount: 1, tokenCountMax: 64))
        let sampling = RequestedSampling(tokenCountMax: 4)
        #expect(
            try error(prompt: [1, 100], sampling: sampling)
                == .promptTokenOutOfRange(token: 100, vocabularyCount: 100))
        #expect(
            try error(prompt: [-1], sampling: sampling)
                == .promptTokenOutOfRange(token: -1, vocabularyCount: 100))
    }

    @Test func impossibleParametersAreRefusedByName() throws {
        func named(_ sampling: RequestedSampling, deadline: Duration = .seconds(1)) throws -> String? {
            try error(sampling: sampling, deadline: deadline)?.parameter
        }
        #expect(try named(RequestedSampling(temperature: -1, tokenCountMax: 4)) == "temperature")
        #expect(try named(RequestedSampling(temperature: .nan, tokenCountMax: 4)) == "temperature")
        #expect(try named(RequestedSampling(topK: -1, tokenCountMax: 4)) == "top_k")
        #expect(try named(RequestedSampling(topP: 0, tokenCountMax: 4)) == "top_p")
        #expect(try named(RequestedSampling(choiceCount: 17, tokenCountMax: 4)) == "n")
        #expect(try named(RequestedSampling(tokenCountMax: 0)) == "max_tokens")
        #expect(try named(RequestedSampling(tokenCountMax: 4, stopStrings: [""])) == "stop")
        #expect(try named(RequestedSampling(tokenCountMax: 4, stopTokens: [100])) == "stop_token_ids")
        #expect(try named(RequestedSampling(tokenCountMax: 4, logprobCount: 21)) == "logprobs")
        #expect(try named(RequestedSampling(minP: 1.01, tokenCountMax: 4)) == "min_p")
        #expect(try named(RequestedSampling(typicalP: 0, tokenCountMax: 4)) == "typical_p")
        #expect(try named(RequestedSampling(repetitionPenalty: 0, tokenCountMax: 4)) == "repetition_penalty")
        #expect(try named(RequestedSampling(presencePenalty: 2.01, tokenCountMax: 4)) == "presence_penalty")
        #expect(try named(RequestedSampling(frequencyPenalty: .nan, tokenCountMax: 4)) == "frequency_penalty")
        #expect(try named(RequestedSampling(bestOf: 17, tokenCountMax: 4)) == "best_of")
        #expect(try named(RequestedSampling(choiceCount: 3, bestOf: 2, tokenCountMax: 4)) == "best_of")
        #expect(try named(RequestedSampling(tokenCountMax: 4, tokenCountMin: 5)) == "min_tokens")
        #expect(try named(RequestedSampling(tokenCountMax: 4, promptLogprobCount: 21)) == "prompt_logprobs")
        let biases: [[SamplingParameters.LogitBias]] = [
            [.init(token: 100, bias: 1)], [.init(token: 1, bias: 100.5)], [.init(token: 1, bias: .nan)],
            [.init(token: 2, bias: 1), .init(token: 2, bias: 1)], [.init(token: -1, bias: 1)],
            (0...1024).map { .init(token: $0, bias: 1) },
        ]
        for bias in biases { #expect(try named(RequestedSampling(logitBias: bias, tokenCountMax: 4)) == "logit_bias") }
        #expect(try named(RequestedSampling(tokenCountMax: 4), deadline: .zero) == "deadline")
        #expect(try named(RequestedSampling(tokenCountMax: 4), deadline: .seconds(3601)) == "deadline")
    }

    @Test func aTenantUsesWhatItMayAndNothingElse() throws {
        let only = TenantTable.Permission.only(models: [], adapters: [AdapterName("adapter-1")])
        let sampling = RequestedSampling(tokenCountMax: 4)
        #expect(try error(model: "adapter-1", sampling: sampling, permission: only) == nil)
        #expect(
            try error(model: "base", sampling: sampling, permission: only)
                == .notPermitted(tenant: TenantName("a"), model: "base"))
        #expect(
            try error(model: "other:adapter-2", sampling: sampling, permission: only)
                == .notPermitted(tenant: TenantName("a"), model: "other:adapter-2"))
    }

    @Test func promptTextIsCheckedBeforeItIsTokenised() throws {
        let admission = try admission()
        #expect(throws: RequestError.emptyPrompt) { try admission.check(promptText: []) }
        #expect(throws: RequestError.promptNotUTF8(byteOffset: 3)) {
            try admission.check(promptText: Array("abc".utf8) + [0xFF, 0x41])
        }
        #expect(throws: RequestError.promptTextTooLong(byteCount: 1_048_577, byteCountMax: 1_048_576)) {
            try admission.check(promptText: Array(repeating: 0x41, count: 1_048_577))
        }
        try admission.check(promptText: Array("Grüße, 世界 🧵".utf8))
    }

    @Test func utf8IsWhatTheStandardLibraryTakesForIt() {
        var random = SplitMix64(seed: 7)
        let interesting: [UInt8] = [0x41, 0x80, 0xBF, 0xC1, 0xC2, 0xE0, 0x9F, 0xA0, 0xED, 0xF0, 0x8F, 0x90, 0xF4, 0xF5]
        for _ in 0..<50_000 {
            let bytes = (0..<random.number(0...6)).map { _ in
                random.chance(80) ? random.pick(interesting) : UInt8(random.number(0...255))
            }
            let offset = UTF8Check.firstInvalidOffset(bytes)
            #expect((offset == nil) == (String(validating: bytes, as: UTF8.self) != nil), "\(bytes)")
            if let offset { #expect(String(validating: bytes[..<offset], as: UTF8.self) != nil, "\(bytes)") }
        }
    }

    @Test func aKeyFindsItsTenantAndNoOther() throws {
        let table = try TenantTable([tenant("b", key: 2), tenant("a", key: 1)])
        #expect(try table.authenticate(name: nil, keyDigest: digest(2)).name == TenantName("b"))
        #expect(try table.authenticate(name: TenantName("a"), keyDigest: digest(1)).name == TenantName("a"))
        #expect(throws: RequestError.wrongKey) { try table.authenticate(name: TenantName("a"), keyDigest: digest(2)) }
        #expect(throws: RequestError.wrongKey) { try table.authenticate(name: nil, keyDigest: digest(9)) }
        #expect(throws: RequestError.wrongKey) { try table.authenticate(name: nil, keyDigest: nil) }
        #expect(throws: RequestError.unknownTenant(TenantName("z"))) {
            try table.authenticate(name: TenantName("z"), keyDigest: digest(1))
        }
    }

    @Test func tenantsHaveANameAndAKeyOfTheirOwn() throws {
        #expect(throws: LimitsError(limit: "tenants", value: "a", rule: "named once")) {
            try TenantTable([tenant("a", key: 1), tenant("a", key: 2)])
        }
        #expect(throws: LimitsError(limit: "tenants", value: "a and b", rule: "given a key of their own each")) {
            try TenantTable([tenant("a", key: 1), tenant("b", key: 1)])
        }
    }

    @Test func aRequestKeepsTheAdapterThatItBeganWith() throws {
        var admission = try admission()
        let pinned = ModelCatalogue.Adapter(reference: adapter(2), model: ModelName("other"))
        admission.catalogue.removeAdapter(adapter(2).name, model: ModelName("other"))
        for name in ["adapter-2", "other:adapter-2"] {
            let draft = Admission.Draft(
                id: request(1), model: name, pinned: pinned, promptTokens: [1],
                sampling: RequestedSampling(tokenCountMax: 6),
                deadline: .seconds(5))
            #expect(try admission.admit(draft, tenant: tenant("a", key: 1)).adapter == adapter(2))
        }
        let other = Admission.Draft(
            id: request(1), model: "other:adapter-1", pinned: pinned, promptTokens: [1],
            sampling: RequestedSampling(tokenCountMax: 6), deadline: .seconds(5))
        #expect(try admission.admit(other, tenant: tenant("a", key: 1)).adapter == adapter(1))
    }
}
