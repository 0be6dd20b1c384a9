"""The small random models of every supported family that make_goldens.py makes, each with its adapters.

Nothing divides anything: head counts are odd, groups differ, feed-forward sizes are no multiples of 8, windows are shorter
than the prompts, and prompts with their 64 decoded tokens reach beyond the length that each rope type calls original.
"""

import torch

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
QKVO = ["q_proj", "k_proj", "v_proj", "o_proj"]
GATED = ["gate_proj", "up_proj", "down_proj"]


def model(name, family, seed, config, adapter, prompt=37, dtype=BF16, **more):
    return dict(name=name, family=family, seed=seed, config=config, adapters=[adapter], prompt=prompt, dtype=dtype,
                shards=1, decode=64, **more)


def sizes(hidden, heads, kv, ffn, layers=2, vocabulary=71, **more):
    return dict(hidden_size=hidden, num_attention_heads=heads, num_key_value_heads=kv, intermediate_size=ffn,
                num_hidden_layers=layers, vocab_size=vocabulary, max_position_embeddings=512, **more)


def lora(targets, r=4, alpha=8, **more):
    return dict(name="lora", r=r, alpha=alpha, targets=targets, **more)


FAMILIES = [
    # Llama: every rope type, biases, head_dim apart from hidden / heads.
    model("llama-linear", "Llama", 101, sizes(30, 6, 2, 45, head_dim=12, rope_parameters=dict(
        rope_type="linear", factor=4.0, rope_theta=10000.0)), lora(QKVO)),
    model("llama-llama3", "Llama", 102, sizes(30, 5, 5, 51, head_dim=16, attention_bias=True, mlp_bias=True,
        tie_word_embeddings=True, rope_parameters=dict(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, rope_theta=500000.0,
            original_max_position_embeddings=64)), lora(GATED + ["o_proj"], r=3)),
    model("llama-dynamic", "Llama", 103, dict(sizes(32, 4, 2, 43, attention_bias=True), max_position_embeddings=48,
        rope_parameters=dict(rope_type="dynamic", factor=3.0, rope_theta=10000.0)), lora(QKVO), prompts=[30, 61]),
    model("llama-yarn", "Llama", 104, sizes(36, 9, 3, 53, head_dim=10, rope_parameters=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32, rope_theta=10000.0)), lora(GATED)),
    model("llama-longrope", "Llama", 105, sizes(32, 4, 4, 37, rope_parameters=dict(
        rope_type="longrope", original_max_position_embeddings=48, factor=8.0, rope_theta=10000.0,
        short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.0, 2.5, 5.0, 8.0])), lora(QKVO), prompts=[33, 58]),
    # Mistral: windows.
    model("mistral-window", "Mistral", 111, sizes(36, 6, 2, 45, sliding_window=11), lora(QKVO)),
    model("mistral-whole", "Mistral", 112, sizes(30, 5, 5, 51, head_dim=14, sliding_window=None,
        tie_word_embeddings=True), lora(GATED), dtype=F16),
    model("mistral-blocks", "Mistral", 113, sizes(32, 8, 4, 37, layers=3, sliding_window=32, rope_parameters=dict(
        rope_type="linear", factor=2.0, rope_theta=100000.0)), lora(["q_proj", "down_proj"]), prompt=45),
    # Qwen2: biases of q, k and v, windows in some layers.
    model("qwen2-tied", "Qwen2", 121, sizes(28, 7, 1, 45, head_dim=12, tie_word_embeddings=True), lora(QKVO)),
    model("qwen2-window", "Qwen2", 122, sizes(36, 9, 3, 51, layers=3, use_sliding_window=True, sliding_window=9,
        max_window_layers=1), lora(GATED + ["v_proj"])),
    model("qwen2-yarn", "Qwen2", 123, sizes(32, 4, 2, 53, use_sliding_window=True, sliding_window=20,
        layer_types=["sliding_attention", "full_attention"], rope_parameters=dict(
            rope_type="yarn", factor=4.0, original_max_position_embeddings=40, rope_theta=1000000.0, beta_fast=4.0,
            beta_slow=0.5, mscale=1.0, mscale_all_dim=0.7, truncate=False)), lora(QKVO, r=5)),
    # Qwen3: norms of queries and keys.
    model("qwen3-tied", "Qwen3", 131, sizes(32, 4, 2, 45, head_dim=12, tie_word_embeddings=True), lora(QKVO)),
    model("qwen3-bias", "Qwen3", 132, sizes(30, 5, 1, 51, head_dim=20, attention_bias=True, layers=3,
        use_sliding_window=True, sliding_window=17, max_window_layers=2), lora(GATED), dtype=F16),
    model("qwen3-yarn", "Qwen3", 133, sizes(36, 9, 3, 43, head_dim=8, rope_parameters=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32, rope_theta=10000.0,
        attention_factor=1.25)), lora(["k_proj", "up_proj"])),
    # Gemma 2: soft caps, alternating windows, norms before and behind.
    model("gemma2-caps", "Gemma2", 141, sizes(32, 4, 2, 45, head_dim=12, sliding_window=8, query_pre_attn_scalar=20,
        attn_logit_softcapping=5.0, final_logit_softcapping=12.0), lora(QKVO)),
    model("gemma2-bias", "Gemma2", 142, sizes(30, 5, 1, 51, head_dim=8, sliding_window=16, query_pre_attn_scalar=8,
        attention_bias=True, layers=3, layer_types=["full_attention", "sliding_attention", "sliding_attention"]),
        lora(GATED)),
    model("gemma2-uncapped", "Gemma2", 143, sizes(36, 9, 3, 43, head_dim=10, sliding_window=33, query_pre_attn_scalar=10,
        attn_logit_softcapping=None, final_logit_softcapping=None, tie_word_embeddings=False), lora(["o_proj", "up_proj"])),
    # Gemma 3: q and k norms, one rope for windows and another for the rest.
    model("gemma3-local", "Gemma3", 151, sizes(32, 4, 2, 45, head_dim=12, sliding_window=10, query_pre_attn_scalar=14,
        layers=3, sliding_window_pattern=3), lora(QKVO)),
    model("gemma3-linear", "Gemma3", 152, sizes(30, 5, 1, 51, head_dim=16, sliding_window=16, query_pre_attn_scalar=16,
        layer_types=["sliding_attention", "full_attention"], rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
            sliding_attention=dict(rope_type="default", rope_theta=5000.0))), lora(GATED)),
    model("gemma3-capped", "Gemma3", 153, sizes(36, 9, 3, 43, head_dim=8, sliding_window=23, query_pre_attn_scalar=9,
        layer_types=["full_attention", "sliding_attention"], final_logit_softcapping=10.0, attention_bias=True),
        lora(["v_proj", "down_proj"])),
    # Phi-3: fused projections, part of a head rotates, longrope.
    model("phi3-window", "Phi3", 161, sizes(32, 4, 2, 45, sliding_window=13), lora(["o_proj", "down_proj"])),
    model("phi3-long", "Phi3", 162, sizes(32, 4, 4, 37, original_max_position_embeddings=48, rope_parameters=dict(
        rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.1, 1.3, 1.7], long_factor=[1.0, 2.5, 5.0, 8.0])),
        lora(["o_proj", "down_proj"]), prompts=[33, 58]),
    model("phi3-partial", "Phi3", 163, sizes(40, 5, 1, 51, original_max_position_embeddings=64,
        tie_word_embeddings=True, sliding_window=30, rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, short_factor=[1.0, 1.2, 1.5],
            long_factor=[1.5, 3.0, 6.0])), lora(["o_proj"]), prompt=41),
    # Granite: multipliers.
    model("granite-plain", "Granite", 171, sizes(36, 6, 2, 45, embedding_multiplier=3.0, attention_multiplier=0.21,
        residual_multiplier=0.4, logits_scaling=2.5), lora(QKVO)),
    model("granite-bias", "Granite", 172, sizes(30, 5, 5, 51, attention_bias=True, mlp_bias=True,
        embedding_multiplier=1.7, attention_multiplier=0.5, residual_multiplier=0.9, logits_scaling=0.7,
        tie_word_embeddings=True), lora(GATED + ["o_proj"])),
    model("granite-llama3", "Granite", 173, sizes(36, 9, 3, 43, embedding_multiplier=2.0, attention_multiplier=0.3,
        residual_multiplier=0.6, logits_scaling=1.5, rope_parameters=dict(
            rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, rope_theta=10000.0,
            original_max_position_embeddings=32)), lora(["q_proj", "up_proj"])),
]
