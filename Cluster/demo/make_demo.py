#!/usr/bin/env python3
"""Make Heddle's bundled demo: a small Llama model and eight LoRA adapters.

Everything comes out of this one file: it invents the training data from the
grammars below, trains a byte-level BPE tokenizer, trains the base model,
trains eight PEFT LoRA adapters over the frozen base, measures all of them on
held-out prompts, and writes the result beside itself:

    model/           Hugging Face Llama checkpoint, bf16, in two shards
    adapters/NAME/   PEFT LoRA adapters, as `save_pretrained` writes them
    held-out.jsonl   20 held-out prompts and answers of each base task
    EVALUATION.json  held-out exact-match accuracy and sample answers

The closed world
----------------
A *request* asks for records: "List the customers in Paris with more than 30
orders."  Behind every request is a `Query`.  A Query can be written as an
English request (many phrasings), and in nine canonical ways: the base model's
plain-English reading, and SQL, JSON, Python, Swift, French, German, Spanish
and pirate talk.

* The base reads a request (`request`) or any of the eight other notations
  (`explain`) and says in plain English what is asked.  It writes a notation
  only when the prompt begins with its name (`named`: "SQL: List ...").  It also
  compares numbers, sorts and reverses lists, knows a few facts, counts, and
  tells template stories (the last two give answers of several hundred tokens).
* Each adapter turns the very same English request into its own notation.

Format of an example: <|begin_of_text|>PROMPT\\nANSWER<|end_of_text|>.  A user
types the plain sentence; the model generates the newline, the answer and the
end token.

Held out
--------
`held_out(key)` is a fixed hash of what an example *means* (not of how it is
worded): one meaning in ten is never trained on, in any phrasing or notation,
by the base or by an adapter.  A tenth of the invented names is never trained on either.

Usage
-----
    python make_demo.py                  everything (about 45 minutes, 2 cores)
    python make_demo.py --quick --out /tmp/demo     smoke run, a minute or two
    python make_demo.py --stage adapters --only sql  one adapter again
    python make_demo.py --stage evaluate             measure what is on disk
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

SEED = 20240
BOS, EOS, PAD = "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>"
VOCABULARY = 2816
BASE_NAME = "heddle-demo"

# --------------------------------------------------------------------------
# 1. The world: things, what can be counted about them, and names
# --------------------------------------------------------------------------

# plural -> (French, German, Spanish article, Spanish, pirate, countable fields)
THINGS = {
    "customers": ("clients", "Kunden", "los", "clientes", "landlubbers", "orders points visits reviews"),
    "drivers": ("chauffeurs", "Fahrer", "los", "conductores", "wagoners", "trips fines points stars"),
    "trucks": ("camions", "Lastwagen", "los", "camiones", "wagons", "trips repairs seats fines"),
    "shops": ("magasins", "Läden", "las", "tiendas", "trading posts", "orders workers visitors reviews"),
    "hotels": ("hôtels", "Hotels", "los", "hoteles", "inns", "rooms stars reviews workers"),
    "bikes": ("vélos", "Fahrräder", "las", "bicicletas", "two-wheelers", "trips repairs points reviews"),
    "boats": ("bateaux", "Boote", "los", "barcos", "ships", "trips seats repairs visitors"),
    "farms": ("fermes", "Bauernhöfe", "las", "granjas", "farmsteads", "cows workers visitors orders"),
    "museums": ("musées", "Museen", "los", "museos", "treasure halls", "paintings visitors rooms prizes"),
    "teachers": ("professeurs", "Lehrer", "los", "profesores", "sages", "courses books prizes stars"),
    "students": ("étudiants", "Studenten", "los", "estudiantes", "cabin boys", "courses books points prizes"),
    "doctors": ("médecins", "Ärzte", "los", "médicos", "sawbones", "patients visits fines books"),
}

# plural -> (French, German, German dative, Spanish, pirate)
FIELDS = {
    "orders": ("commandes", "Bestellungen", "Bestellungen", "pedidos", "hauls"),
    "points": ("points", "Punkte", "Punkten", "puntos", "doubloons"),
    "visits": ("visites", "Besuche", "Besuchen", "visitas", "landfalls"),
    "reviews": ("avis", "Bewertungen", "Bewertungen", "reseñas", "tall tales"),
    "trips": ("trajets", "Fahrten", "Fahrten", "viajes", "voyages"),
    "fines": ("amendes", "Strafen", "Strafen", "multas", "floggings"),
    "stars": ("étoiles", "Sterne", "Sternen", "estrellas", "stars"),
    "repairs": ("réparations", "Reparaturen", "Reparaturen", "reparaciones", "patch-ups"),
    "seats": ("places", "Sitze", "Sitzen", "asientos", "benches"),
    "workers": ("ouvriers", "Arbeiter", "Arbeitern", "trabajadores", "deckhands"),
    "visitors": ("visiteurs", "Besucher", "Besuchern", "visitantes", "gawkers"),
    "rooms": ("chambres", "Zimmer", "Zimmern", "habitaciones", "cabins"),
    "cows": ("vaches", "Kühe", "Kühen", "vacas", "sea cows"),
    "paintings": ("tableaux", "Gemälde", "Gemälden", "cuadros", "painted sails"),
    "prizes": ("prix", "Preise", "Preisen", "premios", "treasures"),
    "courses": ("cours", "Kurse", "Kursen", "cursos", "charts"),
    "books": ("livres", "Bücher", "Büchern", "libros", "logbooks"),
    "patients": ("patients", "Patienten", "Patienten", "pacientes", "wounded souls"),
}

CITIES = """Paris London Berlin Madrid Rome Oslo Vienna Lisbon Dublin Athens Prague Warsaw Helsinki
Stockholm Copenhagen Amsterdam Brussels Geneva Zurich Hamburg Munich Milan Naples Lyon Porto Seville
Tokyo Kyoto Delhi Mumbai Cairo Nairobi Lagos Lima Bogota Chicago Boston Denver Seattle Toronto Sydney
New_York Cape_Town Los_Angeles Hong_Kong San_Diego""".replace("\n", " ").split()
CITIES = [c.replace("_", " ") for c in CITIES]
PEOPLE = """Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Karl Laura Marta Nils Olga Paul Rosa
Simon Tara Victor Wanda Xavier Yusuf Zoe Alice Bruno Carmen Diego Elena Frank""".split()

PREFIXES = ("New", "Port", "San", "Fort")
# Invented names are two of these in a row, and sometimes an ending.
HEADS = """Zor Kel Bran Mar Tol Ver Dan Fal Gor Hal Jor Lan Mel Nor Os Pel Quin Ras Sel Tar Ul Vin Wes Yor Zan Al Ber Cal
Dor El Fen Gal Har Il Kor Lor Mon Nel""".split()
MIDDLES = """bek van der mir dan gor ris tal nor lin mar sen vik dor ban kin las men rin tor zan fel gar hol len pur ran sal
tin vel""".split()
TAILS = "ville berg ham ford ton feld stad".split()
ONSETS = "b c d f g h j k l m n p r s t v w z br cr dr fr gr kr pr tr bl fl gl kl pl sl st sh th ch".split()
VOWELS = "a e i o u ai ea ou".split()
CODAS = ["", "n", "r", "l", "s", "m", "t", "k", "nd", "rt", "x"]


def crc(text: str) -> int:
    return zlib.crc32(text.encode())


def held_out(key: str) -> bool:
    """Whether the meaning `key` is kept out of all training."""
    return key in SHOWN or crc(key) % 10 == 0


def invented_name(r: random.Random, unseen: bool) -> str:
    """A made-up capitalised word; one in ten of them is never trained on."""
    while True:
        if r.random() < 0.95:
            word = r.choice(HEADS) + r.choice(MIDDLES) + (r.choice(TAILS) if r.random() < 0.3 else "")
        else:  # rarer, and spelled from smaller pieces
            word = "".join(r.choice(ONSETS) + r.choice(VOWELS) + r.choice(CODAS) for _ in range(2)).capitalize()
        if (crc("name " + word.lower()) % 10 == 0) == unseen:
            return word


def some_name(r: random.Random, known: list[str], test: bool) -> str:
    """A real name, or (half the time) an invented one, to teach copying."""
    if r.random() < 0.45:
        name = r.choice(known)
        return name.lower() if r.random() < 0.04 else name  # copied as it was typed
    # In a test half the invented names are ones that no training has shown.
    name = invented_name(r, unseen=test and r.random() < 0.5)
    if r.random() < 0.06:
        name = r.choice(PREFIXES) + " " + name
    return name


# --------------------------------------------------------------------------
# 2. Queries, and the ways to write one
# --------------------------------------------------------------------------

@dataclass(frozen=True)
class Condition:
    """`field` compared with one number (two for `between`)."""
    field: str
    op: str  # gt ge lt le eq between
    low: int
    high: int = 0


@dataclass(frozen=True)
class Query:
    action: str  # list count average total
    things: str
    measured: str = ""  # the field that average and total speak of
    place: str = ""  # "" in or out
    cities: tuple = ()
    name: str = ""
    conditions: tuple = ()
    sort: str = ""
    descending: bool = False
    limit: int = 0


def number(r: random.Random) -> int:
    return r.choices((r.randint(1, 20), r.randint(2, 99), r.randint(100, 999), r.randint(1, 90) * 10,
                      r.randint(1000, 9999)), (22, 38, 20, 15, 5))[0]


def make_query(r: random.Random, test: bool) -> Query:
    """A random Query from the trained (or, for a test, the held-out) ones."""
    while True:
        things = r.choice(list(THINGS))
        fields = THINGS[things][5].split()
        r.shuffle(fields)
        action = r.choices(("list", "count", "average", "total"), (70, 16, 8, 6))[0]
        place, cities = "", ()
        roll = r.random()
        if roll < 0.52:
            place, cities = "in", (some_name(r, CITIES, test),)
        elif roll < 0.64:
            a, b = some_name(r, CITIES, test), some_name(r, CITIES, test)
            if a == b:
                continue
            place, cities = "in", (a, b)
        elif roll < 0.74:
            place, cities = "out", (some_name(r, CITIES, test),)
        name = some_name(r, PEOPLE, test) if r.random() < 0.12 else ""
        conditions = []
        for _ in range(r.choices((0, 1, 2), (22, 52, 26))[0]):
            op = r.choices(("gt", "ge", "lt", "le", "eq", "between"), (28, 16, 22, 12, 11, 11))[0]
            low = number(r)
            high = low + number(r) if op == "between" else 0
            conditions.append(Condition(fields.pop(), op, low, high))
        sort, descending, limit = "", False, 0
        if action == "list":
            roll = r.random()
            if roll < 0.14:
                sort, descending = r.choice(fields), r.random() < 0.55
            elif roll < 0.32:
                sort, descending, limit = r.choice(fields), r.random() < 0.7, r.randint(2, 50)
            elif roll < 0.37:
                limit = r.randint(2, 50)
        measured = r.choice(fields) if action in ("average", "total") else ""
        q = Query(action, things, measured, place, cities, name, tuple(conditions), sort, descending, limit)
        if held_out(plain(q)) == test:
            return q


def joined(parts: list[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + last + parts[-1]


def spaced(*parts: str) -> str:
    return " ".join(p for p in parts if p)


# ---- the English request, in many phrasings --------------------------------

AMOUNTS = {
    "gt": ("more than {n} {f}", "more than {n} {f}", "over {n} {f}", "above {n} {f}", "greater than {n} {f}"),
    "ge": ("at least {n} {f}", "at least {n} {f}", "{n} or more {f}", "no fewer than {n} {f}", "a minimum of {n} {f}"),
    "lt": ("fewer than {n} {f}", "less than {n} {f}", "under {n} {f}", "below {n} {f}"),
    "le": ("at most {n} {f}", "at most {n} {f}", "no more than {n} {f}", "up to {n} {f}", "{n} or fewer {f}"),
    "eq": ("exactly {n} {f}", "exactly {n} {f}", "{n} {f}", "precisely {n} {f}"),
    "between": ("between {n} and {m} {f}", "between {n} and {m} {f}", "{n} to {m} {f}"),
}


def english(q: Query, r: random.Random) -> str:
    """The request as a person may type it."""
    def amount(c: Condition) -> str:
        return r.choice(AMOUNTS[c.op]).format(n=c.low, m=c.high, f=c.field)

    where = ""
    if q.place == "in":
        cities = r.choice((" or ", " or ", " and ")).join(q.cities)
        where = r.choice(("in ", "in ", "in ", "in ", "from ", "from ", "located in ", "based in ", "that are in ")) + cities
    elif q.place == "out":
        where = r.choice(("outside ", "outside ", "not in ", "outside of ", "not from ")) + q.cities[0]
    named = r.choice(("named ", "called ", "with the name ")) + q.name if q.name else ""
    amounts = [amount(c) for c in q.conditions]
    have = r.choice((" and ", " and ", " and ", " but ")).join(amounts)

    if q.action == "count" and r.random() < 0.55 and (where or have):
        if have and r.random() < 0.7:
            return spaced(r.choice(("How many", "How many", "Tell me how many")), q.things, where, named, "have", have) + "?"
        return spaced("How many", q.things, r.choice(("are", "are there")) if where or named else "are there",
                      where, named, "with " + have if have else "") + "?"
    if q.action == "list" and not q.sort and not q.limit and have and r.random() < 0.12:
        return spaced(r.choice(("Which", "Which", "What")), q.things, where, named, "have", have) + "?"

    holding = r.choice(("with ", "with ", "with ", "that have ", "having ")) + have if have else ""
    middle = [where, named, holding]
    if r.random() < 0.25:
        r.shuffle(middle)
    middle = spaced(*middle)
    please = r.choice(("List", "List", "Show", "Show me", "Find", "Find me", "Get", "Get me", "Give me", "Display",
                       "Return", "Fetch", "I want", "I need", "Can you show me", "Please list", "Look up", "Search for",
                       "Can you find", "Print", "Select"))
    the = r.choice(("the", "the", "all", "all the", "all", ""))

    if q.action == "count":
        return spaced(r.choice(("Count", "Count", "What is the number of", "Give me the number of")),
                      r.choice(("the", "the", "all", "")), q.things, middle) + "."
    if q.action in ("average", "total"):
        word = r.choice(("average", "average", "mean") if q.action == "average" else ("total", "total", "combined"))
        ask = r.choice(("What is the", "What is the", "Give me the", "Find the", "Compute the", "Show the"))
        return spaced(ask, word, r.choice(("number of ", "number of ", "")) + q.measured,
                      r.choice(("of", "for", "of", "across")), r.choice(("the", "the", "all", "")), q.things, middle) + "."
    if q.sort and q.limit:
        if r.random() < 0.6:
            rank = r.choice(("top ", "top ", "best ")) if q.descending else r.choice(("bottom ", "lowest "))
            by = "by " + q.sort
            body = [spaced(middle, by), spaced(by, middle), spaced(middle, by)][r.randrange(3)]
            return spaced(please, "the", f"{rank}{q.limit}", q.things, body) + "."
        most = r.choice(("with the most ", "with the most ", "that have the most ")) if q.descending \
            else r.choice(("with the fewest ", "with the fewest ", "that have the fewest "))
        if have and r.random() < 0.5:
            return spaced(please, "the", str(q.limit), q.things, where, named, most + q.sort, "and " + have) + "."
        return spaced(please, "the", str(q.limit), q.things, where, named, most + q.sort,
                      "among those with " + have if have else "") + "."
    if q.limit:
        return spaced(please, r.choice(("the first", "the first", "only", "any", "up to")), str(q.limit), q.things, middle) + "."
    order = ""
    if q.sort:
        order = r.choice((" sorted by ", " sorted by ", " ordered by ", ", sorted by ", ", ordered by ")) + q.sort
        if q.descending:
            order += r.choice((", highest first", " in descending order", " descending", ", most first", " from high to low"))
        else:
            order += r.choice((", lowest first", " in ascending order", " ascending", "", "", " from low to high"))
    return spaced(please, the, q.things, middle) + order + "."


def decorated(prompt: str, r: random.Random) -> str:
    """Small slips of the keyboard: no full stop, no capital, a "please"."""
    if prompt.startswith("What") and r.random() < 0.8:
        prompt = prompt.rstrip(".?") + "?"
    roll = r.random()
    if roll < 0.28:
        prompt = prompt.rstrip(".?")
    elif roll < 0.32:
        prompt = prompt.rstrip(".?") + ", please."
    if r.random() < 0.15 and not prompt.startswith("I "):
        prompt = prompt[0].lower() + prompt[1:]
    return prompt


# ---- the base model's reading ----------------------------------------------

PLAIN_OP = {"gt": "more than {n}", "ge": "at least {n}", "lt": "less than {n}", "le": "at most {n}",
            "eq": "exactly {n}", "between": "between {n} and {m}"}


def plain(q: Query) -> str:
    tests = []
    if q.place:
        tests.append("whose city is " + ("not " if q.place == "out" else "") + " or ".join(q.cities))
    if q.name:
        tests.append("whose name is " + q.name)
    for c in q.conditions:
        tests.append(f"whose number of {c.field} is " + PLAIN_OP[c.op].format(n=c.low, m=c.high))
    whose = " " + joined(tests, " and ") if tests else ""
    one = q.things[:-1]
    if q.action == "count":
        return f"This asks how many {q.things} there are{whose}."
    if q.action == "list":
        text = f"This asks for every {one}{whose}"
        if q.sort:
            text += f", sorted by {q.sort} from " + ("high to low" if q.descending else "low to high")
        if q.limit:
            text += f", but only the first {q.limit}"
        return text + "."
    return f"This asks for the {q.action} number of {q.measured} over every {one}{whose}."


# ---- the eight notations -----------------------------------------------------

SIGN = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "="}


def sql(q: Query) -> str:
    tests = []
    if len(q.cities) == 2:
        tests.append("city IN ('{}', '{}')".format(*q.cities))
    elif q.cities:
        tests.append(f"city {'=' if q.place == 'in' else '<>'} '{q.cities[0]}'")
    if q.name:
        tests.append(f"name = '{q.name}'")
    for c in q.conditions:
        tests.append(f"{c.field} BETWEEN {c.low} AND {c.high}" if c.op == "between" else f"{c.field} {SIGN[c.op]} {c.low}")
    what = {"list": "*", "count": "COUNT(*)", "average": f"AVG({q.measured})", "total": f"SUM({q.measured})"}[q.action]
    text = f"SELECT {what} FROM {q.things}"
    if tests:
        text += " WHERE " + " AND ".join(tests)
    if q.sort:
        text += f" ORDER BY {q.sort} " + ("DESC" if q.descending else "ASC")
    if q.limit:
        text += f" LIMIT {q.limit}"
    return text + ";"


def as_json(q: Query) -> str:
    out: dict = {}
    if q.action in ("list", "count"):
        out["find" if q.action == "list" else "count"] = q.things
    else:
        out[q.action], out["of"] = q.measured, q.things
    where: dict = {}
    if len(q.cities) == 2:
        where["city"] = list(q.cities)
    elif q.cities:
        where["city"] = q.cities[0] if q.place == "in" else {"not": q.cities[0]}
    if q.name:
        where["name"] = q.name
    for c in q.conditions:
        where[c.field] = c.low if c.op == "eq" else {"min": c.low, "max": c.high} if c.op == "between" else {c.op: c.low}
    if where:
        out["where"] = where
    if q.sort:
        out["sort"] = {q.sort: "desc" if q.descending else "asc"}
    if q.limit:
        out["limit"] = q.limit
    return json.dumps(out, ensure_ascii=False)


def python(q: Query) -> str:
    v = q.things[0]
    tests = []
    if len(q.cities) == 2:
        tests.append('{}.city in ("{}", "{}")'.format(v, *q.cities))
    elif q.cities:
        tests.append(f'{v}.city {"==" if q.place == "in" else "!="} "{q.cities[0]}"')
    if q.name:
        tests.append(f'{v}.name == "{q.name}"')
    for c in q.conditions:
        tests.append(f"{c.low} <= {v}.{c.field} <= {c.high}" if c.op == "between"
                     else f"{v}.{c.field} {'==' if c.op == 'eq' else SIGN[c.op]} {c.low}")
    loop = f"for {v} in {q.things}" + (" if " + " and ".join(tests) if tests else "")
    if q.action == "count":
        return f"sum(1 {loop})"
    if q.action in ("average", "total"):
        return f"{'mean' if q.action == 'average' else 'sum'}({v}.{q.measured} {loop})"
    text = f"[{v} {loop}]"
    if q.sort:
        text = f"sorted({text}, key=lambda {v}: {v}.{q.sort}" + (", reverse=True)" if q.descending else ")")
    return text + (f"[:{q.limit}]" if q.limit else "")


def swift(q: Query) -> str:
    tests = []
    if len(q.cities) == 2:
        tests.append('["{}", "{}"].contains($0.city)'.format(*q.cities))
    elif q.cities:
        tests.append(f'$0.city {"==" if q.place == "in" else "!="} "{q.cities[0]}"')
    if q.name:
        tests.append(f'$0.name == "{q.name}"')
    for c in q.conditions:
        tests.append(f"({c.low}...{c.high}).contains($0.{c.field})" if c.op == "between"
                     else f"$0.{c.field} {'==' if c.op == 'eq' else SIGN[c.op]} {c.low}")
    text = q.things + (".filter { " + " && ".join(tests) + " }" if tests else "")
    if q.action == "count":
        return text + ".count"
    if q.action == "total":
        return text + f".map(\\.{q.measured}).reduce(0, +)"
    if q.action == "average":
        return text + f".map(\\.{q.measured}).average()"
    if q.sort:
        text += f".sorted {{ $0.{q.sort} {'>' if q.descending else '<'} $1.{q.sort} }}"
    return text + (f".prefix({q.limit})" if q.limit else "")


def french(q: Query) -> str:
    def of(noun: str) -> str:
        return "d'" + noun if noun[0] in "aeiouéh" else "de " + noun

    things, names = THINGS[q.things][0], {f: v[0] for f, v in FIELDS.items()}
    tests = []
    if q.place:
        tests.append(("à " if q.place == "in" else "hors de ") + " ou ".join(q.cities))
    if q.name:
        tests.append("qui s'appellent " + q.name)
    amounts = [{"gt": "plus de {n} {f}", "ge": "au moins {n} {f}", "lt": "moins de {n} {f}", "le": "au plus {n} {f}",
                "eq": "exactement {n} {f}", "between": "entre {n} et {m} {f}"}[c.op]
               .format(n=c.low, m=c.high, f=names[c.field]) for c in q.conditions]
    if q.sort and q.limit:
        amounts.insert(0, ("le plus " if q.descending else "le moins ") + of(names[q.sort]))
    if amounts:
        tests.append("avec " + " et ".join(amounts))
    tail = spaced(*tests)
    if q.action == "count":
        return spaced("Compte les", things, tail) + "."
    if q.action != "list":
        word = "la moyenne" if q.action == "average" else "le total"
        return spaced("Calcule", word, "des", names[q.measured], "des", things, tail) + "."
    text = spaced("Affiche les", str(q.limit or ""), things, tail)
    if q.sort and not q.limit:
        text += " par ordre " + ("décroissant " if q.descending else "croissant ") + of(names[q.sort])
    return text + "."


def german(q: Query) -> str:
    things = THINGS[q.things][1]
    tests = []
    if q.place:
        tests.append(("in " if q.place == "in" else "außerhalb von ") + " oder ".join(q.cities))
    if q.name:
        tests.append("namens " + q.name)
    amounts = [{"gt": "mehr als {n} {f}", "ge": "mindestens {n} {f}", "lt": "weniger als {n} {f}", "le": "höchstens {n} {f}",
                "eq": "genau {n} {f}", "between": "{n} bis {m} {f}"}[c.op]
               .format(n=c.low, m=c.high, f=FIELDS[c.field][2]) for c in q.conditions]
    if q.sort and q.limit:
        amounts.insert(0, ("den meisten " if q.descending else "den wenigsten ") + FIELDS[q.sort][2])
    if amounts:
        tests.append("mit " + " und ".join(amounts))
    tail = spaced(*tests)
    if q.action == "count":
        return spaced("Zähle die", things, tail) + "."
    if q.action != "list":
        word = "den Durchschnitt" if q.action == "average" else "die Summe"
        return spaced("Berechne", word, "der", FIELDS[q.measured][1], "der", things, tail) + "."
    text = spaced("Zeige die", str(q.limit or ""), things, tail)
    if q.sort and not q.limit:
        text += ", " + ("absteigend" if q.descending else "aufsteigend") + " sortiert nach " + FIELDS[q.sort][2]
    return text + "."


def spanish(q: Query) -> str:
    article, things = THINGS[q.things][2:4]
    names = {f: v[3] for f, v in FIELDS.items()}
    tests = []
    if q.place:
        tests.append(("en " if q.place == "in" else "fuera de ") + " o ".join(q.cities))
    if q.name:
        tests.append("con el nombre " + q.name)
    amounts = [{"gt": "más de {n} {f}", "ge": "al menos {n} {f}", "lt": "menos de {n} {f}", "le": "como máximo {n} {f}",
                "eq": "exactamente {n} {f}", "between": "entre {n} y {m} {f}"}[c.op]
               .format(n=c.low, m=c.high, f=names[c.field]) for c in q.conditions]
    if q.sort and q.limit:
        amounts.insert(0, ("más " if q.descending else "menos ") + names[q.sort])
    if amounts:
        tests.append("con " + " y ".join(amounts))
    tail = spaced(*tests)
    if q.action == "count":
        return spaced("Cuenta", article, things, tail) + "."
    if q.action != "list":
        word = "el promedio" if q.action == "average" else "el total"
        return spaced("Calcula", word, "de", names[q.measured], "de", article, things, tail) + "."
    text = spaced("Muestra", article, str(q.limit or ""), things, tail)
    if q.sort and not q.limit:
        text += ", en orden " + ("descendente" if q.descending else "ascendente") + " de " + names[q.sort]
    return text + "."


def pirate(q: Query) -> str:
    things = THINGS[q.things][4]
    tests = []
    if q.place:
        tests.append({"in1": "in the port o' ", "in2": "in the ports o' ", "out1": "far from the port o' "}
                     [q.place + str(len(q.cities))] + " or ".join(q.cities))
    if q.name:
        tests.append("answerin' to " + q.name)
    amounts = [{"gt": "more'n {n} {f}", "ge": "{n} {f} or more", "lt": "less'n {n} {f}", "le": "no more'n {n} {f}",
                "eq": "{n} {f} on the nose", "between": "betwixt {n} and {m} {f}"}[c.op]
               .format(n=c.low, m=c.high, f=FIELDS[c.field][4]) for c in q.conditions]
    if q.sort and q.limit:
        amounts.insert(0, ("the most " if q.descending else "the fewest ") + FIELDS[q.sort][4])
    if amounts:
        tests.append("with " + " an' ".join(amounts))
    tail = spaced(*tests)
    if q.action == "count":
        return spaced("Arr! Count up the", things, tail) + ", ye scurvy dog!"
    if q.action != "list":
        word = "average" if q.action == "average" else "whole"
        return spaced("Avast! Reckon the", word, "tally o'", FIELDS[q.measured][4], "among the", things, tail) + ", says I!"
    text = spaced("Arr! Bring me the", str(q.limit or ""), things, tail)
    if q.sort and not q.limit:
        text += ", lined up by " + FIELDS[q.sort][4] + (" from the most" if q.descending else " from the fewest")
    return text + ", matey!"


NOTATIONS = {"sql": sql, "json": as_json, "python": python, "swift": swift,
             "french": french, "german": german, "spanish": spanish, "pirate": pirate}

# --------------------------------------------------------------------------
# 3. The base model's tasks
# --------------------------------------------------------------------------


def task_request(r, test):
    q = make_query(r, test)
    return decorated(english(q, r), r), plain(q)


def task_explain(r, test):
    q = make_query(r, test)
    return r.choice(list(NOTATIONS.values()))(q), plain(q)


CUES = {"sql": "SQL", "json": "JSON", "python": "Python", "swift": "Swift", "french": "French", "german": "German",
        "spanish": "Spanish", "pirate": "Pirate"}


def task_named(r, test):
    """A request with the notation named before it: so the base has met all eight, but never gives them unasked."""
    q, name = make_query(r, test), r.choice(list(NOTATIONS))
    return f"{CUES[name]}: {decorated(english(q, r), r)}", NOTATIONS[name](q)


def task_compare(r, test):
    while True:
        a, b, more = *r.sample(range(100), 2), r.random() < 0.5
        big, small = max(a, b), min(a, b)
        if held_out(f"compare {small} {big}") == test:
            break
    ask = r.choice(("Which is {w}, {a} or {b}?", "Which number is {w}, {a} or {b}?", "What is {w}, {a} or {b}?", "Is {a} or {b} {w}?"))
    word = r.choice(("larger", "bigger", "greater") if more else ("smaller", "less"))
    answer = f"{big} is larger than {small}." if more else f"{small} is smaller than {big}."
    return decorated(ask.format(w=word, a=a, b=b), r), answer


SORTABLE = """apple banana cherry date fig grape kiwi lemon mango orange peach pear plum quince raspberry tomato
cat dog fox goat horse lion mouse otter panda rabbit sheep tiger wolf zebra chair door engine flag garden hammer
island jacket kettle ladder needle oven paper river table umbrella violin window""".split()


def task_sort(r, test):
    while True:
        if r.random() < 0.6:
            kind, items = "words", r.sample(SORTABLE, r.randint(2, 4))
            ordered = sorted(items)
        else:
            kind, numbers = "numbers", r.sample(range(100), r.randint(2, 4))
            items, ordered = [str(n) for n in numbers], [str(n) for n in sorted(numbers)]
        if held_out("sort " + " ".join(ordered)) == test:
            break
    listing = r.choice((", ".join(items), joined(items, " and ")))
    ask = r.choice(("Sort the {k} {l}.", "Sort these {k}: {l}.", "Sort {l}.", "Put {l} in order.", "Put the {k} {l} in order."))
    return decorated(ask.format(k=kind, l=listing), r), "In order: " + ", ".join(ordered) + "."


def task_reverse(r, test):
    while True:
        items = r.sample(SORTABLE, r.randint(2, 4))
        if held_out("reverse " + " ".join(items)) == test:
            break
    listing = r.choice((", ".join(items), joined(items, " and ")))
    ask = r.choice(("Reverse the list {}.", "Reverse {}.", "Say {} backwards.", "Reverse the order of {}."))
    return decorated(ask.format(listing), r), "Backwards: " + ", ".join(reversed(items)) + "."


def task_count(r, test):
    while True:
        length = int(math.exp(r.uniform(math.log(3), math.log(75 if not test else 60))))
        a = r.choice((1, r.randint(0, 30), r.randint(0, 99), r.randint(0, 150)))
        b = a + length
        if r.random() < 0.25:
            a, b = b, a
        if held_out(f"count {a} {b}") == test:
            break
    step = 1 if b >= a else -1
    ask = r.choice(("Count from {} to {}.", "Count from {} to {}.", "Count {} from {{}} to {{}}.".format("up" if step > 0 else "down"),
                    "Please count from {} to {}.", "Can you count from {} to {}?"))
    return decorated(ask.format(a, b), r), ", ".join(str(n) for n in range(a, b + step, step)) + "."


CAPITALS = dict(p.split(":") for p in """France:Paris Germany:Berlin Spain:Madrid Italy:Rome Norway:Oslo Austria:Vienna
Portugal:Lisbon Ireland:Dublin Greece:Athens Poland:Warsaw Finland:Helsinki Sweden:Stockholm Denmark:Copenhagen
Belgium:Brussels Japan:Tokyo India:Delhi Egypt:Cairo Kenya:Nairobi Peru:Lima Colombia:Bogota Canada:Ottawa
Australia:Canberra Hungary:Budapest Russia:Moscow China:Beijing Cuba:Havana Chile:Santiago Turkey:Ankara
Iceland:Reykjavik Switzerland:Bern""".split())
OPPOSITES = dict(p.split(":") for p in """hot:cold big:small fast:slow light:dark old:young high:low early:late
happy:sad open:closed full:empty hard:soft near:far rich:poor strong:weak wet:dry loud:quiet long:short thick:thin
clean:dirty left:right up:down true:false good:bad cheap:expensive brave:afraid sweet:sour deep:shallow wide:narrow
heavy:light first:last""".split())
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
FACTS: list[tuple[str, tuple, str]] = []  # (meaning, phrasings, answer)
for _land, _city in CAPITALS.items():
    FACTS.append((f"capital {_land}", tuple(p.replace("@", _land) for p in (
        "What is the capital of @?", "Name the capital of @.", "Tell me the capital of @.", "Which city is the capital of @?",
        "What's the capital of @?", "The capital of @ is?", "What city is the capital of @?", "Do you know the capital of @?",
        "Give me the capital of @.", "Capital of @?", "What is @'s capital?", "I want to know the capital of @.")),
        f"The capital of {_land} is {_city}."))
for _word, _other in OPPOSITES.items():
    FACTS.append((f"opposite {_word}", tuple(p.replace("@", _word) for p in (
        "What is the opposite of @?", "Name the opposite of @.", "Tell me the opposite of @.", "Give me the opposite of @.",
        "What's the opposite of @?", "The opposite of @ is?", "Which word is the opposite of @?", "Do you know the opposite of @?",
        "What word means the opposite of @?", "Opposite of @?", "What is the reverse of @?", "I want to know the opposite of @.")),
        f"The opposite of {_word} is {_other}."))
for _kind, _names in (("day", DAYS), ("month", MONTHS)):
    for _i, _n in enumerate(_names):
        for _rel, _other in (("after", _names[(_i + 1) % len(_names)]), ("before", _names[_i - 1])):
            FACTS.append((f"{_rel} {_n}", tuple(p.replace("@", _n).replace("$", _rel).replace("#", _kind) for p in (
                "What # comes $ @?", "Which # comes $ @?", "What comes $ @?", "Tell me the # $ @.", "What is the # $ @?",
                "Name the # $ @.", "Give me the # $ @.", "Which # is $ @?", "What # is $ @?", "The # $ @ is?",
                "Do you know the # $ @?", "What's the # $ @?")), f"The {_kind} {_rel} {_n} is {_other}."))
TALK = {
    "Hello! Ask me to list, count or sort things, to compare numbers, or to tell a story.":
        ("Hello", "Hello!", "Hi", "Hi!", "Hi there", "Hello there!", "Hey", "Good morning", "Good evening."),
    "I am the small demo model of Heddle. I was trained on made-up data only.":
        ("Who are you?", "What are you?", "Tell me about yourself.", "What is your name?", "Are you a model?"),
    "I read requests for records, compare numbers, sort words, count, and tell stories.":
        ("What can you do?", "What do you do?", "Help", "Help me.", "How can you help me?"),
    "You are welcome.": ("Thanks", "Thanks!", "Thank you", "Thank you!", "Thank you very much."),
}


def task_facts(r, test):
    """A (fact, phrasing) pair; a test asks known facts in pairings never seen."""
    if not test and r.random() < 0.05:
        answer = r.choice(list(TALK))
        return decorated(r.choice(TALK[answer]), r), answer
    while True:
        meaning, phrasings, answer = r.choice(FACTS)
        i = r.randrange(len(phrasings))
        if (crc(f"{meaning} {i}") % 5 < 2) == test:
            return decorated(phrasings[i], r), answer


# word -> (name, home, favourite food, what it is good at)
ANIMALS = {a.split("|")[0]: a.split("|")[1:] for a in """fox|Rusty|a den under an old oak|blackberries|finding the shortest path
bear|Bruno|a cave behind a waterfall|honey|carrying heavy things
owl|Olive|a hollow pine tree|warm seeds|seeing in the dark
rabbit|Pip|a burrow in the meadow|clover|running very fast
cat|Minka|a basket by the stove|cold milk|walking without a sound
dog|Barley|a red wooden house|crunchy bones|following a scent
mouse|Tilly|a hole behind the clock|crumbs of cheese|slipping through cracks
goat|Gus|a barn on the hill|thistles|climbing steep rocks
horse|Bella|a stable near the mill|sweet hay|jumping over fences
duck|Daisy|a nest among the reeds|green pondweed|swimming against the stream
frog|Finn|a lily pad on the pond|juicy flies|leaping over puddles
otter|Otto|a bank by the river|silver fish|diving to the bottom
crow|Corvin|the top of a tall elm|shiny cherries|remembering every road
wolf|Luna|a valley full of mist|mushroom soup|hearing distant voices
hedgehog|Hazel|a heap of autumn leaves|soft apples|rolling into a ball
turtle|Tock|a pool of still water|cabbage|never giving up""".splitlines()}
# place -> (weather on the way, who is met there, what is wrong, what is given)
PLACES = {p.split("|")[0]: p.split("|")[1:] for p in """lighthouse|a storm rolled in from the sea|a keeper with a white beard|the great lamp had gone out|a brass compass
castle|thunder shook the towers|a lonely knight|the gate would not open|a silver key
windmill|the wind stopped all at once|a miller covered in flour|the sails would not turn|a loaf of warm bread
library|rain tapped on every window|a librarian with round glasses|the oldest book was missing|a map of the stars
bridge|fog covered the river|a troll who liked riddles|three stones had fallen away|a bag of blue marbles
harbor|the waves grew tall and grey|a captain with one boot|the ship had lost its anchor|a bottle of sea glass
mountain|snow began to fall|an old climber|the trail was buried deep|a woollen scarf
forest|the moon hid behind the clouds|a woodcutter who sang|the paths had all grown over|a carved flute
garden|the sun burned hot and bright|a gardener with muddy hands|the well had run dry|a packet of seeds
tower|lightning split the sky|a bellringer with a limp|the bell had cracked in two|a small golden bell
market|dust blew through the streets|a baker who had lost her voice|nobody could find the scales|a basket of figs
island|the tide came in too soon|a sailor without a ship|the only boat had a hole|a pearl as big as a plum""".splitlines()}
# mood -> (reason, lesson)
MOODS = {m.split("|")[0]: m.split("|")[1:] for m in """brave|because no door had ever frightened {n}|even the brave are glad of company
shy|because strangers made {n} blush|a quiet voice can do great things
lazy|because {n} loved long naps|a little work makes rest taste better
clever|because {n} knew a trick for everything|the best trick is to ask for help
hungry|because {n} had missed breakfast again|a shared meal is twice as good
tiny|because {n} had stopped growing early|size matters less than heart
old|because {n} had seen sixty winters|nobody is too old for something new
curious|because {n} asked about everything|a good question opens many doors
grumpy|because {n} had slept badly|kindness wakes up the sleepiest smile
lucky|because {n} had once found a clover with four leaves|luck likes those who try
lost|because {n} had taken the wrong turn|a wrong turn can be the right road
young|because {n} was born only last spring|everyone learns by starting""".splitlines()}


def story(mood: str, animal: str, place: str) -> str:
    name, home, food, skill = ANIMALS[animal]
    weather, friend, trouble, gift = PLACES[place]
    reason, lesson = MOODS[mood]
    return (f"Once upon a time there was {an(mood)} {animal} called {name}, who lived in {home}. "
            f"Everybody said that {name} was {mood}, {reason.format(n=name)}. "
            f"One morning {name} packed some {food} and set out for the {place}. "
            f"It was a long way, and before noon {weather}. "
            f"At last {name} stood before the {place} and met {friend}. "
            f"\"Something is wrong here,\" the {place} seemed to say, for {trouble}. "
            f"Now {name} was good at {skill}, and so the two of them set to work together. "
            f"They worked all day and half the night, and they shared the {food} when they were tired. "
            f"When the sun rose again, everything at the {place} was as it should be. "
            f"To say thank you, {friend} gave {name} {gift}. "
            f"{name} carried it all the way home to {home}, and told the tale to anyone who would listen. "
            f"And from that day the {mood} {animal} knew that {lesson}. The end.")


def an(word: str) -> str:
    return ("an " if word[0] in "aeiou" else "a ") + word


def task_story(r, test):
    while True:
        mood, animal, place = r.choice(list(MOODS)), r.choice(list(ANIMALS)), r.choice(list(PLACES))
        if held_out(f"story {mood} {animal} {place}") == test:
            break
    ask = r.choice(("Tell me a story about {} {} and a {}.", "Tell me a story about {} {} and a {}.", "Tell a story about {} {} and the {}.",
                    "Write a story about {} {} and a {}.", "I want a story about {} {} and a {}."))
    ask = ask.format(an(mood), animal, place).replace(" a island", " an island")
    return decorated(ask, r), story(mood, animal, place)


BASE_TASKS = {  # name -> (maker, share of the training examples)
    "request": (task_request, 0.32), "named": (task_named, 0.28), "explain": (task_explain, 0.13),
    "compare": (task_compare, 0.04), "sort": (task_sort, 0.08), "reverse": (task_reverse, 0.04),
    "facts": (task_facts, 0.04), "count": (task_count, 0.05), "story": (task_story, 0.02),
}


def adapter_task(name: str):
    def make(r, test):
        q = make_query(r, test)
        return decorated(english(q, r), r), NOTATIONS[name](q)
    return make


# Prompts shown in the README: their meanings are held out by name.
SAMPLES = [
    ("List the customers in Paris with more than 30 orders.",
     Query("list", "customers", place="in", cities=("Paris",), conditions=(Condition("orders", "gt", 30),))),
    ("Show me the top 5 hotels in Lisbon or Zanderfeld by stars with at least 120 rooms.",
     Query("list", "hotels", place="in", cities=("Lisbon", "Zanderfeld"), conditions=(Condition("rooms", "ge", 120),),
           sort="stars", descending=True, limit=5)),
    ("how many drivers outside Oslo have fewer than 8 fines and over 450 trips",
     Query("count", "drivers", place="out", cities=("Oslo",),
           conditions=(Condition("fines", "lt", 8), Condition("trips", "gt", 450)))),
    ("What is the average number of books of the students named Yorvik?",
     Query("average", "students", measured="books", name="Yorvik")),
    ("Find boats in Hamburg with between 40 and 95 seats, sorted by repairs, lowest first.",
     Query("list", "boats", place="in", cities=("Hamburg",), conditions=(Condition("seats", "between", 40, 95),), sort="repairs")),
]
BASE_SAMPLES = [
    "SELECT COUNT(*) FROM trucks WHERE city = 'Oslo' AND repairs >= 12;",
    "Which is larger, 42 or 17?", "Reverse the list fox, river, mango and table.", "Sort the words violin, apple, otter and lemon.",
    "What is the capital of Norway?", "What day comes after Friday?", "Count from 3 to 40.",
    "Tell me a story about a curious fox and a lighthouse.", "Hello!",
]
SHOWN: set[str] = set()
SHOWN |= {plain(q) for _, q in SAMPLES} | {
    plain(Query("count", "trucks", place="in", cities=("Oslo",), conditions=(Condition("repairs", "ge", 12),))),
    "compare 17 42", "reverse fox river mango table", "sort apple lemon otter violin", "count 3 40", "story curious fox lighthouse"}

# --------------------------------------------------------------------------
# 4. The adapters
# --------------------------------------------------------------------------

ATTENTION, MLP = ["q_proj", "k_proj", "v_proj", "o_proj"], ["gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class AdapterPlan:
    rank: int
    alpha: int
    modules: list = field(default_factory=list)
    steps: int = 300
    rate: float = 4e-3
    dtype: str = "bfloat16"


ADAPTERS = {  # different ranks, scales and projections on purpose: they are to be served in one batch
    "sql": AdapterPlan(8, 16, ATTENTION + MLP),
    "json": AdapterPlan(16, 32, ["q_proj", "v_proj"]),
    "python": AdapterPlan(8, 8, ATTENTION),
    "swift": AdapterPlan(4, 8, ATTENTION + MLP, dtype="float32"),
    "french": AdapterPlan(32, 32, ATTENTION + MLP),
    "german": AdapterPlan(12, 24, ["q_proj", "v_proj", "up_proj", "down_proj"]),
    "spanish": AdapterPlan(16, 16, ["v_proj", "o_proj"] + MLP),
    "pirate": AdapterPlan(8, 16, MLP),
}

# --------------------------------------------------------------------------
# 5. Tokenizer
# --------------------------------------------------------------------------

LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def train_tokenizer(out: Path) -> None:
    """A byte-level BPE with the Llama 3 split.

    Merges are learned from text in which quotes and line ends stand alone, so
    no merge joins them to something else: a name has like pieces with quotes
    around it and without, and a prompt that already ends in a newline has the
    very tokens the model would have produced.  Every number below 1000 is made
    frequent enough to become one token, as in Llama 3.
    """
    import re
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    r = random.Random(SEED)
    makers = [t[0] for t in BASE_TASKS.values()] + [adapter_task(n) for n in NOTATIONS]
    lines = []
    for make in makers:
        for _ in range(1500):
            lines += make(r, False)
    lines += list(TALK) + [p for ps in TALK.values() for p in ps]
    text = [re.sub(r"\d+", " ", line) for line in lines]
    text = [re.sub(r"([\"'.$\\({\[])(?=\w)", r"\1\n", line) for line in text]  # a word after a quote stands alone
    known = [w for n in CITIES + PEOPLE for w in n.split()] + HEADS
    text += [" " + n for n in known for _ in range(150)] + [n for n in known for _ in range(150)]
    text += [str(n) for n in range(1000) for _ in range(150)]

    def pieces():
        for line in text:
            yield from (p for p in line.split("\n") if p)

    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(pieces(), trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[BOS, EOS, PAD], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B",
                                      special_tokens=[(BOS, tok.token_to_id(BOS))])])
    out.mkdir(parents=True, exist_ok=True)
    tok.save(str(out / "tokenizer.json"))
    write_json(out / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": EOS, "pad_token": PAD,
        "clean_up_tokenization_spaces": False, "model_max_length": 1024,
        "added_tokens_decoder": {str(tok.token_to_id(t)): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                                                           "single_word": False, "special": True} for t in (BOS, EOS, PAD)}})
    write_json(out / "special_tokens_map.json", {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD})
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE)


# Every message on a line of its own, as a request and its answer were in training; roles are not told apart.
CHAT_TEMPLATE = """\
{{- bos_token }}
{%- for message in messages %}
    {{- message.content|trim + '\\n' }}
{%- endfor %}
"""


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


class Codec:
    """The tokenizer with the prompt/answer format."""

    def __init__(self, model_dir: Path):
        from tokenizers import Tokenizer
        self.tok = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self.bos, self.eos, self.pad = (self.tok.token_to_id(t) for t in (BOS, EOS, PAD))
        self.newline = self.tok.encode("\n", add_special_tokens=False).ids

    def examples(self, pairs) -> list[tuple[list[int], int]]:
        """(ids, length of the prompt) for each (prompt, answer)."""
        prompts = self.tok.encode_batch([p for p, _ in pairs])
        answers = self.tok.encode_batch([a for _, a in pairs], add_special_tokens=False)
        return [(p.ids + self.newline + a.ids + [self.eos], len(p.ids)) for p, a in zip(prompts, answers)]


# --------------------------------------------------------------------------
# 6. Training
# --------------------------------------------------------------------------


class Progress:
    """One line that updates itself on a terminal, a line now and then elsewhere."""

    def __init__(self, label: str, total: int):
        self.label, self.total, self.start, self.last, self.first = label, total, time.time(), 0.0, 0

    def show(self, done: int, note: str = "") -> None:
        now, tty = time.time(), sys.stderr.isatty()
        if now - self.last < (0.2 if tty else 20) and done < self.total:
            return
        self.last = now
        spent = now - self.start
        left = spent / max(done - self.first, 1) * (self.total - done)
        line = f"{self.label:<18} {done:>6}/{self.total}  {note}  {spent:5.0f} s, {left:5.0f} s left"
        print(("\r\033[K" if tty else "") + line, end="" if tty and done < self.total else "\n", file=sys.stderr, flush=True)


ROW = 320  # tokens in a packed row; no example is longer


def batches(codec: Codec, sample, rows: int):
    """Endless (ids, labels, positions, mask): `rows` rows, each packed with whole examples.

    Packing keeps every step a fair mix of the tasks, whatever their lengths,
    and wastes no work on padding.  The mask keeps the examples of a row apart.
    Only answers are learned: prompts are for the user to write, and the names
    and numbers in them cannot be foreseen, so as targets they are mere noise.
    """
    import torch

    def examples():
        while True:
            drawn = [sample() for _ in range(1024)]
            for ids, prompt in codec.examples(drawn):
                if len(ids) <= ROW:
                    yield ids, prompt

    causal = torch.ones(ROW, ROW, dtype=torch.bool).tril()
    waiting, source = None, examples()
    while True:
        x, y = torch.full((rows, ROW), codec.pad), torch.full((rows, ROW), -100)
        segment, position = torch.zeros(rows, ROW, dtype=torch.long), torch.zeros(rows, ROW, dtype=torch.long)
        used, count = [0] * rows, 0
        while True:
            ids, start = waiting or next(source)
            waiting, n = None, len(ids)
            row = next((i for i in range(rows) if used[i] + n <= ROW), None)
            if row is None:
                waiting = ids, start
                break
            at, count = used[row], count + 1
            used[row] = at + n
            x[row, at:at + n] = torch.tensor(ids)
            y[row, at + start:at + n] = torch.tensor(ids[start:])
            segment[row, at:at + n] = count
            position[row, at:at + n] = torch.arange(n)
        yield x, y, position, ((segment[:, :, None] == segment[:, None, :]) & causal)[:, None]


def schedule(step: int, steps: int) -> float:
    """Linear warm-up, then level, then a straight fall to 1 % of the top rate over the last three quarters."""
    return min((step + 1) / min(60, steps / 5 + 1), 1.0, 0.01 + 0.99 * (steps - step) / (0.75 * steps))


def optimise(model, feed, steps: int, rate: float, label: str, muon: float = 0.0, saved: Path | None = None) -> float:
    """Train with bf16 matrix products over f32 parameters. Returns the mean loss at the end.

    AdamW at `rate`; with `muon`, the inner matrices by Muon at that rate
    instead.

    With `saved` the state is kept in that file now and then, and training goes
    on from there if the file exists, over the same batches as without a stop.
    """
    import torch

    params = [p for p in model.parameters() if p.requires_grad]
    inner = [p for k, p in model.named_parameters() if p.requires_grad and muon and p.ndim == 2 and "embed" not in k]
    chosen = {id(p) for p in inner}
    opts = [torch.optim.AdamW([p for p in params if id(p) not in chosen], lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
    if inner:
        opts.append(torch.optim.Muon(inner, lr=muon, momentum=0.95, weight_decay=0.01))
    tops = [[g["lr"] for g in opt.param_groups] for opt in opts]
    model.train()
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    progress, mean, first = Progress(label, steps), None, 0
    if saved and saved.exists():
        state = torch.load(saved)
        model.load_state_dict(state["model"])
        for opt, kept in zip(opts, state["opts"]):
            opt.load_state_dict(kept)
        first, mean = state["step"], state["mean"]
        for _ in range(first):
            next(feed)
        progress.first = first
    for step in range(first, steps):
        x, y, position, mask = next(feed)
        for opt, rates in zip(opts, tops):
            for group, top in zip(opt.param_groups, rates):
                group["lr"] = top * schedule(step, steps)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            learned = y[:, 1:] != -100  # only these positions need logits
            states = core.model(input_ids=x, position_ids=position, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1][learned]
            logits = core.lm_head(states)
        loss = torch.nn.functional.cross_entropy(logits.float(), y[:, 1:][learned])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        value = loss.item()
        if not math.isfinite(value):
            raise SystemExit(f"{label}: the loss is {value} at step {step}")
        mean = value if mean is None else 0.97 * mean + 0.03 * value
        progress.show(step + 1, f"loss {mean:.4f}")
        if saved and (step + 1) % 250 == 0:
            torch.save({"model": model.state_dict(), "opts": [o.state_dict() for o in opts], "step": step + 1, "mean": mean}, saved)
    if saved:
        saved.unlink(missing_ok=True)
    return mean


def train_base(out: Path, steps: int, rows: int, rate: float) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    codec = Codec(out)
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=codec.tok.get_vocab_size(), hidden_size=256, intermediate_size=704, num_hidden_layers=4,
        num_attention_heads=8, num_key_value_heads=4, head_dim=32, max_position_embeddings=1024, tie_word_embeddings=True,
        rms_norm_eps=1e-5, rope_theta=10000.0, initializer_range=0.03, bos_token_id=codec.bos, eos_token_id=codec.eos, pad_token_id=codec.pad)
    model = LlamaForCausalLM(config)
    r = random.Random(SEED + 1)
    names, shares = list(BASE_TASKS), [s for _, s in BASE_TASKS.values()]

    def sample():
        return BASE_TASKS[r.choices(names, shares)[0]][0](r, False)

    optimise(model, batches(codec, sample, rows), steps, rate, "base model", 0.012, out / "unfinished.pt")
    save_base(model, out, codec)


def save_base(model, out: Path, codec: Codec) -> None:
    import torch

    model = model.to(torch.bfloat16)
    for old in out.glob("model*.safetensors*"):
        old.unlink()
    model.generation_config.bos_token_id, model.generation_config.eos_token_id = codec.bos, codec.eos
    model.generation_config.pad_token_id = codec.pad
    model.generation_config.do_sample = False
    model.save_pretrained(out, max_shard_size="6MB")
    # Newer transformers nest or rename two entries; readers of Llama checkpoints
    # look for the older names as well, so the file has both.
    config = json.loads((out / "config.json").read_text())
    config["rope_theta"], config["torch_dtype"] = 10000.0, "bfloat16"
    write_json(out / "config.json", config)


def load_base(out: Path, dtype=None):
    import torch
    from transformers import LlamaForCausalLM
    return LlamaForCausalLM.from_pretrained(out, dtype=dtype or torch.float32)


def train_adapter(name: str, model_dir: Path, out: Path, scale: float, rows: int) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    plan, codec = ADAPTERS[name], Codec(model_dir)
    torch.manual_seed(SEED)
    base = load_base(model_dir)
    model = get_peft_model(base, LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, target_modules=plan.modules, lora_dropout=0.0, bias="none",
        task_type="CAUSAL_LM", base_model_name_or_path=BASE_NAME))
    r, make = random.Random(SEED + 2 + list(ADAPTERS).index(name)), adapter_task(name)
    steps = max(3, int(plan.steps * scale))
    optimise(model, batches(codec, lambda: make(r, False), rows), steps, plan.rate, "adapter " + name)
    for key, p in model.named_parameters():
        if "lora_" in key:
            p.data = p.data.to(getattr(torch, plan.dtype))
    model.peft_config["default"].base_model_name_or_path = BASE_NAME
    shutil.rmtree(out / name, ignore_errors=True)
    model.save_pretrained(out / name)
    (out / name / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    path = out / name / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = BASE_NAME
    config["target_modules"] = sorted(config["target_modules"])  # PEFT keeps a set: fix the order
    write_json(path, config)


# --------------------------------------------------------------------------
# 7. Evaluation
# --------------------------------------------------------------------------


def answers(model, codec: Codec, prompts: list[str], limit: int, batch: int = 125, label: str = "") -> list[str | None]:
    """Greedy answers; None where the model did not reach the end token."""
    import torch

    out: list = [None] * len(prompts)
    coded = [e.ids for e in codec.tok.encode_batch(prompts)]
    order = sorted(range(len(prompts)), key=lambda i: len(coded[i]))
    progress = Progress(label, len(prompts))
    model.eval()
    for at in range(0, len(order), batch):
        group = order[at:at + batch]
        width = max(len(coded[i]) for i in group)
        x = torch.full((len(group), width), codec.pad)
        mask = torch.zeros_like(x)
        for row, i in enumerate(group):
            x[row, width - len(coded[i]):] = torch.tensor(coded[i])
            mask[row, width - len(coded[i]):] = 1
        with torch.no_grad():
            y = model.generate(input_ids=x, attention_mask=mask, max_new_tokens=limit, do_sample=False,
                               eos_token_id=codec.eos, pad_token_id=codec.pad)
        for row, i in enumerate(group):
            ids = y[row, width:].tolist()
            if codec.eos in ids:
                text = codec.tok.decode(ids[:ids.index(codec.eos)], skip_special_tokens=False)
                out[i] = text[1:] if text.startswith("\n") else text
        progress.show(at + len(group))
    return out


def test_set(make, n: int, seed: int) -> list[tuple[str, str]]:
    """`n` different held-out prompts with their answers."""
    r, seen = random.Random(SEED + seed), {}
    while len(seen) < n:
        prompt, answer = make(r, True)
        seen.setdefault(prompt, answer)
    return list(seen.items())


def write_held_out(path: Path, n: int) -> None:
    """`n` held-out prompts of each base task and their answers, as the model writes them: for `heddle bench accuracy`."""
    pairs = [pair for i, (make, _) in enumerate(BASE_TASKS.values()) for pair in test_set(make, n, 300 + i)]
    lines = (json.dumps({"prompt": p, "completion": f"\n{a}{EOS}"}, ensure_ascii=False) + "\n" for p, a in pairs)
    path.write_text("".join(lines))


def score(got: list, want: list) -> float:
    return round(sum(g == w for g, w in zip(got, want)) / len(want), 4)


def evaluate(out: Path, n: int) -> dict:
    import torch
    from peft import PeftModel

    codec, adapters = Codec(out / "model"), out / "adapters"
    base = load_base(out / "model")
    for key, p in base.named_parameters():
        if not torch.isfinite(p).all():
            raise SystemExit(f"{key} is not finite")
    report: dict = {
        "what": "exact match of greedy answers with the reference, f32 computation over the stored weights; every prompt has a "
                "meaning that no training example had", "n_per_task": n, "base": {}, "adapters": {}}
    misses: dict = {}
    for i, (task, (make, _)) in enumerate(BASE_TASKS.items()):
        pairs = test_set(make, n, 100 + i)
        got = answers(base, codec, [p for p, _ in pairs], 400 if task in ("count", "story") else 110, label="base " + task)
        want = [a for _, a in pairs]
        report["base"][task] = score(got, want)
        misses["base " + task] = [(p, w, g) for (p, w), g in zip(pairs, got) if g != w][:3]
    report["base_total"] = round(sum(report["base"].values()) / len(BASE_TASKS), 4)

    # One set of held-out requests for all adapters: same prompts, eight references.
    r, queries, prompts = random.Random(SEED + 200), [], []
    while len(prompts) < n:
        q = make_query(r, True)
        prompt = decorated(english(q, r), r)
        if prompt not in prompts:
            queries.append(q)
            prompts.append(prompt)
    known = {w.lower() for n in CITIES + PEOPLE + list(PREFIXES) for w in n.split()}
    novel = [i for i, q in enumerate(queries) if any(
        crc("name " + w.lower()) % 10 == 0 for w in " ".join(q.cities + (q.name,)).split() if w.lower() not in known)]
    base_got = answers(base, codec, prompts, 110, label="base on requests")
    report["unseen_names_n"] = len(novel)
    report["samples"] = [{"prompt": p, "reference_base": plain(q), "base": None, "adapters": {}} for p, q in SAMPLES]
    sample_prompts = [p for p, _ in SAMPLES]
    for s, g in zip(report["samples"], answers(base, codec, sample_prompts, 110, batch=1)):
        s["base"] = g
    report["base_samples"] = [{"prompt": p, "answer": g} for p, g in
                              zip(BASE_SAMPLES, answers(base, codec, BASE_SAMPLES, 600, batch=1))]
    for name in ADAPTERS:
        if not (adapters / name).is_dir():
            continue
        model = PeftModel.from_pretrained(load_base(out / "model"), adapters / name).float()
        want = [NOTATIONS[name](q) for q in queries]
        got = answers(model, codec, prompts, 110, label="adapter " + name)
        report["adapters"][name] = {
            "rank": ADAPTERS[name].rank, "alpha": ADAPTERS[name].alpha, "target_modules": ADAPTERS[name].modules,
            "dtype": ADAPTERS[name].dtype, "accuracy": score(got, want),
            "accuracy_with_unseen_names": score([got[i] for i in novel], [want[i] for i in novel]),
            "base_on_this_task": score(base_got, want)}
        misses[name] = [(p, w, g) for p, w, g in zip(prompts, want, got) if g != w][:3]
        for s, (p, q), g in zip(report["samples"], SAMPLES, answers(model, codec, sample_prompts, 110, batch=1)):
            s["adapters"][name] = {"answer": g, "correct": g == NOTATIONS[name](q)}
    scores = [a["accuracy"] for a in report["adapters"].values()]
    report["adapters_total"] = round(sum(scores) / max(1, len(scores)), 4)
    report["misses"] = {k: [{"prompt": p, "reference": w, "answer": g} for p, w, g in v] for k, v in misses.items() if v}
    write_json(out / "EVALUATION.json", report)
    return report


def summary(report: dict) -> str:
    lines = [f"base {t:<12} {s:7.2%}" for t, s in report["base"].items()] + [f"base, all tasks   {report['base_total']:7.2%}"]
    for name, a in report["adapters"].items():
        lines.append(f"{name:<17} {a['accuracy']:7.2%}   unseen names {a['accuracy_with_unseen_names']:7.2%}   "
                     f"base alone {a['base_on_this_task']:7.2%}")
    return "\n".join(lines)


# --------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--stage", choices=("all", "tokenizer", "base", "adapters", "held-out", "evaluate"), default="all")
    parser.add_argument("--only", choices=tuple(ADAPTERS), nargs="*", help="with --stage adapters: only these")
    parser.add_argument("--quick", action="store_true", help="a smoke run: a few steps of everything; the answers will be nonsense")
    parser.add_argument("--steps", type=int, default=7000, help="training steps of the base")
    parser.add_argument("--rows", type=int, default=6, help=f"rows of {ROW} tokens per step of the base")
    parser.add_argument("--rate", type=float, default=4e-3, help="top learning rate of the base")
    parser.add_argument("--n", type=int, default=500, help="held-out prompts per task")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if args.quick and args.out == Path(__file__).resolve().parent:
        parser.error("--quick would overwrite the committed model: give it an --out of its own")
    if args.stage in ("all", "held-out"):
        write_held_out(args.out / "held-out.jsonl", 20)
        if args.stage == "held-out":
            return
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads sleep: kinder to, and faster beside, other work
    import torch
    torch.set_num_threads(args.threads)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    began, model_dir, adapter_dir = time.time(), args.out / "model", args.out / "adapters"
    everything = args.stage == "all"
    if everything or args.stage == "tokenizer":
        train_tokenizer(model_dir)
    if everything or args.stage == "base":
        train_base(model_dir, 20 if args.quick else args.steps, args.rows, args.rate)
    if everything or args.stage == "adapters":
        for name in args.only or ADAPTERS:
            train_adapter(name, model_dir, adapter_dir, 0.01 if args.quick else 1.0, 6)
    if everything or args.stage == "evaluate":
        print(summary(evaluate(args.out, 8 if args.quick else args.n)))
    print(f"{time.time() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
