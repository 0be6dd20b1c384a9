"""Makes rotary.json beside this script: the frequencies of every rope type, as `transformers` computes them in f32.

    python make_rotary_goldens.py     # needs torch and transformers

Each case is the config.json of a model with one head size, and for some sequence lengths the inverse frequencies and the
factor on cosines and sines. The shapes are those of published models, so that the numbers are the ones that people run.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

BASE = dict(hidden_size=512, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=1, intermediate_size=64,
            vocab_size=300)

CASES = [
    ("Llama", dict(max_position_embeddings=16384, rope_theta=10000.0, rope_scaling=dict(type="linear", factor=8.0)), [1]),
    ("Llama", dict(max_position_embeddings=131072, rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192)), [1]),
    ("Llama", dict(max_position_embeddings=131072, head_dim=64, rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192)), [1]),
    ("Llama", dict(max_position_embeddings=4096, rope_theta=10000.0, rope_scaling=dict(type="dynamic", factor=2.0)),
     [4096, 4097, 5000, 8191, 100000]),
    ("Mistral", dict(max_position_embeddings=2048, head_dim=96, rope_theta=1e6, rope_scaling=dict(
        type="dynamic", factor=3.7)), [2049, 3333, 7577]),
    ("Qwen2", dict(max_position_embeddings=32768, rope_theta=1000000.0, rope_scaling=dict(
        type="yarn", factor=4.0, original_max_position_embeddings=32768)), [1]),
    ("Qwen3", dict(max_position_embeddings=40960, head_dim=80, rope_theta=1000000.0, rope_scaling=dict(
        rope_type="yarn", factor=2.5, original_max_position_embeddings=32768, beta_fast=24.0, beta_slow=2.0, mscale=0.9,
        mscale_all_dim=0.7, truncate=False)), [1]),
    ("Phi3", dict(max_position_embeddings=131072, original_max_position_embeddings=4096, hidden_size=384,
                  rope_theta=10000.0, pad_token_id=0, partial_rotary_factor=0.75, rope_scaling=dict(
                      type="longrope", short_factor=[1 + i / 35 for i in range(36)],
                      long_factor=[1 + i * 1.77 for i in range(36)])), [4096, 4097]),
    ("Gemma2", dict(max_position_embeddings=8192, head_dim=256, rope_theta=10000.0), [1]),
]


def main():
    cases = []
    for family, fields, lengths in CASES:
        values = BASE | fields
        config = getattr(transformers, family + "Config")(**json.loads(json.dumps(values)))
        kind = config.rope_parameters["rope_type"]
        for length in lengths:
            # A length is a tensor where the forward pass asks, which decides what is rounded to f32.
            tensor = torch.tensor(length)
            if kind == "default":
                dimension = config.head_dim
                frequencies = 1.0 / (config.rope_parameters["rope_theta"] ** (
                    torch.arange(0, dimension, 2, dtype=torch.float) / dimension))
                factor = 1.0
            else:
                original = config.max_position_embeddings
                frequencies, factor = ROPE_INIT_FUNCTIONS[kind](
                    config, None, seq_len=None if kind == "dynamic" and length <= original else tensor)
            values["model_type"] = config.model_type
            cases.append(dict(config=values, length=length, factor=factor, frequencies=frequencies.tolist()))
    path = Path(__file__).parent / "rotary.json"
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
