"""Makes sampling_processors.json beside this script: what `transformers` makes of seeded random logits before it draws.

    python make_sampling.py           # needs torch and transformers 5.23

The list of processors and its order are transformers' own: `_get_logits_processor` of a small model puts it together from a
GenerationConfig, as `generate` does. Presence and frequency penalties, which transformers does not have, go in as custom
processors with vLLM's formula (vllm/model_executor/layers/utils.py: apply_penalties), so that they stand where `generate` puts
custom ones.

Each case holds its settings, the tokens so far, the logits, `processed` (f32, after the processors that greedy decoding
has too; null is minus infinity) and `probabilities` (after the warpers). Both are computed in float32, as a user gets
them, and in float64; the case is only written where both keep the same tokens, so that no cut falls on a rounding.
"""

import json
import math
from pathlib import Path

import torch
import transformers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, LogitsProcessor, LogitsProcessorList

HERE = Path(__file__).parent
EOS = [1, 7]


class OutputPenalties(LogitsProcessor):
    """logits -= frequency * count; logits -= presence * (count > 0), over generated tokens."""

    def __init__(self, prompt_count, presence, frequency):
        self.prompt_count, self.presence, self.frequency = prompt_count, presence, frequency

    def __call__(self, input_ids, scores):
        counts = torch.bincount(input_ids[0, self.prompt_count:], minlength=scores.shape[-1]).to(scores.dtype)
        scores = scores - self.frequency * counts
        return scores - self.presence * (counts > 0).to(scores.dtype)


SETTINGS = [
    dict(),
    dict(temperature=0.3), dict(temperature=3.0),
    dict(top_k=1), dict(top_k=7), dict(top_k=50), dict(top_k=5000),
    dict(top_p=0.05), dict(top_p=0.5), dict(top_p=0.95), dict(top_p=0.999),
    dict(min_p=0.02), dict(min_p=0.3), dict(min_p=1.0),
    dict(typical_p=0.1), dict(typical_p=0.5), dict(typical_p=0.9), dict(typical_p=0.99),
    dict(repetition_penalty=1.3), dict(repetition_penalty=0.7), dict(repetition_penalty=5.0),
    dict(presence_penalty=1.5), dict(presence_penalty=-2.0), dict(frequency_penalty=0.6), dict(frequency_penalty=-1.1),
    dict(presence_penalty=0.4, frequency_penalty=0.9),
    dict(logit_bias={3: 4.5, 11: -100.0, 20: 100.0}), dict(logit_bias={0: -3.25, 60: 2.0}),
    dict(min_tokens=30), dict(min_tokens=2),
    dict(repetition_penalty=1.2, presence_penalty=0.5, frequency_penalty=0.25, logit_bias={5: 2.5, 9: -2.5}, min_tokens=30),
    dict(temperature=0.8, top_k=40, top_p=0.9), dict(temperature=1.4, top_k=20, min_p=0.05),
    dict(temperature=0.7, top_p=0.9, min_p=0.1), dict(temperature=1.2, top_p=0.97, typical_p=0.8),
    dict(temperature=1.1, top_k=30, top_p=0.95, min_p=0.01, typical_p=0.9),
    dict(temperature=0.9, top_k=25, top_p=0.9, min_p=0.02, typical_p=0.95, repetition_penalty=1.15, presence_penalty=0.3,
         frequency_penalty=0.2, logit_bias={2: 1.0, 30: -1.0}, min_tokens=25),
    dict(temperature=2.0, typical_p=0.3, repetition_penalty=1.5, logit_bias={1: 8.0}),
]


def processors(model, settings, prompt_count):
    config = GenerationConfig(
        do_sample=True, temperature=settings.get("temperature", 1.0), top_k=settings.get("top_k", 0),
        top_p=settings.get("top_p", 1.0), min_p=settings.get("min_p"), typical_p=settings.get("typical_p", 1.0),
        repetition_penalty=settings.get("repetition_penalty", 1.0), min_new_tokens=settings.get("min_tokens", 0),
        sequence_bias=[[[token], bias] for token, bias in settings.get("logit_bias", {}).items()] or None,
        eos_token_id=EOS, pad_token_id=0)
    model._prepare_special_tokens(config, kwargs_has_attention_mask=True)
    custom = LogitsProcessorList()
    if "presence_penalty" in settings or "frequency_penalty" in settings:
        custom.append(OutputPenalties(
            prompt_count, settings.get("presence_penalty", 0.0), settings.get("frequency_penalty", 0.0)))
    both = dict(input_ids_seq_length=prompt_count, logits_processor=custom)
    sampling = model._get_logits_processor(config, **both)
    config.do_sample = False
    greedy = model._get_logits_processor(config, **both)
    return greedy, sampling


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(2026)
    cases = []
    for vocabulary in [61, 499]:
        model = LlamaForCausalLM(LlamaConfig(
            hidden_size=8, num_attention_heads=1, num_key_value_heads=1, intermediate_size=8, num_hidden_layers=1,
            vocab_size=vocabulary))
        for settings in SETTINGS:
            for _ in range(100):
                logits = torch.randn(vocabulary, generator=generator) * 3
                prompt = torch.randint(0, vocabulary, (23,), generator=generator).tolist()
                # Many repetitions, so that counts differ.
                generated = torch.randint(0, 12, (19,), generator=generator).tolist()
                tokens = torch.tensor([prompt + generated])
                greedy, sampling = processors(model, settings, len(prompt))
                single = sampling(tokens, logits.clone().unsqueeze(0))[0]
                double = sampling(tokens, logits.double().unsqueeze(0))[0]
                if torch.equal(single == -math.inf, double == -math.inf):
                    break
            else:
                raise AssertionError(settings)
            processed = greedy(tokens, logits.clone().unsqueeze(0))[0]
            cases.append(dict(
                settings=dict(settings, logit_bias=[
                    dict(token=token, bias=bias) for token, bias in sorted(settings.get("logit_bias", {}).items())]),
                prompt=prompt, generated=generated, logits=logits.tolist(),
                processed=[None if value == -math.inf else value for value in processed.tolist()],
                probabilities=[round(value, 9) for value in torch.softmax(double, 0).tolist()],
                # Ours gives no weight to what is e^-87 as likely as the likeliest; softmax gives it a number near nothing.
                kept=int((torch.softmax(double, 0) > 1e-30).sum())))
    (HERE / "sampling_processors.json").write_text(json.dumps(dict(
        made_with=dict(torch=torch.__version__, transformers=transformers.__version__), end_tokens=EOS, cases=cases),
        separators=(",", ":")) + "\n")
    print(len(cases), "cases;", [case["kept"] for case in cases])


if __name__ == "__main__":
    main()
