"""Makes the adapter goldens beside this script: what Python's `re` and `peft` make of patterns and configurations.

    python make_adapter_goldens.py              # needs torch, transformers, peft
    python make_adapter_goldens.py selections   # all but patterns.jsonl

patterns.jsonl     first a list of module names, then a line for each pattern: whether `re` refuses it, the indices of the
                   names that it matches whole, and those that PEFT's `(.*\\.)?(pattern)$` matches (null where `re` refuses
                   that)
selections.jsonl   first the names of what a configuration may change, then a line for each: the adapter_config.json that
                   PEFT writes, and rank and scale (f32) of every module that PEFT then adapts in a model of 4 Llama
                   layers; or "refused" with PEFT's words
lora_fields.json   every field that this release of PEFT writes into adapter_config.json

Everything is seeded; running it again gives the same files up to the libraries' versions.
"""

import dataclasses
import json
import random
import re
import signal
import sys
import tempfile
import warnings
from pathlib import Path

import numpy
import peft
import torch
from peft.tuners.lora import LoraLayer
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
LAYERS = 4
PARTS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
         "mlp.down_proj"]
FUSED = ["self_attn.qkv_proj", "mlp.gate_up_proj"]
NAMES = [f"model.layers.{layer}.{part}" for layer in [0, 1, 2, 3, 10, 21] for part in PARTS + FUSED]
NAMES += ["lm_head", "model.embed_tokens"]

# Patterns that people use: PEFT's documentation, training frameworks, and what they write for several models at once.
KNOWN = [
    r".*", r".*_proj", r".*\.q_proj", r".*(q|v)_proj$", r"model\.layers\.\d+\.self_attn\.(q|k|v|o)_proj",
    r".*decoder.*(SelfAttention|EncDecAttention).*(q|v)$", r"^model.decoder.layers.0.encoder_attn.k_proj",
    r"(?:.*?(?:language|text).*?(?:self_attn|attention|attn|mlp|feed_forward|ffn|dense).*?(?:q_proj|k_proj|v_proj|o_proj"
    r"|gate_proj|up_proj|down_proj|correction_coefs).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|attention|attn|mlp"
    r"|feed_forward|ffn|dense)\.(?:(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)))",
    r"^(?!.*vision).*(?:q_proj|v_proj)$", r"^(?!.*(?:lm_head|embed)).*", r"^(model(?=\.).*(q_proj|down_proj))$",
    r"model\.layers\.(?:[0-9]|1[0-9])\..*", r".*layers\.(0|1|2)\..*(?<!gate)_proj", r"(?i).*Q_PROJ", r"(?P<block>mlp)\.\w+",
    r"layers.0.self_attn.q_proj", r"q_proj", r"[qk]_proj", r"[^.]+\.[^.]+\.\d+\..*", r"lm_head|.*embed_tokens",
    r".*\.(\w)_proj\1?", r".*(?:q_proj|k_proj", r"*.q_proj", r".*q_proj)", r"[a-", r"\d++", r"(?>mlp).*", r"(?#x)q_proj",
    r"(?P=a)", r"model\.layers\.[13579]?\d\.mlp\.[a-z_]{7,9}", r"", r"a{,2}b", r"x{2,1}", r"{", r"m{", r"m{}", r"m{1", r"()",
    r"(|model).*", r"(a*)*", r"((.*)*)*", r"(.*)+_proj", r"(?:model|lm)+\W.*", r"\Amodel.*\Z", r".*\bq_proj\b", r".*\B_proj",
    r"[\w.]+", r"[^\W\d]+", r"[]a-z._0-9]+", r"[^]]+", r"[a\-z]+", r"[\d-]+", r"[.-9a-z_]+", r"[z-a]", r"[\w-z]",
    r"model.{8}\d.+", r"^*", r"$+", r"\b*", r"(?=m)*.*", r"(?=.*q).*proj", r"(?!.*q).*proj", r".*(?=_proj)_proj",
]


def piece(random, depth):
    kind = random.randrange(14 if depth > 0 else 9)
    if kind < 4:
        name = random.choice(NAMES)
        begin = random.randrange(len(name))
        return re.escape(name[begin:begin + random.randrange(1, 9)])
    if kind == 4:
        return random.choice([".*", ".+", ".", ".*?", ".?", r"\d+", r"\w+", r"\d{1,2}", r"[^.]*", r"[a-z]+", r"\S*"])
    if kind == 5:
        return random.choice(["model", "layers", "self_attn", "mlp", "_proj", "q_proj", "lm_head", r"\.", "."])
    if kind == 6:
        return random.choice(["^", "$", r"\b", r"\B", r"\A", r"\Z", ""])
    if kind == 7:
        items = "".join(random.choice(["a-z", "_", ".", "0-9", "q", "kv", r"\d", r"\w", "m-p"]) for _ in range(3))
        return "[" + random.choice(["", "^"]) + items + "]" + random.choice(["", "*", "+", "{2}", "{1,3}", "?"])
    if kind == 8:
        return random.choice(["q", "k", "proj", "0", "1"]) + random.choice(["?", "*", "+", "{0,2}", "??", "+?", "{2,}", "{,3}"])
    inner = "|".join(run(random, depth - 1) for _ in range(random.randrange(1, 4)))
    if kind == 9:
        return random.choice(["(?=", "(?!"]) + inner + ")"
    return random.choice(["(", "(?:", f"(?P<n{random.randrange(10**6)}>"]) + inner + ")" + random.choice(
        ["", "", "?", "*", "+", "{2}", "{1,2}", "*?"])


def run(random, depth):
    return "".join(piece(random, depth) for _ in range(random.randrange(1, 4)))


def damaged(random, pattern):
    at = random.randrange(len(pattern) + 1)
    return random.choice([
        pattern[:at] + random.choice("()[]{}*+?|^$\\.-,:=!<>P1é") + pattern[at:], pattern[:at] + pattern[at + 1:]])


class TooSlow(Exception):
    pass


def too_slow(*_):
    raise TooSlow


def make_patterns():
    generator = random.Random(31)
    patterns = list(KNOWN)
    while len(patterns) < 2500:
        choice = generator.randrange(4)
        if choice == 0:
            pattern = generator.choice([".*", "model", r"model\.layers\.", ""]) + run(generator, 2)
        elif choice == 1:
            # A name of which some characters became something more general.
            name = re.escape(generator.choice(NAMES))
            pattern = re.sub("[a-z]", lambda m: generator.choice([m.group()] * 12 + [".", ".?", "[a-z]", r"\w"]), name)
            pattern = re.sub(r"\d+", lambda m: generator.choice([m.group(), r"\d+", "(0|1)", "[1-3]"]), pattern)
        else:
            pattern = run(generator, 3)
        if generator.randrange(5) == 0:
            pattern = damaged(generator, pattern)
        patterns.append(pattern)
    lines = [json.dumps(NAMES)]
    signal.signal(signal.SIGALRM, too_slow)
    for pattern in patterns:
        whole, tail, refused = [], None, False
        try:
            re.compile(pattern)
        except (re.error, OverflowError):
            refused = True
        try:
            signal.alarm(2)
            if not refused:
                whole = [index for index, name in enumerate(NAMES) if re.fullmatch(pattern, name)]
                try:
                    tail = [i for i, name in enumerate(NAMES) if re.match(rf"(.*\.)?({pattern})$", name)]
                except re.error:
                    pass
            signal.alarm(0)
        except TooSlow:
            continue
        lines.append(json.dumps(dict(pattern=pattern, refused=refused, whole=whole, tail=tail)))
    (HERE / "patterns.jsonl").write_text("\n".join(lines) + "\n")
    print(len(lines) - 1, "patterns")


def llama():
    with torch.device("meta"):  # names and shapes are enough
        return LlamaForCausalLM(LlamaConfig(
            hidden_size=8, num_attention_heads=2, num_key_value_heads=1, intermediate_size=12, num_hidden_layers=LAYERS,
            vocab_size=16))


def some(generator, values, least=1, most=4):
    return generator.sample(values, min(len(values), generator.randrange(least, most + 1)))


def configuration(generator):
    short = [part.split(".")[1] for part in PARTS]
    full = [f"model.layers.{layer}.{part}" for layer in range(LAYERS) for part in PARTS]
    ends = short + PARTS + ["1.self_attn.q_proj", "layers.2.mlp.up_proj", "lm_head", "embed_tokens", "qkv_proj", "proj", "x"]
    anything = short + full + ends
    # Repeats of repeats keep Python busy for hours with names that they do not match.
    known = [p for p in KNOWN if p and "*)" not in p]
    patterns = known + [".*[qv]_proj", "q_proj", r".*\.[0-2]\..*proj", "lm_head|.*v_proj", "ALL-linear"]
    values = dict(r=generator.randrange(1, 40), lora_alpha=generator.choice([1, 8, 16, 17, 32, 100]))
    kind = generator.randrange(4)
    if kind == 0:
        values["target_modules"] = generator.choice(patterns + ["all-linear"] * 5)
    else:
        values["target_modules"] = some(generator, short if kind == 1 else anything, most=7)
    if generator.randrange(3) == 0:
        values["exclude_modules"] = generator.choice([generator.choice(patterns), some(generator, anything), []])
    if generator.randrange(3) == 0 and (kind or generator.randrange(4) == 0):
        values["layers_to_transform"] = generator.choice([
            generator.randrange(LAYERS + 1), some(generator, list(range(-1, LAYERS + 2))), []])
    if generator.randrange(6) == 0:
        values["layers_pattern"] = generator.choice(
            ["layers", "model.layers", "h", ["h", "layers"], "", [], "layer.", "odel.layers", "l.yers"])
    for field in ["rank_pattern", "alpha_pattern"]:
        if generator.randrange(2):
            values[field] = {
                generator.choice(anything + [f"^{name}" for name in full] + known): generator.randrange(1, 50)
                for _ in range(generator.randrange(1, 5))}
    values["use_rslora"] = bool(generator.randrange(2))
    values["fan_in_fan_out"] = generator.randrange(4) == 0
    values["init_lora_weights"] = generator.choice([True, False, "gaussian"])
    return values


def make_selections():
    generator = random.Random(32)
    names = [name for name, module in llama().named_modules() if isinstance(module, (torch.nn.Linear, torch.nn.Embedding))]
    lines = [json.dumps(names)]
    counts = [0, 0]
    for _ in range(500):
        values = configuration(generator)
        line = dict(config=dict(values, peft_type="LORA", bias="none", task_type="CAUSAL_LM"))
        try:
            with tempfile.TemporaryDirectory() as folder:
                config = peft.LoraConfig(bias="none", task_type="CAUSAL_LM", **values)
                config.save_pretrained(folder)
                line["config"] = json.loads((Path(folder) / "adapter_config.json").read_text())
                config = peft.LoraConfig.from_pretrained(folder)  # the file sorts patterns, and the first that matches counts
            for field in ["target_modules", "exclude_modules"]:  # PEFT keeps sets, whose order changes from run to run
                if isinstance(line["config"][field], list):
                    line["config"][field] = sorted(line["config"][field])
            line["config"] = {field: value for field, value in line["config"].items() if value is not None}
            model = peft.get_peft_model(llama(), config, low_cpu_mem_usage=True)
            line["changes"] = {
                name.removeprefix("base_model.model."): [module.r["default"], float(numpy.float32(module.scaling["default"]))]
                for name, module in model.named_modules() if isinstance(module, LoraLayer)}
        except (ValueError, RuntimeError, re.error, TypeError) as error:
            line["refused"] = f"{type(error).__name__}: {str(error)[:100]}".split("(")[0]
        counts["refused" in line] += 1
        lines.append(json.dumps(line))
    (HERE / "selections.jsonl").write_text("\n".join(lines) + "\n")
    print(counts[0], "selections", counts[1], "refused")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if len(sys.argv) < 2:
        make_patterns()
    make_selections()
    fields = [field.name for field in dataclasses.fields(peft.LoraConfig) if field.init]
    (HERE / "lora_fields.json").write_text(json.dumps(dict(peft=peft.__version__, fields=fields), indent=1) + "\n")
