"""Writes the Unicode tables of HeddleFiles' tokenizer as Swift: run from this folder, with `tokenizers` 0.23 installed.

    python make_unicode_tables.py ../../../Sources/HeddleFiles/Tokenizer/Unicode

The tables are not taken from a Unicode file but from what the `tokenizers` crate does with every scalar, because its
parts carry different Unicode versions (Oniguruma for patterns, Rust's standard library for digits, the regex crate for
added tokens, a crate of its own for normal forms). A model was trained with exactly these classes.
"""

import sys
import unicodedata

from charsmap import charsmap
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
LETTER, NUMBER, SPACE, DIGIT, WORD, STRIP, UNSTABLE, PUNCTUATION = (1 << bit for bit in range(8))
# What a split pattern may ask of a scalar, in the order of ScalarKinds.Property's bits.
CATEGORIES = "Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()
SCRIPTS = "Han Hiragana Katakana Hangul Latin Greek Cyrillic Arabic Hebrew Devanagari Thai".split()


def matches(pattern):
    """The scalars that a one-scalar pattern matches in a Split pre-tokenizer."""
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    text = "".join(map(chr, SCALARS))
    found = set()
    for piece, _ in split.pre_tokenize_str(text):
        found.update(map(ord, piece))
    return found


def digits():
    split = pre_tokenizers.Digits(individual_digits=False)
    found = set()
    # A letter before and behind each scalar: it is a digit where it becomes a piece of its own.
    for start in range(0, len(SCALARS), 4096):
        part = SCALARS[start:start + 4096]
        text = "".join("a" + chr(c) for c in part) + "a"
        for piece, (begin, end) in split.pre_tokenize_str(text):
            if end - begin == 1 and begin % 2 == 1 and piece != "a":
                found.add(ord(text[begin]))
    return found


def punctuation():
    split = pre_tokenizers.Punctuation("removed")
    kept = set()
    for piece, _ in split.pre_tokenize_str("".join(map(chr, SCALARS))):
        kept.update(map(ord, piece))
    return set(SCALARS) - kept


def kinds():
    """For every scalar the properties that Oniguruma sees in it, as bits: to `\\w`, not so in a class, ² is a word."""
    properties = [rf"\p{{{name}}}" for name in CATEGORIES] + [r"\s", r"\w", r"[\w]"] + [rf"\p{{{name}}}" for name in SCRIPTS]
    found = dict.fromkeys(SCALARS, 0)
    for bit, pattern in enumerate(properties):
        # No scalar is a surrogate, and Oniguruma says so by finding none.
        for c in matches(pattern):
            found[c] |= 1 << bit
    for c, bits in found.items():
        assert bin(bits & ((1 << len(CATEGORIES)) - 1)).count("1") == 1, hex(c)
    assert matches(r"\d") == {c for c in SCALARS if found[c] >> CATEGORIES.index("Nd") & 1}
    return found


def grapheme_classes():
    """What a scalar does to its neighbours in a grapheme cluster, as the Precompiled normalizer shows it: of a cluster
    below six bytes whose first scalar is in the map, the rest is dropped."""
    accents = normalizers.Precompiled(charsmap({"\u0301".encode(): b"M"})).normalize_str
    letter = normalizers.Precompiled(charsmap({b"a": b"A"})).normalize_str
    sign = normalizers.Precompiled(charsmap({"\u00a9".encode(): b"C"})).normalize_str
    found = {}
    for c in SCALARS:
        t = chr(c)
        if t in "a\u00a9\u0301":
            found[c] = {"a": 0, "\u00a9": PICTOGRAPH, "\u0301": EXTEND}[t]
            continue
        if t == "\u200d":
            found[c] = JOINER
        elif letter("a" + t) == "A":
            # A mark that stands between a pictograph and a joiner lets them join, unless it takes space itself.
            joins = sign("\u00a9" + t + "\u200d\u00a9\u0301") == "C" + t + "\u200dC\u0301"
            found[c] = EXTEND if joins else SPACING
        elif accents(t + "\u0301\u0302") == t + "M":
            found[c] = CONTROL
        elif letter(t + "a\u0301") == t + "a\u0301".replace("a", "A"):
            found[c] = PREPEND
        elif sign("\u00a9\u200d" + t) == "C\u200d" + t:
            found[c] = PICTOGRAPH
        else:
            found[c] = 0
    return found


CONTROL, EXTEND, SPACING, PREPEND, JOINER, PICTOGRAPH = range(1, 7)


def added_token_tokenizer(**flags):
    tokenizer = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    tokenizer.add_tokens([AddedToken("QQ", normalized=False, **flags)])
    return tokenizer, tokenizer.token_to_id("QQ")


def words():
    tokenizer, token = added_token_tokenizer(single_word=True)
    # The added token is not recognised beside a word scalar.
    return {c for c in SCALARS if token not in tokenizer.encode("QQ" + chr(c)).ids}


def stripped():
    tokenizer, token = added_token_tokenizer(rstrip=True)
    found = set()
    for c in SCALARS:
        encoding = tokenizer.encode("QQ" + chr(c))
        if any(i == token and end == 3 for i, (_, end) in zip(encoding.ids, encoding.offsets)):
            found.add(c)
    return found


def main(folder):
    nfd = normalizers.NFD()
    nfc = normalizers.NFC()
    hangul = range(0xAC00, 0xD7A4)
    decomposition = {}
    not_composed = set()
    for c in SCALARS:
        whole = nfd.normalize_str(chr(c))
        if whole != chr(c) and c not in hangul:
            decomposition[c] = [ord(d) for d in whole]
        if nfc.normalize_str(chr(c)) != chr(c):
            not_composed.add(c)

    # Combining classes: Python's, where the crate treats the scalar as non-starter at all. U+0334 has the least class, 1:
    # it moves before every mark of a higher class.
    classes = {}
    for c in SCALARS:
        # The mark cannot move before itself.
        moves = c != 0x334 and nfd.normalize_str("a" + chr(c) + "\u0334") == "a\u0334" + chr(c)
        combining = unicodedata.combining(chr(c))
        if c in decomposition:
            continue
        if moves:
            assert combining > 1, hex(c)
            classes[c] = combining
        elif combining == 1:
            # Class 1 if it moves before a mark of a higher class.
            if nfd.normalize_str("a\u0301" + chr(c)) == "a" + chr(c) + "\u0301":
                classes[c] = 1
            else:
                print("class 1 unknown to the crate:", hex(c))
        elif combining:
            print("combining class unknown to the crate:", hex(c), combining)
    representatives = {}
    for c, combining in sorted(classes.items()):
        representatives.setdefault(combining, c)
    for c, combining in classes.items():
        for other, r in representatives.items():
            if r == c:
                continue
            swapped = nfd.normalize_str("a" + chr(r) + chr(c)) == "a" + chr(c) + chr(r)
            assert swapped == (combining < other), (hex(c), hex(r))

    # Primary composites: a decomposition's last scalar joins what the others compose to.
    pairs = {}
    for c, whole in decomposition.items():
        if c in not_composed or len(whole) < 2:
            continue
        first = nfc.normalize_str("".join(map(chr, whole[:-1])))
        assert len(first) == 1, hex(c)
        pairs[(ord(first), whole[-1])] = c
    seconds = {second for _, second in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    unstable = not_composed | seconds | set(classes)

    flags = {}
    for bit, scalars in [
        (LETTER, matches(r"\p{L}")), (NUMBER, matches(r"\p{N}")), (SPACE, matches(r"\s")), (DIGIT, digits()),
        (WORD, words()), (STRIP, stripped()), (UNSTABLE, unstable),
        (PUNCTUATION, punctuation()),
    ]:
        print(bit, len(scalars))
        for c in scalars:
            flags[c] = flags.get(c, 0) | bit

    runs = []
    last = None
    for c in range(0x110000):
        value = flags.get(c, 0)
        if value != last:
            runs.append(c << 8 | value)
            last = value
    print("runs", len(runs), "decompositions", len(decomposition), "pairs", len(pairs), "classes", len(classes))

    def literal(name, doc, numbers, type="UInt32"):
        lines = [f"    /// {doc}", f"    static let {name}: [{type}] = ["]
        line = "       "
        for number in numbers:
            word = f" 0x{number:X},"
            if len(line) + len(word) > 118:
                lines.append(line)
                line = "       "
            line += word
        return "\n".join(lines + [line, "    ]"]) + "\n"

    head = "// Written by Tests/HeddleFilesTests/Goldens/make_unicode_tables.py; do not edit.\n\n"
    with open(f"{folder}/ScalarClassRuns.swift", "w") as out:
        out.write(head)
        out.write("/// What the `tokenizers` crate takes every scalar for.\nenum ScalarClassRuns {\n")
        out.write(literal("runs", "First scalar of a run, shifted left by 8, and the run's flags; in rising order.", runs))
        out.write("}\n")
    with open(f"{folder}/NormalFormTables.swift", "w") as out:
        out.write(head)
        out.write("/// Canonical decompositions, combining classes and compositions, Hangul excepted.\nenum NormalFormTables {\n")
        flat = []
        for c, whole in sorted(decomposition.items()):
            flat += [len(whole) << 24 | c] + whole
        out.write(literal("decompositions", "Count << 24 | scalar, then as many scalars: its full decomposition.", flat))
        out.write("\n")
        class_runs = []
        previous = (None, 0)
        for c, combining in sorted(classes.items()):
            if previous != (c - 1, combining):
                class_runs.append([c, 1, combining])
            else:
                class_runs[-1][1] += 1
            previous = (c, combining)
        assert all(count < 1 << 8 for _, count, _ in class_runs)
        out.write(literal("combiningClasses", "First scalar, then count << 8 | class.",
                          [n for c, count, combining in class_runs for n in (c, count << 8 | combining)]))
        out.write("\n")
        out.write(literal("compositions", "First, second, composite.",
                          [n for (a, b), c in sorted(pairs.items()) for n in (a, b, c)]))
        out.write("}\n")

    def mappings(change, without=lambda c: chr(c)):
        flat = []
        for c in SCALARS:
            whole = change(chr(c))
            if whole != without(c) and c not in hangul:
                flat += [len(whole) << 24 | c] + list(map(ord, whole))
        return flat

    def ranges(scalars):
        flat = []
        for c in sorted(scalars):
            if flat and flat[-1] == c - 1:
                flat[-1] = c
            else:
                flat += [c, c]
        return flat

    nfkd, lower, accents = (n.normalize_str for n in (normalizers.NFKD(), normalizers.Lowercase(), normalizers.StripAccents()))
    with open(f"{folder}/CompatibilityTables.swift", "w") as out:
        out.write(head)
        out.write("/// What the forms KC and KD decompose beyond the canonical forms.\nenum CompatibilityTables {\n")
        out.write(literal("decompositions", "Count << 24 | scalar, then as many scalars: its full decomposition.",
                          mappings(nfkd, lambda c: nfd.normalize_str(chr(c)))))
        out.write("}\n")
    with open(f"{folder}/LowercaseTables.swift", "w") as out:
        out.write(head)
        out.write("/// What the normalizers Lowercase and StripAccents do to single scalars.\nenum LowercaseTables {\n")
        out.write(literal("mappings", "Count << 24 | scalar, then as many scalars.", mappings(lower)))
        out.write("\n")
        out.write(literal("accents", "First and last scalar of each run that StripAccents takes away.",
                          ranges(c for c in SCALARS if accents(chr(c)) == "")))
        out.write("}\n")
    for name, doc, field, values in [
        ("ScalarKindRuns", "What Oniguruma takes every scalar for.", "kinds", kinds()),
        ("GraphemeRuns", "What every scalar does to the bounds of grapheme clusters.", None, grapheme_classes()),
    ]:
        distinct = sorted(set(values.values()))
        assert len(distinct) <= 128
        print(name, len(distinct), "kinds")
        numbers = []
        last = None
        for c in range(0x110000):
            value = values.get(c, last)
            if value != last:
                numbers.append(c << 8 | (distinct.index(value) if field else value))
                last = value
        print(name, len(numbers), "runs")
        with open(f"{folder}/{name}.swift", "w") as out:
            out.write(head)
            out.write(f"/// {doc}\nenum {name} {{\n")
            if field:
                out.write(literal("kinds", "The properties of each kind, a bit each.", distinct, "UInt64"))
                out.write("\n")
            out.write(literal("runs", "First scalar of a run, shifted left by 8, and the run's kind; in rising order.", numbers))
            out.write("}\n")


if __name__ == "__main__":
    main(sys.argv[1])
