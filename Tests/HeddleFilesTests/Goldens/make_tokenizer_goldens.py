"""Makes the golden files of the tokenizer families, in the folder Families, with `tokenizers` 0.23, `transformers` 5 and
`sentencepiece` 0.2 (which needs `protobuf`). Seeded: a second run writes the same bytes.

    python make_tokenizer_goldens.py [NAME ...]

  ingredients.json    what corpus.py and FuzzCorpus.swift make the same lines of
  NAME.json           a small tokenizer, in the form that its family has
  NAME.txt            checksums (CRC-32, eight digits each) of what `tokenizers` does with it, see `digests`
  variants.json       normalizers, pre-tokenizers and decoders one by one, each with such checksums
"""

import io
import json
import os
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.convert_slow_tokenizer import generate_merges

import corpus
from charsmap import charsmap
from make_goldens import LLAMA3, trainer, training_text, words

CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"""
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def train_sentencepiece(model_type, **options):
    """Pieces with scores, and the precompiled character map, of a model that SentencePiece trained."""
    model = io.BytesIO()
    lines = [line for seed in range(7, 11) for text in training_text(seed) for line in text.split("\n") if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type=model_type, num_threads=1, minloglevel=2,
        hard_vocab_limit=model_type == "bpe",
        **({"vocab_size": 700, "character_coverage": 0.98} | options))
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return [(p.piece, p.score) for p in proto.pieces], proto.normalizer_spec.precompiled_charsmap


def sentencepiece_pairs():
    """A byte-pair model with byte fallback as LlamaConverter builds it: every pair that makes a piece is a merge."""
    pieces, _ = train_sentencepiece(
        "bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, vocab_size=900)
    vocabulary = {piece: i for i, (piece, _) in enumerate(pieces)}
    return vocabulary, generate_merges(vocabulary, dict(pieces))


def llama2():
    vocabulary, merges = sentencepiece_pairs()
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(n, normalized=False, special=True) for n in ["<unk>", "<s>", "</s>"]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


def tinyllama():
    """As llama2, with tokens that are looked for in normalised text, as files of 2023 have them."""
    tokenizer = llama2()
    tokenizer.add_tokens([AddedToken("<|pad|>", normalized=True, special=True), AddedToken("<|im_start|>", normalized=True)])
    return tokenizer


def phi3():
    tokenizer = llama2()
    names = ["<|endoftext|>", "<|assistant|>", "<|placeholder1|>", "<|system|>", "<|end|>", "<|user|>"]
    tokenizer.add_special_tokens(
        [AddedToken(n, normalized=False, special=True, rstrip=n not in ("<|endoftext|>",)) for n in names])
    return tokenizer


def mistral():
    """Without a normalizer: the sign is set before the start of all alone."""
    vocabulary, merges = sentencepiece_pairs()
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]"]
    tokenizer.add_special_tokens([AddedToken(n, normalized=False, special=True) for n in names])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


def gemma():
    pieces, _ = train_sentencepiece(
        "bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, vocab_size=900, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
        user_defined_symbols=["<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>", "\t", "\n", "\n\n", "▁▁", "▁▁▁▁", "<h1>"])
    vocabulary = {piece: i for i, (piece, _) in enumerate(pieces)}
    added = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>", "\n\n", "<h1>"]
    merges = generate_merges(vocabulary, dict(pieces), skip_tokens=added)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = {"<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"}
    tokenizer.add_tokens([AddedToken(n, normalized=False, special=n in special) for n in added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", 2)])
    return tokenizer


def unknowns():
    """A byte-pair model over scalars with unknown ones, some bytes and not others, and tokens that are not fused."""
    vocabulary, merges = sentencepiece_pairs()
    for byte in list(range(0x00, 0x40)) + list(range(0xC3, 0xE4)) + [0x9F]:
        del vocabulary[f"<0x{byte:02X}>"]
    vocabulary = {piece: i for i, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=False, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKC(), normalizers.Prepend("▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=True)])
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=True) for n in ["<unk>", "<s>", "</s>"]])
    return tokenizer


def t5():
    pieces, charsmap = train_sentencepiece("unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    pieces += [(f"<extra_id_{i}>", 0.0) for i in range(9, -1, -1)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    tokenizer.add_special_tokens(
        [AddedToken(p, special=True, normalized=False) for p, _ in pieces if p in ("<pad>", "</s>", "<unk>") or "extra_id" in p])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return tokenizer


SMALL_MAP = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)} | {
    "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "\r": "", "\u200d": " ", "\u2581": " ", "ﬁ": "fi", "™": "TM", "½": "1/2",
    "A": "a", "©": "(c)", "\u00ad": "", "e\u0301": "é", "\u0301": "", "カ\u3099": "ガ", "\u0600": "x", "\r\n": "|", "\x01": "",
}


def xlmr():
    pieces, _ = train_sentencepiece("unigram", normalization_rule_name="identity", character_coverage=0.985)
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + pieces[3:] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    small = charsmap({k.encode(): v.encode() for k, v in SMALL_MAP.items()})
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(small), normalizers.Strip(left=True, right=True), normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="first")
    tokenizer.add_special_tokens(
        [AddedToken(n, special=True, normalized=False, lstrip=n == "<mask>") for n in ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer


def albert():
    pieces, _ = train_sentencepiece("unigram", normalization_rule_name="identity", unk_id=1, pad_id=0, bos_id=-1, eos_id=-1,
                                    user_defined_symbols=["[CLS]", "[SEP]", "[MASK]"])
    # Many ties, which rounding decides.
    pieces = [(p, -float(len(p) * 1.1) if i % 3 else s) for i, (p, s) in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=1, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
        normalizers.Lowercase(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in ["<pad>", "<unk>", "[CLS]", "[SEP]"]]
                                 + [AddedToken("[MASK]", special=True, normalized=False, lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def unigram_bytes():
    pieces, _ = train_sentencepiece("unigram", normalization_rule_name="identity", byte_fallback=True, vocab_size=900)
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def byte_level(pattern, specials, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(training_text(7), trainer())
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in specials])
    return tokenizer


def cl100k():
    return byte_level(CL100K, ["<|endoftext|>", "<|fim_prefix|>", "<|im_start|>"], ignore_merges=True)


def o200k():
    return byte_level(O200K, ["<|startoftext|>", "<|return|>", "<|channel|>"])


def deepseek():
    tokenizer = byte_level(LLAMA3, [])
    tokenizer.normalizer = normalizers.Sequence([])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"), pre_tokenizers.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated"),
        pre_tokenizers.Split(Regex(DEEPSEEK), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.add_special_tokens([AddedToken("<｜begin▁of▁sentence｜>", normalized=True, special=True)])
    tokenizer.add_tokens([AddedToken("<｜User｜>", normalized=False), AddedToken("<think>", normalized=True)])
    return tokenizer


def falcon():
    """ByteLevel in the middle: what follows cuts characters of the byte alphabet."""
    tokenizer = byte_level(LLAMA3, ["<|endoftext|>"])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    return tokenizer


def word_level():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(training_text(7), trainers.WordLevelTrainer(vocab_size=600, special_tokens=["[UNK]", "[CLS]"], show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(("[CLS]", 1), ("[CLS]", 1))
    return tokenizer


FAMILIES = [
    llama2, tinyllama, phi3, mistral, gemma, unknowns, t5, xlmr, albert, unigram_bytes, cl100k, o200k, deepseek, falcon,
    word_level,
]


def part(value):
    """The JSON of a normalizer, pre-tokenizer or decoder."""
    return None if value is None else json.loads(value.__getstate__())


def variants():
    """What is put into the two base tokenizers, one part at a time."""
    split, byte_level = pre_tokenizers.Split, pre_tokenizers.ByteLevel
    kinds = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    patterns = [
        CL100K, O200K, DEEPSEEK, LLAMA3 + " ", LLAMA3 + r"|\z\w", r"\p{N}{1,3}", r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[0-9][0-9][0-9]",
        r" ?[^(\s|[.,!?…。，、।۔،])]+", r"\d{1,3}(?=(?:\d{3})*\b)", r"(?:\w+?(?=\b|[0-9]))|\W", r"[^\S\n]+|\n", r"\p{Han}+|\p{Hiragana}+|\p{Hangul}",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        r"(a|b)*?c|x{2,}y?|^.|.$|\x41\u0042\x{e9}", r"(?<!\p{L})\p{Lu}\p{Ll}*|(?<=\d)[a-z]", r"(?:a|ab)(?:c|bcd)?|[[a-c][^\s\w]]+",
        r"\bthe\b|\B\p{M}+|[\p{Sc}\p{Sm}\-]|\P{Cn}{3}", r"[^\p{^L}]", r"(?i:abc|[x-z]k)+|\p{^L}{2}", r"\p{Co}|\p{Cs}|\p{Cc}|\p{Cf}|\p{Zs}|\p{Zl}|\p{Nl}|\p{No}|\p{Me}|\p{Mc}",
        r"\p{Latin}+|\p{Greek}+|\p{Cyrillic}+|\p{Arabic}+|\p{Hebrew}+|\p{Devanagari}+|\p{Thai}+|\p{Katakana}+", r"(?!a)\w{2}|(?=[ab]+c).|\w",
    ]
    cutters = [split(Regex(p), "isolated") for p in patterns]
    cutters += [split(Regex(r"\p{N}|the|\s"), kind, invert) for kind in kinds for invert in (False, True)]
    cutters += [split(Regex(LLAMA3), kind, invert) for kind in kinds for invert in (False, True)]
    cutters += [split(text, kind) for text in (" ", "aa", "\u0301", ".*") for kind in kinds]
    cutters += [pre_tokenizers.Punctuation(kind) for kind in kinds]
    cutters += [pre_tokenizers.Digits(True), pre_tokenizers.Digits(False), pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit()]
    cutters += [pre_tokenizers.CharDelimiterSplit("a"), pre_tokenizers.CharDelimiterSplit("é"), byte_level(add_prefix_space=True, use_regex=True)]
    cutters += [pre_tokenizers.Metaspace("▁", scheme, cut) for scheme in ("always", "first", "never") for cut in (False, True)]
    cutters += [pre_tokenizers.Metaspace("_", "always", True)]
    changes = [normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(), normalizers.Lowercase(), normalizers.StripAccents()]
    changes += [normalizers.Strip(True, False), normalizers.Strip(False, True), normalizers.Strip(), normalizers.Nmt(), normalizers.Prepend("xy")]
    changes += [normalizers.Replace(" ", "▁"), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Replace("\u0301", ""), normalizers.Replace("aa", "a")]
    changes += [normalizers.Precompiled(charsmap({k.encode(): v.encode() for k, v in SMALL_MAP.items()}))]
    first = pre_tokenizers.Metaspace("▁", "first", True)
    items = [(None, pre_tokenizers.Sequence([c, byte_level(add_prefix_space=True, use_regex=False)]), None) for c in cutters]
    items += [(n, byte_level(add_prefix_space=False, use_regex=False), None) for n in changes]
    items += [(n, pre_tokenizers.Sequence([first, byte_level(add_prefix_space=False, use_regex=False)]), None) for n in changes]
    texts = [
        None, decoders.ByteLevel(), decoders.ByteFallback(), decoders.Fuse(), decoders.Metaspace("▁", "always"), decoders.Metaspace("▁", "never"),
        decoders.Strip("a", 2, 0), decoders.Replace("a", "bb"), decoders.Replace(Regex("[ab]+"), "-"), decoders.Sequence([]),
        decoders.Sequence([decoders.ByteFallback(), decoders.Fuse(), decoders.Replace("▁▁", "<"), decoders.Strip("▁", 3, 0)]),
        decoders.Sequence([decoders.Fuse(), decoders.Metaspace("▁", "first")]),
        decoders.Sequence([decoders.ByteLevel(), decoders.Replace("aba", ""), decoders.Strip("b", 1, 0)]),
        decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", "always"), decoders.Strip(" ", 1, 0)]),
        decoders.Sequence([decoders.Strip("▁", 1, 0), decoders.ByteFallback()]),
    ]
    items += [(None, None, d) for d in texts]
    return [{"normalizer": part(n), "pre_tokenizer": part(p), "decoder": part(d)} for n, p, d in items]


def base_of_cutters():
    """The byte alphabet alone: where a piece starts, a space is set before it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    return Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))


def base_of_decoders():
    pieces = ["<unk>", "<s>"] + BYTES + list("abc▁ Ġé日") + ["▁a", "a▁", "▁▁", "ab", "aba", "aa", " a", "<0x+1>", "<0xé>", "<0x0G>", "Ã©", "ÃĠ", "▁▁▁b"]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, []))
    tokenizer.add_special_tokens([AddedToken("<s>", special=True, normalized=False)])
    return tokenizer


def with_parts(base, parts):
    state = json.loads(base.to_str())
    return Tokenizer.from_str(json.dumps(state | parts))


def digests(tokenizer, ingredients, lines=corpus.LINE_COUNT):
    """Three rows of checksums: of the lines of the corpus, of random ids, and of texts around every scalar."""
    result = corpus.digests_of_lines(tokenizer, ingredients, lines)
    return [result, corpus.digests_of_ids(tokenizer), corpus.digests_of_scalars(tokenizer, 256)]


def main(names):
    os.makedirs("Families", exist_ok=True)
    os.chdir("Families")
    families = {make.__name__: make for make in FAMILIES if not names or make.__name__ in names}
    built = {name: make() for name, make in families.items()}
    if names and os.path.exists("ingredients.json"):
        ingredients = json.load(open("ingredients.json"))
    else:
        specials = sorted({t.content for k in built.values() for t in k.get_added_tokens_decoder().values()})
        ingredients = corpus.ingredients(words, specials)
        with open("ingredients.json", "w") as out:
            json.dump(ingredients, out, ensure_ascii=True, indent=0)
            out.write("\n")
    for name, tokenizer in built.items():
        text = tokenizer.to_str()
        with open(f"{name}.json", "w") as out:
            out.write(text + "\n")
        with open(f"{name}.txt", "w") as out:
            out.write("\n".join(" ".join(row) for row in digests(Tokenizer.from_str(text), ingredients)) + "\n")
    if names and "variants" not in names:
        return
    cutters, texts = base_of_cutters(), base_of_decoders()
    items = []
    for item in variants():
        if item["pre_tokenizer"] is None:
            tokenizer = with_parts(texts, {"decoder": item["decoder"]})
            rows = {"ids": " ".join(corpus.digests_of_ids(tokenizer))}
        else:
            tokenizer = with_parts(cutters, {"normalizer": item["normalizer"], "pre_tokenizer": item["pre_tokenizer"]})
            rows = {"lines": " ".join(corpus.digests_of_lines(tokenizer, ingredients, 1000))}
            # Where classes or mappings of scalars matter that no family has.
            names = json.dumps([item["normalizer"], item["pre_tokenizer"]])
            if any(name in names for name in ("{Co}", "{Latin}", "bthe", "NFD", 'Punctuation", "behavior": "Isolated')):
                rows["scalars"] = " ".join(corpus.digests_of_scalars(tokenizer, 8))
        items.append({k: v for k, v in item.items() if v is not None} | rows)
    with open("variants.json", "w") as out:
        json.dump({"cutters": json.loads(cutters.to_str()), "decoders": json.loads(texts.to_str())}, out)
        out.write("\n")
        for item in items:
            out.write(json.dumps(item) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
