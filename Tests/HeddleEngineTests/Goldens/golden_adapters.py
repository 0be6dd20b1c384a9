"""The small random models that make_goldens.py makes with adapters of every form that changes no base weight: patterns,
exclusions, layers, rank-stabilised scales, ranks and alphas by pattern, fused projections, the output projection and the
embedding (tied, scaled, capped), and ranks up to 512.
"""

import torch

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16


def model(name, family, seed, config, adapters, dtype=F32):
    return dict(name=name, family=family, seed=seed, config=config, adapters=adapters, prompt=31, dtype=dtype, shards=1,
                decode=64)


def sizes(hidden, heads, kv, ffn, layers=2, vocabulary=71, **more):
    return dict(hidden_size=hidden, num_attention_heads=heads, num_key_value_heads=kv, intermediate_size=ffn,
                num_hidden_layers=layers, vocab_size=vocabulary, max_position_embeddings=512, **more)


def lora(name, targets, r=4, alpha=8, dtype=F32, **form):
    """`form` are further fields of LoraConfig."""
    return dict(name=name, targets=targets, r=r, alpha=alpha, dtype=dtype, form=form)


ENDS = ["embed_tokens", "lm_head"]

ADAPTER_MODELS = [
    model("adapters-llama", "Llama", 201, sizes(32, 4, 2, 45, layers=3, tie_word_embeddings=False), [
        lora("pattern", r"model\.layers\.[02]\.(?:self_attn\.(q|o)_proj|mlp\.down_proj)", r=5),
        lora("all-linear", "all-linear", r=3, alpha=7, use_rslora=True, exclude_modules=["v_proj", "1.mlp.up_proj"],
             rank_pattern={r"layers\.1\..*": 9, "^model.layers.2.mlp.down_proj": 17}, alpha_pattern={"[qk]_proj": 3}),
        lora("layers", ["k_proj", "up_proj"], r=1, alpha=2, layers_to_transform=[1, 5], layers_pattern="layers",
             fan_in_fan_out=True, dtype=F16),
        lora("output", ["lm_head", "q_proj"], r=3, alpha=7),
        lora("embedding", ["embed_tokens", "v_proj"], dtype=BF16),
        lora("everything", ENDS + ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], r=6,
             rank_pattern={"lm_head": 19, "embed_tokens": 2, "o_proj": 33}, alpha_pattern={"lm_head": 5}, use_rslora=True),
        lora("wide", ["o_proj", "gate_proj", "lm_head"], r=512, alpha=64, dtype=BF16, exclude_modules=r".*\.[12]\..*"),
    ]),
    model("adapters-phi3", "Phi3", 202, sizes(40, 5, 1, 51, tie_word_embeddings=False), [
        lora("fused", ["qkv_proj", "gate_up_proj"], r=6),
        lora("all-linear", "all-linear", r=3, use_rslora=True, rank_pattern={"qkv_proj": 18},
             alpha_pattern={r".*\.1\.mlp\.gate_up_proj": 3}, dtype=F16),
        lora("ends", ENDS + ["qkv_proj", "down_proj"], r=2, alpha=3),
        lora("one", r".*\.0\..*gate_up_proj", r=130, alpha=30, dtype=BF16),
    ], dtype=BF16),
    model("adapters-gemma3", "Gemma3", 203, sizes(
        36, 9, 3, 43, head_dim=8, sliding_window=23, query_pre_attn_scalar=9, final_logit_softcapping=10.0,
        layer_types=["full_attention", "sliding_attention"]), [
        lora("embedding", ["embed_tokens", "q_proj"], r=3),
        lora("output", ["lm_head"], r=5, alpha=6, dtype=BF16),
        lora("ends", ENDS + ["o_proj"], r=8, use_rslora=True),
        lora("all-linear", "all-linear", exclude_modules=r".*\.(gate|k)_proj", r=2, alpha=5),
    ], dtype=BF16),
    model("adapters-qwen2", "Qwen2", 204, sizes(28, 7, 1, 45, head_dim=12, tie_word_embeddings=True), [
        lora("ends", ENDS + ["k_proj"], r=7, alpha=9),
        lora("pattern", r"^(?!.*mlp).*_proj$", r=4, rank_pattern={"q_proj": 21}),
    ], dtype=F16),
    model("adapters-granite", "Granite", 205, sizes(
        30, 5, 5, 51, embedding_multiplier=1.7, attention_multiplier=0.5, residual_multiplier=0.9, logits_scaling=0.7,
        tie_word_embeddings=False), [lora("ends", ENDS + ["up_proj"], r=3)]),
]
