import Foundation
import HeddleCore
import HeddleFiles
import Testing

@Suite struct ModelFolderTests {
    /// What opening says when config.json has these fields changed (nil removes one); nil when it opens.
    private func refusal(_ changes: [String: String?], model: SmallModel = SmallModel()) throws -> String? {
        let folder = try model.folder()
        var fields = model.fields
        for (field, value) in changes { fields[field] = value }
        try folder.write("config.json", SmallModel.json(fields))
        return errorText { _ = try ModelFolder(path: folder.path) }?
            .replacingOccurrences(of: folder.path + "/", with: "")
    }

    private func configuration(_ changes: [String: String?]) throws -> ModelConfiguration {
        let model = SmallModel()
        let folder = try model.folder()
        var fields = model.fields
        for (field, value) in changes { fields[field] = value }
        try folder.write("config.json", SmallModel.json(fields))
        return try ModelFolder(path: folder.path).configuration
    }

    @Test func aFolderIsReadWhole() throws {
        let model = SmallModel()
        let folder = try model.folder()
        for path in [folder.path, folder.path + "/"] {
            let opened = try ModelFolder(path: path)
            #expect(opened.configuration == model.configuration)
            #expect(opened.weights.names.count == model.tensors.count)
            for tensor in model.configuration.tensors {
                #expect(opened.tensor(tensor).shape == model.configuration.shape(of: tensor))
            }
        }
    }

    @Test func shardedWeightsAreTheSameModel() throws {
        let model = SmallModel()
        let folder = try model.folder()
        try folder.remove("model.safetensors")
        let half = model.tensors.count / 2
        let shards = [
            ("model-00001-of-00002.safetensors", model.tensors[..<half]),
            ("model-00002-of-00002.safetensors", model.tensors[half...]),
        ]
        var map: [String] = []
        for (name, tensors) in shards {
            try folder.write(name, SafetensorsBytes.file(Array(tensors)))
            map += tensors.map { "\"\($0.name)\": \"\(name)\"" }
        }
        try folder.write(
            "model.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": {\(map.joined(separator: ","))}}")
        let opened = try ModelFolder(path: folder.path)
        let whole = try model.folder()
        let one = try ModelFolder(path: whole.path)
        for tensor in model.configuration.tensors {
            #expect(try opened.tensor(tensor).floats() == one.tensor(tensor).floats())
        }
    }

    @Test func missingFilesAreNamed() throws {
        let folder = try SmallModel().folder()
        try folder.remove("model.safetensors")
        #expect(
            errorText { _ = try ModelFolder(path: folder.path) }
                == "\(folder.path)/ has neither model.safetensors nor model.safetensors.index.json")
        try folder.remove("config.json")
        #expect(errorText { _ = try ModelFolder(path: folder.path) } == "there is no file \(folder.path)/config.json")
        #expect(
            errorText { _ = try ModelFolder(path: folder.path + "/x") }
                == "there is no file \(folder.path)/x/config.json")
    }

    @Test func configurationsThatAreNoJSONAreRefused() throws {
        let folder = try SmallModel().folder()
        try folder.write("config.json", "{\n\"hidden_size\": 16,\n}")
        #expect(
            errorText { _ = try ModelFolder(path: folder.path) }
                == "\(folder.path)/config.json is not JSON: line 3, column 1: found “}” instead of a key")
        try folder.write("config.json", "[]")
        #expect(
            errorText { _ = try ModelFolder(path: folder.path) }
                == "\(folder.path)/config.json does not hold a JSON object")
    }

    @Test(arguments: [
        (
            "architectures", #"["MixtralForCausalLM"]"#,
            #"architectures = ["MixtralForCausalLM"] is not supported; known are: LlamaForCausalLM, Mistral"#
        ),
        ("model_type", #""mistral""#, #"model_type = "mistral" is not supported; only "llama" is"#),
        ("hidden_act", #""gelu""#, #"hidden_act = "gelu" is not supported; only one of "silu", "swish" is"#),
        ("attention_bias", "1", "attention_bias is 1; it must be true or false"),
        ("sliding_window", "4096", "sliding_window = 4096 is not supported; only null is"),
        ("quantization_config", #"{"bits": 4}"#, #"quantization_config = {"bits": 4} is not supported"#),
        (
            "rope_scaling", #"{"rope_type": "llama3", "factor": 8.0}"#,
            "the field “rope_scaling.low_freq_factor” is missing"
        ),
        (
            "rope_scaling", #"{"type": "proportional", "factor": 2}"#,
            "is not supported; only the types default, dynamic, linear, llama3, longrope, yarn are"
        ),
        ("rope_scaling", #"{"type": "linear", "factor": 0.5}"#, "rope_scaling.factor is 0.5; it must be at least 1"),
        ("rope_scaling", #"{"type": "linear"}"#, "the field “rope_scaling.factor” is missing"),
        ("rope_scaling", #"{"type": "dynamic", "factor": 2, "beta": 1}"#, "“rope_scaling.beta” (1) is unknown"),
        (
            "rope_scaling",
            #"{"type": "longrope", "short_factor": [1, 1, 1], "long_factor": [1, 1, 1, 1]}"#,
            "rope_scaling.short_factor is [1, 1, 1]; it must be a list of 4 numbers above zero"
        ),
        (
            "rope_scaling",
            #"{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}"#,
            "rope_scaling.high_freq_factor is 4.0; it must be above low_freq_factor = 4.0"
        ),
        (
            "rope_parameters", #"{"rope_type": "default", "factor": 2.0}"#,
            "the field “rope_parameters.factor” (2.0) is unknown"
        ),
        (
            "rope_parameters", #"{"rope_type": "default", "rope_theta": 5.0}"#,
            "rope_parameters.rope_theta is 5.0; it must be the same wherever it stands"
        ),
        ("partial_rotary_factor", "0.5", "partial_rotary_factor = 0.5 is not supported"),
        ("logit_scale", "0.5", "the field “logit_scale” (0.5) is unknown; it may change the result, so it is refused"),
        ("is_encoder_decoder", "true", "is_encoder_decoder = true is not supported"),
        ("hidden_size", "0", "hidden_size is 0; it must be a whole number from 1 to 131072"),
        ("hidden_size", "16.5", "hidden_size is 16.5; it must be a whole number"),
        ("hidden_size", #""16""#, #"hidden_size is "16"; it must be a whole number"#),
        ("num_hidden_layers", "100000", "num_hidden_layers is 100000; it must be a whole number from 1 to 1024"),
        ("num_key_value_heads", "3", "num_key_value_heads is 3; it must be a divisor of num_attention_heads = 4"),
        ("head_dim", "7", "head_dim is 7; it must be even"),
        ("vocab_size", "-1", "vocab_size is -1"),
        ("rms_norm_eps", "0", "rms_norm_eps is 0; it must be a number above zero"),
        ("rope_theta", "1e300", "rope_theta is 1e+300; it must be a number above zero"),
        ("tie_word_embeddings", "1", "tie_word_embeddings is 1; it must be true or false"),
        ("bos_token_id", "40", "bos_token_id is 40; it must be a token of the vocabulary 0..<40"),
        ("eos_token_id", "[2, -1]", "eos_token_id is -1; it must be a token of the vocabulary 0..<40"),
    ])
    func fieldsThatChangeTheResultAreRefusedByName(field: String, value: String, message: String) throws {
        let text = try refusal([field: value])
        #expect(text?.contains("config.json") == true && text?.contains(message) == true, "\(text ?? "accepted")")
    }

    @Test(arguments: ["hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size", "vocab_size"])
    func fieldsWithoutADefaultAreMissed(field: String) throws {
        #expect(try refusal([field: String?.none]) == "config.json: the field “\(field)” is missing")
    }

    @Test func defaultsAreThoseOfTransformers() throws {
        let bare = try configuration([
            "rms_norm_eps": nil, "rope_theta": nil, "rope_scaling": nil, "tie_word_embeddings": nil,
            "max_position_embeddings": nil,
            "bos_token_id": nil, "eos_token_id": nil, "hidden_act": nil, "attention_bias": nil, "mlp_bias": nil,
            "architectures": nil,
        ])
        #expect(bare.rmsNormEpsilon == 1e-6 && bare.rotary[0].theta == 10_000 && bare.positionCountMax == 2048)
        #expect(bare.beginToken == 1 && bare.endTokens == [2] && !bare.tiedEmbeddings)
        #expect(try configuration(["bos_token_id": "null", "eos_token_id": "null"]).beginToken == nil)
        #expect(try configuration(["eos_token_id": "[5, 2, 5]"]).endTokens == [5, 2])
        #expect(
            try refusal(["architectures": String?.none, "model_type": String?.none])
                == "config.json: the field “architectures” is missing")
    }

    @Test func bothSpellingsOfTheRotaryBaseAreRead() throws {
        #expect(
            try configuration([
                "rope_theta": nil, "rope_parameters": #"{"rope_type": "default", "rope_theta": 500000.0}"#,
            ]).rotary[0].theta == 500_000)
        #expect(try configuration(["rope_theta": "500000"]).rotary[0].theta == 500_000)
        #expect(
            try configuration(["rope_theta": "7", "rope_parameters": #"{"rope_type": "default", "rope_theta": 7.0}"#])
                .rotary[0].theta == 7)
        #expect(try configuration(["rope_scaling": #"{"rope_type": "default"}"#]).rotary[0].theta == 10_000)
    }

    @Test func theGenerationConfigurationNamesTheEndTokens() throws {
        let folder = try SmallModel().folder()
        try folder.write("generation_config.json", #"{"eos_token_id": [7, 9], "do_sample": true}"#)
        #expect(try ModelFolder(path: folder.path).configuration.endTokens == [7, 9])
        try folder.write("generation_config.json", #"{"eos_token_id": 3}"#)
        #expect(try ModelFolder(path: folder.path).configuration.endTokens == [3])
        try folder.write("generation_config.json", #"{"temperature": 0.6}"#)
        #expect(try ModelFolder(path: folder.path).configuration.endTokens == [2])
        try folder.write("generation_config.json", #"{"eos_token_id": 4000}"#)
        #expect(
            errorText { _ = try ModelFolder(path: folder.path) }
                == "\(folder.path)/generation_config.json: eos_token_id is 4000; it must be a token of the vocabulary 0..<40"
        )
    }

    @Test func everyTensorMustBeThereInItsShape() throws {
        let model = SmallModel()
        let folder = try model.folder()
        func refusal(_ change: (inout [SafetensorsBytes.Tensor]) -> Void) throws -> String? {
            var tensors = model.tensors
            change(&tensors)
            try folder.write("model.safetensors", SafetensorsBytes.file(tensors))
            return errorText { _ = try ModelFolder(path: folder.path) }
        }
        #expect(try refusal { _ in } == nil)
        #expect(
            try refusal { $0.removeAll { $0.name == "model.layers.1.self_attn.k_proj.weight" } }
                == "the checkpoint has no tensor “model.layers.1.self_attn.k_proj.weight”; its configuration needs one of shape [16, 16]"
        )
        #expect(
            try refusal { $0[1] = .random($0[1].name, [15], seed: 1) }
                == "tensor “model.layers.0.input_layernorm.weight” has shape [15]; its configuration needs [16]")
        #expect(
            try refusal { $0[1] = .init(name: $0[1].name, type: "I32", shape: [16], bytes: $0[1].bytes) }
                == "tensor “model.layers.0.input_layernorm.weight” has elements of type I32; F32, F16 and BF16 are supported"
        )
        #expect(
            try refusal { $0.append(.random("model.layers.0.self_attn.q_proj.bias", [32], seed: 1)) }
                == "the checkpoint has a tensor “model.layers.0.self_attn.q_proj.bias” of shape [32] that this architecture would not use"
        )
        #expect(try refusal { $0.append(.random("model.layers.0.self_attn.rotary_emb.inv_freq", [4], seed: 1)) } == nil)
    }

    @Test func everyRefusalIsListed() throws {
        let model = SmallModel()
        let folder = try model.folder()
        #expect(ModelFolder.refusals(path: folder.path).isEmpty)
        try folder.write(
            "model.safetensors",
            SafetensorsBytes.file(
                model.tensors.dropFirst(2) + [.random("extra", [2], seed: 1), .random("more", [2], seed: 1)]))
        #expect(
            ModelFolder.refusals(path: folder.path) == [
                .tensorMissing(tensor: "model.embed_tokens.weight", shape: [40, 16]),
                .tensorMissing(tensor: "model.layers.0.input_layernorm.weight", shape: [16]),
                .tensorUnexpected(tensor: "extra", shape: [2]), .tensorUnexpected(tensor: "more", shape: [2]),
            ])
        var fields = model.fields
        fields["one_field"] = "1"
        fields["other_field"] = "2"
        fields["hidden_act"] = #""relu""#
        try folder.write("config.json", SmallModel.json(fields))
        let names = ModelFolder.refusals(path: folder.path).map { "\($0)" }
        #expect(names.count == 3 && names[0].contains("hidden_act") && names[1].contains("one_field"))
    }

    @Test func theGenerationConfigurationProposesSampling() throws {
        let folder = try SmallModel().folder()
        func defaults(_ text: String) throws -> SamplingDefaults {
            try folder.write("generation_config.json", text)
            var defaults = try ModelFolder(path: folder.path).samplingDefaults
            defaults.endTokens = []
            return defaults
        }
        func refusal(_ text: String) throws -> String? {
            try folder.write("generation_config.json", text)
            let error = errorText { _ = try ModelFolder(path: folder.path) }
            #expect(ModelFolder.refusals(path: folder.path).map { "\($0)" } == (error.map { [$0] } ?? []))
            return error
        }
        let plain = try ModelFolder(path: folder.path)
        #expect(plain.samplingDefaults == SamplingDefaults(endTokens: plain.configuration.endTokens))
        var expected = SamplingDefaults()
        (expected.temperature, expected.topK, expected.topP, expected.repetitionPenalty) = (0.6, 20, 0.95, 1.05)
        (expected.tokenCountMax, expected.tokenCountMin) = (2048, 3)
        #expect(
            try defaults(
                #"{"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0, "repetition_penalty": 1.05, "max_new_tokens": 2048, "min_new_tokens": 3, "max_length": 4096, "max_window_size": 7}"#
            ) == expected)
        // Without do_sample, transformers takes the likeliest token, whatever the temperature.
        #expect(try defaults(#"{"temperature": 0.6}"#) == SamplingDefaults())
        #expect(try defaults(#"{"do_sample": false, "temperature": 0.6}"#) == SamplingDefaults())
        #expect(try defaults(#"{"do_sample": true}"#).temperature == 1)
        // A dump of every field that asks for nothing.
        let neutral = #"{"num_beams": 1, "no_repeat_ngram_size": 0, "epsilon_cutoff": 0.0, "suppress_tokens": null}"#
        #expect(try defaults(neutral) == SamplingDefaults())
        let path = "\(folder.path)/generation_config.json"
        #expect(try refusal(#"{"top_p": 1.5}"#) == "\(path): top_p is 1.5; it must be a number from 0 to 1.0")
        #expect(
            try refusal(#"{"temperature": 500}"#) == "\(path): temperature is 500; it must be a number from 0 to 100.0")
        #expect(
            try refusal(#"{"no_repeat_ngram_size": 3}"#)
                == "\(path): no_repeat_ngram_size = 3 is not supported; only one of null, 0 is")
        #expect(try refusal(#"{"suppress_tokens": [5]}"#)?.contains("suppress_tokens = [5] is not supported") == true)
    }

    @Test func aTiedOutputIsTheEmbedding() throws {
        var model = SmallModel()
        model.tied = true
        let folder = try model.folder()
        let opened = try ModelFolder(path: folder.path)
        #expect(opened.tensor(.output).name == "model.embed_tokens.weight")
        var same = model.tensors[0]
        same.name = "lm_head.weight"
        try folder.write("model.safetensors", SafetensorsBytes.file(model.tensors + [same]))
        #expect(errorText { _ = try ModelFolder(path: folder.path) } == nil)
        same.bytes[5] ^= 1
        try folder.write("model.safetensors", SafetensorsBytes.file(model.tensors + [same]))
        #expect(
            errorText { _ = try ModelFolder(path: folder.path) }?.contains(
                "holds a “lm_head.weight” that is not the embedding") == true)
    }

    @Test func truncatedWeightsAreRefused() throws {
        let model = SmallModel()
        let folder = try model.folder()
        let whole = SafetensorsBytes.file(model.tensors)
        for count in [0, 7, 8, 100, whole.count / 2, whole.count - 1] {
            try folder.write("model.safetensors", whole.prefix(count))
            #expect(
                errorText { _ = try ModelFolder(path: folder.path) }?.contains("model.safetensors is truncated") == true
            )
        }
    }

    @Test func theDigestIsOfEveryDecidingByte() throws {
        let model = SmallModel()
        let folder = try model.folder()
        let first = try ModelFolder(path: folder.path).digest()
        let twin = try model.folder()
        #expect(try ModelFolder(path: twin.path).digest() == first)
        try folder.write("README.md", "hello")
        try folder.write("tokenizer.json", "{}")
        #expect(try ModelFolder(path: folder.path).digest() == first)
        try folder.write("generation_config.json", "{}")
        let second = try ModelFolder(path: folder.path).digest()
        var tensors = model.tensors
        tensors[3].bytes[0] ^= 1
        try folder.write("model.safetensors", SafetensorsBytes.file(tensors))
        let third = try ModelFolder(path: folder.path).digest()
        try folder.write("config.json", SmallModel.json(model.fields) + " ")
        let fourth = try ModelFolder(path: folder.path).digest()
        #expect(Set([first, second, third, fourth]).count == 4)
    }
}
