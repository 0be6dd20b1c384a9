import HeddleFiles
import Testing

/// What each family's config.json says, in the spelling in which the files of well-known models were published.
@Suite struct FamilyTests {
    private func read(_ text: String, without fields: [String] = [], with more: [String] = []) throws
        -> ModelConfiguration
    {
        var lines = text.split(separator: "\n").map(String.init).filter { line in
            !fields.contains { line.contains("\"\($0)\":") }
        }
        lines = lines.map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 } + more
        let value = try JSONParser.parse(Array("{\(lines.joined(separator: ",\n"))}".utf8))
        return try Architecture.read(#require(value.object), file: "config.json")
    }

    private func refusal(_ text: String, without fields: [String] = [], with more: [String] = []) -> String? {
        errorText { _ = try read(text, without: fields, with: more) }
    }

    @Test func llama31() throws {
        let model = try read(PublishedConfigurations.llama31)
        #expect(
            model.architecture == .llama && model.block == DecoderBlock()
                && model.endTokens == [128001, 128008, 128009])
        #expect(model.positionCountMax == 131_072 && model.headDimension == 128 && model.kvHeadCount == 8)
        guard case .llama3(let numbers) = model.rotary[0].scaling else { throw Unexpected(model.rotary) }
        #expect(numbers.factor == 8 && numbers.originalPositionCount == 8192 && model.rotary[0].theta == 500_000)
    }

    @Test func llamaBiases() throws {
        let model = try read(
            PublishedConfigurations.llama31, without: ["attention_bias", "mlp_bias"],
            with: [
                "\"attention_bias\": true", "\"mlp_bias\": true",
            ])
        #expect(Projection.allCases.allSatisfy { model.block.hasBias($0) })
        #expect(model.tensors.contains(.bias(layer: 3, .down)))
        #expect(model.name(of: .bias(layer: 3, .down)) == "model.layers.3.mlp.down_proj.bias")
        #expect(model.shape(of: .bias(layer: 0, .k)) == [1024])
    }

    @Test func dynamicScalingReachesBeyondTheStatedLength() throws {
        let model = try read(
            PublishedConfigurations.llama31, without: ["rope_scaling", "max_position_embeddings"],
            with: [#""rope_scaling": {"type": "dynamic", "factor": 2.5}"#, "\"max_position_embeddings\": 4096"])
        #expect(model.positionCountMax == 10_240)
        #expect(model.rotary[0].scaling == .dynamic(factor: 2.5, originalPositionCount: 4096))
        #expect(model.rotary[0].lengthMax == 4096)
    }

    @Test func mistral() throws {
        let model = try read(PublishedConfigurations.mistral)
        #expect(model.layers.allSatisfy { $0.window == 4096 } && model.block == DecoderBlock())
        #expect(try read(PublishedConfigurations.mistral, without: ["sliding_window"]).layers[0].window == 4096)
        let whole = try read(
            PublishedConfigurations.mistral, without: ["sliding_window"], with: ["\"sliding_window\": null"])
        #expect(whole.layers.allSatisfy { $0.window == nil })
        #expect(
            refusal(PublishedConfigurations.mistral, with: [#""layer_types": ["full_attention"]"#])
                == #"config.json: the field “layer_types” (["full_attention"]) is unknown; it may change the result, so it is refused"#
        )
    }

    @Test func qwen2() throws {
        let model = try read(PublishedConfigurations.qwen2)
        #expect(model.block.hasInputBias && !model.block.hasOutputBias && !model.block.hasFeedForwardBias)
        #expect(model.layers.allSatisfy { $0.window == nil } && model.beginToken == 151_643)
        let windows = try read(
            PublishedConfigurations.qwen2, without: ["use_sliding_window", "max_window_layers"],
            with: ["\"use_sliding_window\": true", "\"max_window_layers\": 20"])
        #expect(windows.layers.map { $0.window != nil } == (0..<28).map { $0 >= 20 })
        let yarn = try read(
            PublishedConfigurations.qwen2,
            with: [#""rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}"#])
        #expect(yarn.positionCountMax == 131_072)
        #expect(abs(yarn.rotary[0].attentionFactor - 1.138629) < 1e-6)
        #expect(
            refusal(
                PublishedConfigurations.qwen2,
                with: [
                    "\"layer_types\": [" + Array(repeating: "\"sliding_attention\"", count: 28).joined(separator: ",")
                        + "]"
                ])?
                .contains("it must be full_attention only where there is no sliding_window") == true)
    }

    @Test func qwen3() throws {
        let model = try read(PublishedConfigurations.qwen3)
        #expect(model.block.hasHeadNorms && !model.block.hasInputBias && model.headDimension == 128)
        #expect(model.name(of: .queryNorm(layer: 2)) == "model.layers.2.self_attn.q_norm.weight")
        #expect(model.shape(of: .keyNorm(layer: 2)) == [128])
        #expect(try read(PublishedConfigurations.qwen3, without: ["head_dim"]).headDimension == 128)
    }

    @Test func gemma2() throws {
        let model = try read(PublishedConfigurations.gemma2)
        let block = model.block
        #expect(block.normWeight == .onePlus && block.hasTrailingNorms && !block.hasHeadNorms)
        #expect(block.activation == .geluTanh && block.scoreCap == 50 && block.logitCap == 30)
        #expect(block.embeddingScale == 3584.0.squareRoot() && block.scoreScale == 0.0625 && model.tiedEmbeddings)
        #expect(model.layers.map { $0.window != nil } == (0..<42).map { $0 % 2 == 0 })
        #expect(model.name(of: .feedForwardNorm(layer: 0)) == "model.layers.0.pre_feedforward_layernorm.weight")
        #expect(model.name(of: .attentionTrailingNorm(layer: 0)) == "model.layers.0.post_attention_layernorm.weight")
        let uncapped = try read(
            PublishedConfigurations.gemma2, without: ["attn_logit_softcapping"],
            with: ["\"attn_logit_softcapping\": null"])
        #expect(uncapped.block.scoreCap == nil)
        #expect(
            refusal(PublishedConfigurations.gemma2, with: ["\"use_bidirectional_attention\": true"])?
                .contains("use_bidirectional_attention = true is not supported") == true)
    }

    @Test func gemma3() throws {
        let model = try read(PublishedConfigurations.gemma3)
        #expect(model.block.hasHeadNorms && model.block.scoreCap == nil && model.block.logitCap == nil)
        #expect(model.rotary == [RotaryEncoding(theta: 1_000_000), RotaryEncoding(theta: 10_000)])
        for (index, layer) in model.layers.enumerated() {
            #expect(layer == ((index + 1) % 6 == 0 ? LayerAttention() : LayerAttention(window: 512, rotary: 1)))
        }
        let scaled = try read(
            PublishedConfigurations.gemma3, without: ["rope_scaling"],
            with: [#""rope_scaling": {"factor": 8.0, "rope_type": "linear"}"#])
        #expect(scaled.rotary[0].scaling == .linear(factor: 8) && scaled.rotary[1].scaling == .none)
        #expect(
            refusal(
                PublishedConfigurations.gemma3, without: ["attn_logit_softcapping"],
                with: ["\"attn_logit_softcapping\": 50.0"])?.contains("attn_logit_softcapping = 50.0 is not supported")
                == true)
    }

    @Test func phi3() throws {
        let model = try read(PublishedConfigurations.phi3)
        #expect(model.block.isFused && model.endTokens == [32000] && model.positionCountMax == 131_072)
        guard case .long(let long) = model.rotary[0].scaling else { throw Unexpected(model.rotary) }
        #expect(long.originalPositionCount == 4096 && long.isComputedAnew && long.longFactors.count == 48)
        #expect(abs(long.attentionFactor - 1.190238) < 1e-6)
        #expect(model.moduleName(layer: 1, .k) == "model.layers.1.self_attn.qkv_proj")
        #expect(model.moduleName(layer: 1, .up) == "model.layers.1.mlp.gate_up_proj")
        #expect(
            model.rows(of: .k) == 3072..<6144 && model.rows(of: .v) == 6144..<9216
                && model.rows(of: .up) == 8192..<16384)
        #expect(model.shape(of: .projection(layer: 0, .v)) == [9216, 3072])
        #expect(model.tensors.filter { model.name(of: $0) == "model.layers.0.self_attn.qkv_proj.weight" }.count == 1)
        let half = try read(
            PublishedConfigurations.phi3, without: ["rope_scaling"], with: ["\"partial_rotary_factor\": 0.5"])
        #expect(half.rotary[0].frequencies(headDimension: 96).count == 24)
        #expect(
            refusal(
                PublishedConfigurations.phi3, without: ["rope_scaling"],
                with: [#""rope_scaling": {"type": "linear", "factor": 2}"#])?
                .contains("only the types default, longrope are") == true)
    }

    @Test func granite() throws {
        let block = try read(PublishedConfigurations.granite).block
        #expect(block.embeddingScale == 12 && block.residualScale == 0.22 && block.logitDivisor == 16)
        #expect(block.scoreScale == 0.0078125)
    }

    @Test(arguments: Architecture.allCases) func aFamilyIsFoundByItsModelType(_ architecture: Architecture) throws {
        let text = """
            "model_type": "\(architecture.modelType)", "hidden_size": 64, "num_attention_heads": 4
            "num_key_value_heads": 2, "num_hidden_layers": 2, "intermediate_size": 96, "vocab_size": 300
            """
        let model = try read(text)
        #expect(model.architecture == architecture && model.layers.count == 2)
        #expect(refusal(text, with: ["\"a_new_field\": 1"])?.contains("“a_new_field” (1) is unknown") == true)
        #expect(
            refusal(text, with: ["\"hidden_activation\": \"relu\"", "\"hidden_act\": \"relu\""])?.contains("relu")
                == true)
    }

    /// Any value in any place of any published file is read or refused, and what is read can be computed with.
    @Test func anyValueInAnyFieldIsReadOrRefused() throws {
        let values = [
            "null", "true", "-1", "0", "1", "3", "7", "1e308", "1e-308", "0.5", "9223372036854775807", "1e39", "\"x\"",
            "[]",
            "[1, 2]", "{}", #"{"rope_type": "yarn", "factor": 1e30, "mscale": 1e30, "mscale_all_dim": 1e-30}"#,
            #"{"type": "dynamic", "factor": 1e30}"#, #"{"type": "linear", "factor": 1e38}"#,
            #"{"rope_type": "llama3", "factor": 2, "low_freq_factor": 1e-30, "high_freq_factor": 1e30}"#,
            #"{"type": "longrope", "short_factor": [], "long_factor": []}"#, #"["sliding_attention"]"#, "\"yarn\"",
        ]
        var (readCount, refusedCount) = (0, 0)
        for text in PublishedConfigurations.all {
            let lines = text.split(separator: "\n").map { $0.hasSuffix(",") ? String($0.dropLast()) : String($0) }
            for index in lines.indices {
                let name = lines[index].prefix { $0 != ":" }
                for value in values {
                    var changed = lines
                    changed[index] = "\(name): \(value)"
                    let object = try #require(
                        JSONParser.parse(Array("{\(changed.joined(separator: ",\n"))}".utf8)).object)
                    do throws(FieldError) {
                        let model = try Architecture.read(object, file: "config.json")
                        readCount += 1
                        #expect(model.layers.count == model.layerCount && !model.rotary.isEmpty)
                        for encoding in model.rotary {
                            for length in [1, model.positionCountMax] {
                                let count = encoding.frequencies(
                                    headDimension: model.headDimension, sequenceLength: length
                                ).count
                                #expect(count == encoding.frequencyCount(headDimension: model.headDimension))
                                #expect(2 * count <= model.headDimension)
                            }
                        }
                    } catch { refusedCount += 1 }
                }
            }
        }
        #expect(readCount > 500 && refusedCount > 2000, "\(readCount) read, \(refusedCount) refused")
    }

    private struct Unexpected: Error {
        var encodings: [RotaryEncoding]
        init(_ encodings: [RotaryEncoding]) { self.encodings = encodings }
    }
}
