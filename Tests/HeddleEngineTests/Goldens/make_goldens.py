"""Makes the golden files beside this script: what `transformers` and `peft` compute for small random models.

    python make_goldens.py            # rewrites every folder; needs torch, transformers, peft, safetensors
    python make_goldens.py NAME...    # rewrites only these (golden_families.py lists most; "sampling" is one, too)

Each model folder is a Hugging Face checkpoint with PEFT adapters, and holds

    golden.json    configuration notes, sequences (adapter, prompt, greedy tokens), tolerances
    logits.f32     for each sequence in order: logits of every prompt position, then of the decode steps (32 or 64),
                   positions x vocabulary, little-endian f32, rounded from a float64 run

The reference runs in float64 on the weights exactly as the checkpoint stores them: the prompt in one call, then one token at
a time with the cache, as `generate` does for a fresh request, which is compared. (Dynamic rope and longrope make the difference:
there keys keep the angles that they were given; and Phi-3 computes its cache anew when it grows beyond its original length.)
Two deviations from it are computed by
running the same model again, and stored per sequence as the largest absolute difference over all its logits:

    bf16_deviation   weights and activations in bfloat16: the size of error that half precision brings, the tolerance
    f32_deviation    weights and activations in float32: the size of error that this engine's arithmetic may bring

Prompts are searched for greedy margins (largest minus second logit, at every greedy step) well above f32_deviation, so that
greedy tokens are the same for every correct float32 engine.

sampling.json holds next-token distributions after transformers' own warpers (temperature, top-k, top-p, in this order).
Everything is seeded; running it again gives the same files up to the libraries' versions, which golden.json names.
"""

import copy
import json
import shutil
import sys
from pathlib import Path

import numpy
import peft
import torch
import transformers
from golden_adapters import ADAPTER_MODELS
from golden_families import FAMILIES
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.generation.logits_process import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

HERE = Path(__file__).parent
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

MODELS = [
    # Plain multi-head attention, head_dim = hidden / heads, tied, f32, vocabulary no multiple of 16.
    dict(
        name="heads4", seed=11, dtype=torch.float32, shards=1, prompt=21,
        config=dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=4, intermediate_size=90,
                    num_hidden_layers=2, vocab_size=131, tie_word_embeddings=True),
        adapters=[
            dict(name="one", r=1, alpha=2, targets=["q_proj", "v_proj"]),
            dict(name="all", r=8, alpha=16, targets=ALL),
            dict(name="wide", r=64, alpha=32, targets=["o_proj", "down_proj"]),
        ]),
    # Groups of 2, head_dim not hidden / heads, untied, bf16, two shards, feed-forward no multiple of 8.
    dict(
        name="heads6kv3", seed=12, dtype=torch.bfloat16, shards=2, prompt=35,
        config=dict(hidden_size=48, num_attention_heads=6, num_key_value_heads=3, head_dim=20, intermediate_size=101,
                    num_hidden_layers=3, vocab_size=173, tie_word_embeddings=False, rope_theta=500000.0),
        adapters=[
            dict(name="three", r=3, alpha=5, targets=["k_proj", "o_proj", "up_proj"], dtype=torch.float32),
            dict(name="seventeen", r=17, alpha=17, targets=ALL, dtype=torch.bfloat16),
        ]),
    # One KV head for five, f16, tied.
    dict(
        name="heads5kv1", seed=13, dtype=torch.float16, shards=1, prompt=17,
        config=dict(hidden_size=40, num_attention_heads=5, num_key_value_heads=1, head_dim=12, intermediate_size=77,
                    num_hidden_layers=2, vocab_size=99, tie_word_embeddings=True, rms_norm_eps=1e-5),
        adapters=[
            dict(name="gates", r=8, alpha=4, targets=["gate_proj", "up_proj", "down_proj"], dtype=torch.float16),
            dict(name="one", r=1, alpha=1, targets=ALL),
        ]),
    # Groups of 4, wide heads, f32 in three shards, enough heads for 8 ranks.
    dict(
        name="heads8kv2", seed=14, dtype=torch.float32, shards=3, prompt=49,
        config=dict(hidden_size=64, num_attention_heads=8, num_key_value_heads=2, head_dim=16, intermediate_size=136,
                    num_hidden_layers=2, vocab_size=160, tie_word_embeddings=False),
        adapters=[
            dict(name="mixed", r=8, alpha=16, targets=ALL,
                 rank_pattern={"q_proj": 3, "down_proj": 17}, alpha_pattern={"q_proj": 9}),
            dict(name="rslora", r=16, alpha=8, targets=["q_proj", "k_proj", "v_proj", "o_proj"], use_rslora=True),
            dict(name="wide", r=64, alpha=64, targets=["v_proj", "down_proj"], dtype=torch.bfloat16),
        ]),
    # Nine heads in groups of 3, bf16, tied: nothing divides anything.
    dict(
        name="heads9kv3", seed=15, dtype=torch.bfloat16, shards=1, prompt=33,
        config=dict(hidden_size=36, num_attention_heads=9, num_key_value_heads=3, head_dim=10, intermediate_size=53,
                    num_hidden_layers=3, vocab_size=117, tie_word_embeddings=True),
        adapters=[
            dict(name="seventeen", r=17, alpha=34, targets=["q_proj", "o_proj", "gate_proj"]),
            dict(name="three", r=3, alpha=6, targets=["down_proj"]),
        ]),
]


def randomise(model, generator):
    """Weights that keep activations near one and make logits differ."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
        if "norm" in name:
            # Gemma's norms multiply by one plus their weight.
            parameter.data = (0 if "gemma" in model.config.model_type else 1) + 0.2 * noise
        elif name.endswith("bias"):
            parameter.data = 0.3 * noise
        elif "embed_tokens" in name:
            size = 0.6 if model.config.tie_word_embeddings else 1.0
            # Gemma multiplies embeddings by the root of their width.
            parameter.data = noise * (1.5 / parameter.shape[1] ** 0.5 if "gemma" in model.config.model_type else size)
        elif "lm_head" in name:
            parameter.data = noise * 2.5 / parameter.shape[1] ** 0.5
        else:
            parameter.data = noise * 1.3 / parameter.shape[1] ** 0.5


def make_adapter(model_folder, entry, generator, folder):
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    config = peft.LoraConfig(
        r=entry["r"], lora_alpha=entry["alpha"], target_modules=entry["targets"], lora_dropout=0.0, bias="none",
        rank_pattern=entry.get("rank_pattern", {}), alpha_pattern=entry.get("alpha_pattern", {}),
        use_rslora=entry.get("use_rslora", False), task_type="CAUSAL_LM"
    ) if "form" not in entry else peft.LoraConfig(
        r=entry["r"], lora_alpha=entry["alpha"], target_modules=entry["targets"], task_type="CAUSAL_LM", **entry["form"])
    adapted = peft.get_peft_model(base, config)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            parameter.data = noise * (0.8 if "lora_B" in name else 1.0) / parameter.shape[1] ** 0.5
            parameter.data = parameter.data.to(entry.get("dtype", torch.float32))
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    values = json.loads(path.read_text())
    values["base_model_name_or_path"] = None
    for field in ["target_modules", "exclude_modules"]:  # sets, whose order changes from run to run
        if "form" in entry and isinstance(values[field], list):
            values[field].sort()
    if entry["targets"] == "all-linear":  # PEFT writes the names that it found
        values["target_modules"] = "all-linear"
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def load(model_folder, adapter_folder, dtype):
    # Loaded exactly, then converted: every value of the files is a float32.
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager")
    if adapter_folder:
        model = peft.PeftModel.from_pretrained(model, adapter_folder, autocast_adapter_dtype=False)
    return model.to(dtype).eval()


def fresh(model):
    """As if it had just been loaded: a rope that grew with an earlier request is as it was."""
    for module in model.modules():
        if hasattr(module, "original_inv_freq") and hasattr(module, "max_seq_len_cached"):
            module.inv_freq = module.original_inv_freq.clone()
            module.max_seq_len_cached = module.original_max_seq_len
    return model


def step(model, tokens, cache):
    """The logits of the tokens that the cache lacks, and the cache with them."""
    config = model.config
    past = cache.get_seq_length() if cache is not None else 0
    original = getattr(config, "original_max_position_embeddings", None)
    if config.model_type == "phi3" and past and past <= original < len(tokens):
        cache, past = None, 0  # what Phi3ForCausalLM.prepare_inputs_for_generation does
    out = model(input_ids=torch.tensor([tokens[past:]]), past_key_values=cache, use_cache=True)
    return out.logits[0].double(), out.past_key_values


@torch.no_grad()
def logits_of(model, prompt, tokens):
    fresh(model)
    rows, cache = step(model, prompt, None)
    all_rows = [rows]
    for count in range(len(prompt) + 1, len(prompt) + len(tokens) + 1):
        rows, cache = step(model, (prompt + tokens)[:count], cache)
        all_rows.append(rows[-1:])
    return torch.cat(all_rows)


@torch.no_grad()
def greedy(model, prompt, count):
    fresh(model)
    tokens = list(prompt)
    margin = float("inf")
    cache = None
    for _ in range(count):
        rows, cache = step(model, tokens, cache)
        top = torch.topk(rows[-1], 2)
        margin = min(margin, float(top.values[0] - top.values[1]))
        tokens.append(int(top.indices[0]))
    return tokens[len(prompt):], margin


@torch.no_grad()
def generated(model, prompt, count):
    out = fresh(model).generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        max_new_tokens=count, do_sample=False, eos_token_id=None, pad_token_id=0)
    return out[0, len(prompt):].tolist()


def new_model(entry):
    if "family" not in entry:
        return LlamaForCausalLM(
            LlamaConfig(max_position_embeddings=512, bos_token_id=0, eos_token_id=1, **entry["config"]))
    config_class, model_class = {
        "Gemma3": (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM),
    }.get(entry["family"]) or (
        getattr(transformers, entry["family"] + "Config"), getattr(transformers, entry["family"] + "ForCausalLM"))
    return model_class(config_class(bos_token_id=0, eos_token_id=1, pad_token_id=None, **copy.deepcopy(entry["config"])))


def make_model(entry):
    folder = HERE / entry["name"]
    shutil.rmtree(folder, ignore_errors=True)
    model_folder = folder / "model"
    generator = torch.Generator().manual_seed(entry["seed"])
    decode = entry.get("decode", 32)
    model = new_model(entry)
    config = model.config
    randomise(model, generator)
    model.tie_weights()
    model = model.to(entry["dtype"])
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    model.save_pretrained(model_folder, max_shard_size=size if entry["shards"] == 1 else size // entry["shards"] + 4096)
    (model_folder / "generation_config.json").unlink(missing_ok=True)
    adapters = [None] + entry["adapters"]
    for adapter in entry["adapters"]:
        make_adapter(model_folder, adapter, generator, folder / "adapters" / adapter["name"])

    sequences, all_logits = [], []
    for index, adapter in enumerate(adapters):
        adapter_folder = folder / "adapters" / adapter["name"] if adapter else None
        exact = load(model_folder, adapter_folder, torch.float64)
        single = load(model_folder, adapter_folder, torch.float32)
        half = load(model_folder, adapter_folder, torch.bfloat16)
        best = None
        for _ in range(12):
            # Lengths differ, so that a batch of all of them is ragged.
            length = entry["prompts"][index] if "prompts" in entry else entry["prompt"] - 2 * index
            prompt = torch.randint(2, config.vocab_size, (length,), generator=generator).tolist()
            tokens, margin = greedy(exact, prompt, decode)
            if best is None or margin > best[2]:
                best = (prompt, tokens, margin)
        prompt, tokens, margin = best
        fed = prompt + tokens  # the last greedy token is fed too: a row of logits for each
        reference = logits_of(exact, prompt, tokens)
        bf16 = float((logits_of(half, prompt, tokens) - reference).abs().max())
        f32 = float((logits_of(single, prompt, tokens) - reference).abs().max())
        assert margin > 50 * f32, (entry["name"], adapter, margin, f32)
        assert generated(exact, prompt, decode) == tokens, (entry["name"], adapter, "generate disagrees")
        assert numpy.array_equal(
            reference[len(prompt) - 1:-1].argmax(dim=1).numpy(), numpy.array(tokens)), "greedy and prefill disagree"
        sequences.append(dict(
            adapter=adapter["name"] if adapter else None, prompt=prompt, tokens=tokens, rows=len(fed),
            greedy_margin=margin, logits_spread=float(reference.std()), bf16_deviation=bf16, f32_deviation=f32))
        all_logits.append(reference.float().numpy().astype("<f4"))
        print(entry["name"], adapter and adapter["name"], f"margin {margin:.4f} spread {reference.std():.2f}",
              f"bf16 {bf16:.4f} f32 {f32:.2e}")
    (folder / "logits.f32").write_bytes(b"".join(part.tobytes() for part in all_logits))
    (folder / "golden.json").write_text(json.dumps(dict(
        made_with=dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__),
        vocabulary=config.vocab_size, decode_steps=decode, sequences=sequences), indent=1) + "\n")


def make_sampling():
    generator = torch.Generator().manual_seed(16)
    cases = []
    for temperature, top_k, top_p in [
        (1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 5, 1.0), (1.0, 0, 0.9), (0.5, 10, 0.8), (1.7, 20, 0.95), (1.0, 1, 1.0),
        (1.0, 0, 0.01), (2.5, 100, 0.5), (0.1, 3, 0.999),
    ]:
        logits = torch.randn(61, generator=generator) * 3
        if top_k == 5:
            logits[7] = logits[19] = torch.topk(logits, 5).values[-1]  # a tie at the k-th
        warpers = LogitsProcessorList()
        if temperature != 1.0:
            warpers.append(TemperatureLogitsWarper(temperature))
        if top_k:
            warpers.append(TopKLogitsWarper(top_k))
        if top_p < 1:
            warpers.append(TopPLogitsWarper(top_p))
        warped = warpers(torch.tensor([[0]]), logits.double().unsqueeze(0))[0]
        cases.append(dict(
            temperature=temperature, top_k=top_k, top_p=top_p, logits=logits.tolist(),
            log_softmax=torch.log_softmax(logits.double(), 0).tolist(), probabilities=torch.softmax(warped, 0).tolist()))
    (HERE / "sampling.json").write_text(json.dumps(dict(cases=cases)) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[1:]
    for model in MODELS + FAMILIES + ADAPTER_MODELS:
        if not wanted or model["name"] in wanted:
            make_model(model)
    if not wanted or "sampling" in wanted:
        make_sampling()
