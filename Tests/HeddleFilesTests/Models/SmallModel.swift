import HeddleFiles

/// Writes model and adapter folders of a small Llama with random weights.
struct SmallModel {
    var hiddenSize = 16
    var headCount = 4
    var kvHeadCount = 2
    var headDimension = 8
    var feedForwardSize = 24
    var layerCount = 2
    var vocabularyCount = 40
    var tied = false

    var configuration: ModelConfiguration {
        ModelConfiguration(
            layerCount: layerCount, hiddenSize: hiddenSize, headCount: headCount, kvHeadCount: kvHeadCount,
            headDimension: headDimension, feedForwardSize: feedForwardSize, vocabularyCount: vocabularyCount,
            tiedEmbeddings: tied,
            positionCountMax: 128, beginToken: 1, endTokens: [2])
    }

    /// Fields of config.json as texts of JSON, to be changed one by one.
    var fields: [String: String] {
        [
            "architectures": #"["LlamaForCausalLM"]"#, "model_type": #""llama""#, "hidden_size": "\(hiddenSize)",
            "num_attention_heads": "\(headCount)", "num_key_value_heads": "\(kvHeadCount)",
            "head_dim": "\(headDimension)",
            "intermediate_size": "\(feedForwardSize)", "num_hidden_layers": "\(layerCount)",
            "vocab_size": "\(vocabularyCount)",
            "rms_norm_eps": "1e-06", "rope_theta": "10000.0", "rope_scaling": "null", "tie_word_embeddings": "\(tied)",
            "max_position_embeddings": "128", "bos_token_id": "1", "eos_token_id": "2", "hidden_act": #""silu""#,
            "attention_bias": "false", "mlp_bias": "false", "torch_dtype": #""float32""#, "use_cache": "true",
            "transformers_version": #""5.0.0""#, "attention_dropout": "0.0", "initializer_range": "0.02",
            "pretraining_tp": "1",
        ]
    }

    static func json(_ fields: [String: String]) -> String {
        "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",\n ") + "}"
    }

    var tensors: [SafetensorsBytes.Tensor] {
        configuration.tensors.enumerated().map { index, tensor in
            .random(configuration.name(of: tensor), configuration.shape(of: tensor), seed: UInt64(index))
        }
    }

    func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("config.json", Self.json(fields))
        try folder.write("model.safetensors", SafetensorsBytes.file(tensors))
        return folder
    }

    static let adapterFields = [
        "peft_type": #""LORA""#, "task_type": #""CAUSAL_LM""#, "r": "4", "lora_alpha": "6", "bias": #""none""#,
        "target_modules": #"["q_proj", "down_proj"]"#, "fan_in_fan_out": "false", "lora_dropout": "0.1",
        "use_dora": "false",
        "use_rslora": "false", "modules_to_save": "null", "base_model_name_or_path": #""somewhere""#,
        "inference_mode": "true",
        "init_lora_weights": "true", "rank_pattern": "{}", "alpha_pattern": "{}", "peft_version": #""0.21.2""#,
    ]

    func adapterTensors(_ projections: [Projection] = [.q, .down], rank: Int = 4) -> [SafetensorsBytes.Tensor] {
        (0..<layerCount).flatMap { layer in
            projections.flatMap { projection in
                let name = "base_model.model." + configuration.moduleName(layer: layer, projection)
                return [
                    SafetensorsBytes.Tensor.random(
                        name + ".lora_A.weight", [rank, configuration.inputCount(of: projection)], seed: 7),
                    .random(name + ".lora_B.weight", [configuration.outputCount(of: projection), rank], seed: 8),
                ]
            }
        }
    }

    func adapterFolder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("adapter_config.json", Self.json(Self.adapterFields))
        try folder.write("adapter_model.safetensors", SafetensorsBytes.file(adapterTensors()))
        return folder
    }
}
