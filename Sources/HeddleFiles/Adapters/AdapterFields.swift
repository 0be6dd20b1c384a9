/// The fields that PEFT writes into adapter_config.json, and what they may say. `AdapterConfiguration` uses those that are
/// read; a test holds the table to every field of PEFT's `LoraConfig`.
enum AdapterFields {
    static let table = FieldTable(
        read: [
            "peft_type", "r", "lora_alpha", "use_rslora", "target_modules", "exclude_modules", "rank_pattern",
            "alpha_pattern", "layers_to_transform", "layers_pattern", "ensure_weight_tying", "base_model_name_or_path",
        ],
        harmless: [
            "auto_mapping", "revision", "inference_mode", "peft_version", "lora_dropout", "megatron_core",
            "qalora_group_size", "runtime_config",
            // For modules that store weights as inputs × outputs, which none of the supported models has: for all others PEFT
            // takes it for false, whatever it says.
            "fan_in_fan_out",
            // Settings of initialisations: what init_lora_weights says decides whether they matter.
            "eva_config", "corda_config", "lora_ga_config", "loftq_config",
            // PEFT 0.2 and older; PEFT has ignored it since. `merge_weights` chose how to compute, not what.
            "merge_weights",
        ],
        only: [
            "task_type": [.text("CAUSAL_LM"), .null],
            "bias": [.text("none")],
            "lora_bias": [.bool(false), .null],
            "use_dora": [.bool(false), .null],
            "use_qalora": [.bool(false), .null],
            "use_bdlora": [.bool(false), .null],
            "modules_to_save": [.null, .array([])],
            "layer_replication": [.null, .array([])],
            "trainable_token_indices": [.null],
            "target_parameters": [.null, .array([])],
            "alora_invocation_tokens": [.null],
            "init_lora_weights": initialisations,
            "arrow_config": [.null],
            "kasa_config": [.null],
            "velora_config": [.null],
            "monteclora_config": [.null],
            "megatron_config": [.null],
            "enable_lora": [.null],
        ])

    /// Where training began matters to nobody who has the trained A and B, unless it moved a part of the base model's weights
    /// into them: PiSSA, OLoRA, CorDA and LoftQ do, which PEFT repeats whenever it loads such an adapter, and LoRA-GA does in
    /// training. (Converted by PEFT's `path_initial_model_for_weight_conversion` such an adapter says `true` here.)
    static let initialisations: [JSONValue] = [
        .bool(true), .bool(false), .null, .text("gaussian"), .text("orthogonal"), .text("eva"), .text("mica"),
    ]
}
