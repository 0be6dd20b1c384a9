"""Makes the golden files of HeddleFilesTests with `tokenizers` 0.23, `numpy` and `safetensors`. Seeded: a second run
writes the same bytes.

    python make_goldens.py

For every NAME of the five small tokenizers that are trained here:

  NAME.tokenizer.json   as the library writes it (`gpt2` with merges in the older spelling, as strings)
  NAME.expected.txt     one line for each line of corpus.jsonl:
                          IDS TAB PLAIN TAB TEXT
                        IDS: encode(); PLAIN: encode(add_special_tokens=False) with encode_special_tokens = True, `=` where
                        it equals IDS; TEXT: decode(IDS) as a JSON string, `=` where it equals the line
  NAME.decode.jsonl     [ids, decode(ids), decode(ids, skip_special_tokens=False)] for random ids
  NAME.scalars.txt      FNV-1a hashes of the ids of 'a' + c + 'b 1' + c + '  ' + c + c over every scalar c, one for each
                        4,096 scalars

and for the 16-bit floats `halves.safetensors`: all 65,536 patterns as F16 and as BF16, and the former as F32.
"""

import json
import random

import numpy
from safetensors.numpy import save
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CORPUS_LINES = 2000
DECODE_LINES = 600


def words(random):
    """A few languages of nonsense, each with its own letters, so that merges in every script are learned."""
    scripts = [
        "etaoinshrdlucmfwypvbgkjqxz", "ETAOINSHRDLU", "éèàçùêîôûäöüßñãõåøæ", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэф",
        "αβγδεζηθικλμνξοπρστυφχψω", "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
        "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशसह", "日本語中文字漢学生会社人大小上下", "あいうえおかきくけこさしすせそアイウエオカキク",
        "가나다라마바사아자차카타파하한국어", "กขคงจฉชซญณดตถทธนบปผฝพ", "😀😃🎉👍🏽👩‍💻🇩🇪❤️",
    ]
    syllables = ["".join(random.choice(s) for _ in range(random.randint(1, 3))) for s in scripts for _ in range(20)]
    syllables += ["the", "ing", "and", "tion", "re", "un", "de", "con", "select", "from", "where"] * 3
    return ["".join(random.choice(syllables) for _ in range(random.randint(1, 3))) for _ in range(1500)]


def training_text(seed):
    rng = random.Random(seed)
    vocabulary = words(rng)
    ends = [" ", " ", " ", ", ", ". ", "\n", "\n\n", "  ", "'s ", "'ll ", "! ", " (", ") ", " 12", " 2024 ", "\t", " = ", "();\n"]
    return [
        "".join(vocabulary[min(int(rng.paretovariate(0.8)) - 1, 1499)] + rng.choice(ends) for _ in range(40))
        for _ in range(400)
    ]


def corpus(specials):
    rng = random.Random(20)
    vocabulary = words(random.Random(1))
    spaces = " \t\n\r\u000b\u000c\u0085\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff"
    contractions = "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'Ve 'M 'lL 'D 'ſ ’s 'sſ '' 'x 'r 'l 'v 're's".split()
    marks = [chr(c) for c in list(range(0x300, 0x34f)) + [0x5b0, 0x5bf, 0x64b, 0x93c, 0x9d7, 0x1dc0, 0x20dd, 0x3099, 0x309a, 0x1d165, 0x1e130, 0x10a38]]
    composed = [chr(c) for c in list(range(0xc0, 0x180)) + list(range(0x1e00, 0x1f00)) + [0x958, 0x95d, 0xf43, 0x2126, 0x212a, 0x212b, 0xfb1d, 0xfb2a, 0x2f800, 0x1d15e, 0x110ab, 0x11938, 0x105c9]]
    jamo = [chr(c) for c in list(range(0x1100, 0x1115)) + list(range(0x1160, 0x1178)) + list(range(0x11a7, 0x11c5)) + list(range(0xac00, 0xac40))]
    digits = "0123456789٠١٢٣४५६۷一二Ⅷ½²¾⑨㊿𝟙𝟚"

    def any_scalar():
        plane = rng.choice([0, 0, 0, 0, 1, 1, 2, 3, 14, 15, 16])
        while True:
            c = plane << 16 | rng.randrange(0x10000) if rng.random() < 0.7 else rng.randrange(0x3000)
            if not 0xD800 <= c <= 0xDFFF:
                return chr(c)

    def several(make, most):
        return "".join(make() for _ in range(rng.randint(1, most)))

    makers = [
        lambda: rng.choice(vocabulary),
        lambda: " " + rng.choice(vocabulary),
        lambda: several(lambda: rng.choice(spaces), 4),
        lambda: " " * rng.randint(1, 9),
        lambda: several(lambda: rng.choice("\r\n "), 5),
        lambda: several(lambda: rng.choice(digits), 7),
        lambda: rng.choice(vocabulary) + rng.choice(contractions),
        lambda: rng.choice(contractions),
        lambda: several(any_scalar, 4),
        lambda: rng.choice("ab ") + several(lambda: rng.choice(marks), 5),
        lambda: several(lambda: rng.choice(composed + marks), 4),
        lambda: several(lambda: rng.choice(jamo), 5),
        lambda: several(lambda: rng.choice("!?.,;:-_/\\@#$%^&*()[]{}<>|~`\"'+="), 5),
        lambda: several(lambda: chr(rng.randrange(0x20)), 3),
        lambda: rng.choice(["👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "❤️", "1️⃣", "☺"]),
        lambda: rng.choice(specials),
        lambda: rng.choice(specials)[: rng.randint(1, 12)],
        lambda: rng.choice(spaces) + rng.choice(specials) + rng.choice(spaces + "ab_é"),
        lambda: rng.choice(vocabulary) * rng.randint(2, 30),
    ]
    fixed = ["", " ", "  ", "\n", "a", "'", "''", "'s", " 's", "\r\n", " \n", "\n ", "a\n", "  a", "a  ", "\u0301", "\0", "\u2028"]
    lines = fixed + [several(rng.choice(makers), 1) if rng.random() < 0.1 else "".join(rng.choice(makers)() for _ in range(rng.randint(1, 9))) for _ in range(CORPUS_LINES - len(fixed) - 10)]
    # Words as long as a prompt: each kind keeps the byte-pair model busy in its own way.
    lines += ["a" * 3000, "ab" * 2000, "the" * 1000, "\u0301" * 700 + "a", "é" * 900, "日" * 800, " " * 3000 + "x", "\n " * 900, "9" * 2000, "!" * 3000]
    return lines


def finish(tokenizer, trainer):
    tokenizer.train_from_iterator(training_text(7), trainer)
    return tokenizer


def trainer(**options):
    options = {"vocab_size": 900, "initial_alphabet": sorted(pre_tokenizers.ByteLevel.alphabet()), "show_progress": False} | options
    return trainers.BpeTrainer(**options)


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return finish(tokenizer, trainer(special_tokens=["<|endoftext|>"]))


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    finish(tokenizer, trainer())
    # A word that merges do not make, which ignore_merges finds.
    state = json.loads(tokenizer.to_str())
    for word in ["Ġunmerged", "xqzxqz"]:
        state["model"]["vocab"][word] = len(state["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(state))
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"] + [f"<|reserved_special_token_{i}|>" for i in range(12)]
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in names])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(
            single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B",
            special_tokens=[("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))]),
    ])
    return tokenizer


def qwen2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(QWEN2), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    finish(tokenizer, trainer())
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]])
    # Not special, as Qwen's tool tokens are.
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    return tokenizer


def corners():
    """Every flag of added tokens, digits apart, a space before every piece, a template on both sides, a vocabulary without
    some bytes and an unknown token."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=True)])
    tokenizer.decoder = decoders.ByteLevel()
    finish(tokenizer, trainer(special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=["a", "b", "Ġ"], vocab_size=700, limit_alphabet=100))
    tokenizer.add_tokens([
        AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=True, special=True),
        AddedToken("alone", single_word=True, normalized=False), AddedToken("é\u0301alone", single_word=True, normalized=True),
        AddedToken("e\u0301<n>", normalized=True), AddedToken("    ", normalized=False), AddedToken("\n\n", normalized=True),
        AddedToken("<a>", normalized=False), AddedToken("<a><b>", normalized=False), AddedToken("<a><b", normalized=False, special=True),
        AddedToken("café", normalized=True), AddedToken("日本", normalized=True), AddedToken("｜｜", normalized=False),
    ])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s> </s>", special_tokens=[("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


def removed():
    """Split as older files spell it, runs of digits together, no unknown token for bytes that the vocabulary lacks."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex(LLAMA3), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return finish(tokenizer, trainer(special_tokens=["<|end|>"], initial_alphabet=["a", "b", "Ġ"], limit_alphabet=150))


def hashes(tokenizer):
    """FNV-1a, 64 bits, over the ids as four little-endian bytes and the count of each text's ids before them."""
    scalars = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    lines = []
    for start in range(0, len(scalars), 4096):
        texts = [f"a{chr(c)}b 1{chr(c)}  {chr(c)}{chr(c)}" for c in scalars[start:start + 4096]]
        value = 0xCBF29CE484222325
        for encoding in tokenizer.encode_batch(texts):
            for number in [len(encoding.ids)] + encoding.ids:
                value = ((value ^ number) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
        lines.append(f"{value:016x}")
    return lines


def write(name, tokenizer, lines):
    state = json.loads(tokenizer.to_str())
    if name == "gpt2":
        state["model"]["merges"] = [" ".join(pair) for pair in state["model"]["merges"]]
    text = json.dumps(state, ensure_ascii=name == "llama3", indent=None if name == "qwen2" else 1)
    tokenizer = Tokenizer.from_str(text)
    with open(f"{name}.tokenizer.json", "w") as out:
        out.write(text + "\n")

    def encodings(special):
        tokenizer.encode_special_tokens = not special
        return [e.ids for e in tokenizer.encode_batch(lines, add_special_tokens=special)]

    with open(f"{name}.expected.txt", "w") as out:
        for line, ids, plain in zip(lines, encodings(True), encodings(False)):
            decoded = tokenizer.decode(ids)
            out.write("\t".join([
                " ".join(map(str, ids)), "=" if plain == ids else " ".join(map(str, plain)),
                "=" if decoded == line else json.dumps(decoded, ensure_ascii=False)]) + "\n")
    rng = random.Random(99)
    count = tokenizer.get_vocab_size()
    single = [i for i in range(count) if tokenizer.decode([i], skip_special_tokens=False).find("\ufffd") >= 0]
    with open(f"{name}.decode.jsonl", "w") as out:
        for _ in range(DECODE_LINES):
            ids = [rng.choice(single) if rng.random() < 0.7 else rng.randrange(count + 3) for _ in range(rng.randint(0, 14))]
            out.write(json.dumps([ids, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=False)], ensure_ascii=False) + "\n")
    with open(f"{name}.scalars.txt", "w") as out:
        tokenizer.encode_special_tokens = False
        out.write("\n".join(hashes(tokenizer)) + "\n")


def main():
    tokenizers = {make.__name__: make() for make in [gpt2, llama3, qwen2, corners, removed]}
    specials = sorted({t.content for k in tokenizers.values() for t in k.get_added_tokens_decoder().values()})
    lines = corpus(specials)
    with open("corpus.jsonl", "w") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    for name, tokenizer in tokenizers.items():
        write(name, tokenizer, lines)

    patterns = numpy.arange(65536, dtype=numpy.uint16)
    half = patterns.view(numpy.float16)
    with numpy.errstate(invalid="ignore"):
        single = half.astype(numpy.float32)
    # numpy has no bfloat16: write as F16, then name the type by hand; the two names differ by one character.
    data = save({"bf16": half, "f16": half.copy(), "f32": single})
    old = b'"bf16":{"dtype":"F16"'
    assert data.count(old) == 1
    length = int.from_bytes(data[:8], "little")
    header = data[8:8 + length].replace(old, b'"bf16":{"dtype":"BF16"').rstrip()
    header += b" " * (-len(header) % 8)
    with open("halves.safetensors", "wb") as out:
        out.write(len(header).to_bytes(8, "little") + header + data[8 + length:])


if __name__ == "__main__":
    main()
