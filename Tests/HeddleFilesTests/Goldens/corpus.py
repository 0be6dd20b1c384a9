"""The fuzz corpus of the tokenizer families, and checksums of what a tokenizer makes of it. FuzzCorpus.swift makes the same
lines from the same numbers."""

import zlib

import numpy

LINE_COUNT = 20000
LINES_PER_DIGEST = 50
ROW_COUNT = 4000
ROWS_PER_DIGEST = 50
SCALARS_PER_TEXT = 32
MASK = (1 << 64) - 1


class Generator:
    """SplitMix64."""

    def __init__(self, state):
        self.state = state

    def below(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        value = self.state
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
        value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
        return (value ^ value >> 31) % count


def ingredients(words, specials):
    """Groups of texts that lines are made of."""
    import random
    rng = random.Random(5)
    known = sorted(set(words(random.Random(7))) | set(words(random.Random(1))))
    contractions = "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'Ve 'M 'lL 'D 'ſ ’s 'sſ '' `` 'x 'r 'l 'v 're's K k ſſ".split()
    known = rng.sample(known, 500)
    spaces = list(" \t\n\r\u000b\u000c\u0085\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff\u2581\u200d\ufffd")
    spaces += [" "] * 12 + ["  ", "   ", "\r\n", "\n\n", "    ", " \n", "▁", "▁▁"]
    signs = list("!?.,;:-_/\\@#$%^&*()[]{}<>|~`\"'+=") + ["...", "();", "'''", "<0x41>", "<0xC3>", "<0x", "--", "//", "©", "®", "™", "…", "。", "、", "，", "！"]
    digits = list("0123456789٠١٢٣४५६۷一二Ⅷ½²¾⑨㊿𝟙𝟚") + ["12", "2024", "1000000", "3.14", "1,000"]
    marks = [chr(c) for c in list(range(0x300, 0x34f)) + [0x483, 0x5b0, 0x5bf, 0x600, 0x64b, 0x6dd, 0x70f, 0x93c, 0x94d, 0x903, 0x9d7, 0xe33, 0x1dc0, 0x20dd, 0x3099, 0x309a, 0xfe0f, 0x1d165, 0x1e130, 0x10a38, 0x1f3fb, 0xe0101]]
    composed = [chr(c) for c in list(range(0xc0, 0x180)) + list(range(0x1e00, 0x1f00)) + [0x130, 0x149, 0x1c4, 0x1c5, 0x1f80, 0x1fb3, 0x958, 0x95d, 0xf43, 0x2126, 0x212a, 0x212b, 0xfb01, 0xfb1d, 0xfb2a, 0xfdfa, 0x2f800, 0x1d15e, 0x110ab, 0x11938, 0x105c9, 0xff21, 0xff41, 0xff76, 0xff9e, 0x3300, 0x33a5, 0x1e9e, 0xdf]]
    jamo = [chr(c) for c in list(range(0x1100, 0x1115)) + list(range(0x1160, 0x1178)) + list(range(0x11a7, 0x11c5)) + list(range(0xac00, 0xac20))]
    emoji = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "❤️", "1️⃣", "☺", "©‍©", "©️", "😀", "😃🎉"]
    texts = ["The quick brown fox", "import numpy as np\n", "for (int i = 0; i < n; ++i) {\n\t", "don't", "It's", "I'LL", "été", "naïve", "Straße", "İstanbul", "ΑΣΣ"]
    parts = sorted({s[:rng.randint(1, 12)] for s in specials} | {s.strip("<>|[]") for s in specials})
    return [known, specials, spaces, signs + contractions, digits, marks, composed, jamo, emoji + texts, parts]


def scalar(value):
    """Its UTF-8; a surrogate's three bytes, which are none."""
    return chr(value).encode("utf-8", "surrogatepass")


def line(rng, groups):
    """One line, as bytes that need not be UTF-8."""
    result = b""
    for _ in range(1 + rng.below(8)):
        kind = rng.below(20)
        if kind < 6:
            piece = groups[0][rng.below(len(groups[0]))]
        elif kind < 15:
            group = groups[kind - 5]
            piece = group[rng.below(len(group))]
        elif kind == 15:
            piece = scalar(rng.below(0x110000))
        elif kind == 16:
            piece = scalar(rng.below(0x3000))
        elif kind == 17:
            piece = bytes(rng.below(256) for _ in range(1 + rng.below(4)))
        elif kind == 18:
            piece = bytes(32 + rng.below(95) for _ in range(1 + rng.below(8)))
        else:
            piece = " "
        if isinstance(piece, str):
            piece = piece.encode()
        if rng.below(8) == 0:
            piece *= 1 + rng.below(12)
        result += piece
    return result


made = []


def lines(groups, count=LINE_COUNT, seed=33):
    """The first lines; made once."""
    if len(made) < count:
        rng = Generator(seed)
        made[:] = [line(rng, groups) for _ in range(LINE_COUNT)]
    return made[:count]


def numbers(ids):
    return numpy.array([len(ids)] + ids, dtype="<u4").tobytes()


def text(value):
    value = value.encode()
    return len(value).to_bytes(4, "little") + value


def digests_of_lines(tokenizer, groups, count):
    """For every LINES_PER_DIGEST lines: ids, ids without special tokens of any kind, text of the first ids, and that with
    special tokens."""
    texts = [line.decode("utf-8", "replace") for line in lines(groups, count)]
    tokenizer.encode_special_tokens = False
    whole = [e.ids for e in tokenizer.encode_batch_fast(texts, add_special_tokens=True)]
    tokenizer.encode_special_tokens = True
    plain = [e.ids for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    tokenizer.encode_special_tokens = False
    decoded = [tokenizer.decode_batch(whole, skip_special_tokens=skips) for skips in (True, False)]
    result = []
    for start in range(0, count, LINES_PER_DIGEST):
        value = 0
        for i in range(start, start + LINES_PER_DIGEST):
            value = zlib.crc32(numbers(whole[i]) + numbers(plain[i]) + text(decoded[0][i]) + text(decoded[1][i]), value)
        result.append(f"{value:08x}")
    return result


def random_ids(tokenizer):
    """Rows of ids: every second is out of all, the others are of byte tokens and such as are no whole characters."""
    count = tokenizer.get_vocab_size()
    broken = [i for i in range(count) if "\ufffd" in tokenizer.decode([i], skip_special_tokens=False)
              or (tokenizer.id_to_token(i) or "").startswith("<0x")]
    rng = Generator(44)
    rows = []
    for _ in range(ROW_COUNT):
        row = []
        for _ in range(rng.below(12)):
            if broken and rng.below(2) == 0:
                row.append(broken[rng.below(len(broken))])
            else:
                row.append(rng.below(count + 3))
        rows.append(row)
    return rows


def digests_of_ids(tokenizer):
    rows = random_ids(tokenizer)
    decoded = [tokenizer.decode_batch(rows, skip_special_tokens=skips) for skips in (True, False)]
    result = []
    for start in range(0, ROW_COUNT, ROWS_PER_DIGEST):
        value = 0
        for i in range(start, start + ROWS_PER_DIGEST):
            value = zlib.crc32(text(decoded[0][i]) + text(decoded[1][i]), value)
        result.append(f"{value:08x}")
    return result


def digests_of_scalars(tokenizer, blocks):
    """For every 1 / `blocks` of all scalars: ids of texts that hold SCALARS_PER_TEXT scalars each, between letters, digits and spaces."""
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    texts = ["".join(f"a{c}b 1{c} " for c in scalars[i:i + SCALARS_PER_TEXT]) for i in range(0, len(scalars), SCALARS_PER_TEXT)]
    result = []
    count = -(-len(texts) // blocks)
    for start in range(0, len(texts), count):
        value = 0
        for encoding in tokenizer.encode_batch_fast(texts[start:start + count]):
            value = zlib.crc32(numbers(encoding.ids), value)
        result.append(f"{value:08x}")
    return result
