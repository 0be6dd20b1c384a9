"""Writes schemas.jsonl: seeded random JSON Schemas of the served subset, with texts that are valid and texts that are not.

What is valid is decided by the `jsonschema` package, never by Heddle. Each line is
{"schema": ..., "valid": [texts], "invalid": [texts]}. Valid texts are written as Docs/STRUCTURED.md says that answers are:
members in the schema's order with those that it does not name last, strings as json.dumps(ensure_ascii=False) writes them.

    pip install jsonschema==4.26.0 rfc3339-validator==0.1.4
    python make_goldens.py > schemas.jsonl
"""
import json
import random
import re
import sys

from jsonschema import Draft202012Validator

FORMATS = {
    "date": lambda r: "%04d-%02d-%02d" % (r.randint(1, 9999), r.randint(1, 12), r.randint(1, 28)),
    "time": lambda r: "%02d:%02d:%02d%s%s" % (
        r.randint(0, 23), r.randint(0, 59), r.randint(0, 59), r.choice(["", ".5", ".123456"]),
        r.choice(["Z", "+02:00", "-11:30"])),
    "date-time": lambda r: FORMATS["date"](r) + "T" + FORMATS["time"](r),
    "uuid": lambda r: "-".join("".join(r.choice("0123456789abcdef") for _ in range(n)) for n in (8, 4, 4, 4, 12)),
    "email": lambda r: r.choice(["a", "jo.ann", "x+y", "z_9"]) + "@" + r.choice(["a.b", "mail.example.com", "x-1.org"]),
    "ipv4": lambda r: ".".join(str(r.randint(0, 255)) for _ in range(4)),
    "ipv6": lambda r: r.choice(["::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "2001:db8::ff00:42:8329", "::ffff:10.0.0.1"]),
}
# Each with a way to write texts that match it.
PATTERNS = [
    ("^[a-z]{2,5}$", lambda r: word(r, "abcxyz", 2, 5)),
    ("^\\d{3}-\\d{4}$", lambda r: "%03d-%04d" % (r.randint(0, 999), r.randint(0, 9999))),
    ("[0-9]+", lambda r: word(r, "ab\"é", 0, 3) + str(r.randint(0, 99)) + word(r, "ab\n", 0, 2)),
    ("^(red|green|blue)$", lambda r: r.choice(["red", "green", "blue"])),
    ("^[A-Z][a-zé]*( [A-Z][a-z]*)?$", lambda r: r.choice(["A", "Bé", "Anna Lee", "Zoé B"])),
    ("^\\S+@\\S+$", lambda r: r.choice(["a@b", "ü@x\"y", "1@2"])),
    ("^a.c", lambda r: "a" + r.choice("bx€😀\\\"") + "c" + word(r, "de", 0, 3)),
    ("x$", lambda r: word(r, "abx", 0, 4) + "x"),
    ("^(?:[a-f0-9]{2}:){2}[a-f0-9]{2}$", lambda r: ":".join(word(r, "0af9", 2, 2) for _ in range(3))),
    ("^[^\\s\"/]+$", lambda r: word(r, "aé\\~", 1, 5)),
]
LETTERS = "abcdefgh é\"\\/\n\t€😀0"
KEYS = ["name", "id", "a", "ab", "abc", "items", "é", "a/b", "x~y", "quo\"te", "", "value", "kind", "n"]


def word(r, letters, least, most):
    return "".join(r.choice(letters) for _ in range(r.randint(least, most)))


def any_value(r, depth=0):
    kinds = ["null", "bool", "int", "real", "str"] + ([] if depth > 2 else ["list", "dict"])
    kind = r.choice(kinds)
    if kind == "null": return None
    if kind == "bool": return r.random() < 0.5
    if kind == "int": return r.randint(-1000, 1000)
    if kind == "real": return r.choice([0.5, -1.25, 1e-07, 1.5e16, 3.0, 123456.789])
    if kind == "str": return word(r, LETTERS, 0, 6)
    if kind == "list": return [any_value(r, depth + 1) for _ in range(r.randint(0, 3))]
    return {word(r, "pqrst", 1, 3): any_value(r, depth + 1) for _ in range(r.randint(0, 3))}


class Maker:
    """One schema; `definitions` are what it may refer to."""

    def __init__(self, r):
        self.r = r
        self.definitions = {}

    def schema(self, depth=0):
        r = self.r
        leaves = [self.string, self.number, self.enumeration, self.simple]
        nests = [self.object, self.object, self.array, self.tuple, self.any_of, self.one_of, self.all_of, self.ref]
        make = r.choice(leaves + (nests if depth < 3 else []) if depth else nests)
        schema = make(depth)
        if isinstance(schema, dict) and r.random() < 0.2:
            schema = {"title": "T", "description": "Says nothing.", **schema}
        return schema

    def simple(self, depth):
        r = self.r
        kind = r.choice(["null", "boolean", "integer", "number", "string", "list", "true", "empty", "array", "object"])
        if kind == "list": return {"type": r.sample(["null", "boolean", "integer", "number", "string"], 2)}
        if kind == "true": return True
        if kind == "empty": return {}
        return {"type": kind}

    def string(self, depth):
        r = self.r
        kind = r.randint(0, 4)
        if kind == 0:
            least = r.randint(0, 4)
            return {"type": "string", "minLength": least, "maxLength": least + r.randint(0, 5)}
        if kind == 1: return {"type": "string", r.choice(["minLength", "maxLength"]): r.randint(0, 6)}
        if kind == 2: return {"type": "string", "format": r.choice(sorted(FORMATS))}
        if kind == 3: return {"type": "string", "pattern": r.choice(PATTERNS)[0]}
        return {"type": "string", "pattern": r.choice(PATTERNS)[0], "maxLength": r.randint(8, 12)}

    def number(self, depth):
        r = self.r
        schema = {"type": r.choice(["integer", "number"])}
        low = r.choice([r.randint(-200, 200), r.randint(-20, 20) / 8, r.randint(-10**9, 10**9)])
        if r.random() < 0.7: schema[r.choice(["minimum", "exclusiveMinimum"])] = low
        if r.random() < 0.7: schema[r.choice(["maximum", "exclusiveMaximum"])] = low + r.choice([2, 7.5, 100, 12345])
        return schema

    def enumeration(self, depth):
        r = self.r
        values = [any_value(r, 1) for _ in range(r.randint(1, 4))]
        return {"const": values[0]} if r.random() < 0.3 else {"enum": values}

    def object(self, depth):
        r = self.r
        names = r.sample(KEYS, r.randint(0, 5))
        schema = {"type": "object", "properties": {name: self.schema(depth + 1) for name in names}}
        if names and r.random() < 0.7: schema["required"] = r.sample(names, r.randint(1, len(names)))
        more = r.randint(0, 3)
        if more: schema["additionalProperties"] = [None, False, self.schema(depth + 1), True][more]
        return schema

    def array(self, depth):
        r = self.r
        schema = {"type": "array", "items": self.schema(depth + 1)}
        if r.random() < 0.5: schema["minItems"] = r.randint(0, 3)
        if r.random() < 0.5: schema["maxItems"] = schema.get("minItems", 0) + r.randint(0, 3)
        return schema

    def tuple(self, depth):
        r = self.r
        schema = {"type": "array", "prefixItems": [self.schema(depth + 1) for _ in range(r.randint(1, 3))]}
        if r.random() < 0.6: schema["items"] = r.choice([False, self.schema(depth + 1)])
        if r.random() < 0.5: schema["minItems"] = r.randint(0, 4)
        return schema

    def any_of(self, depth):
        return {"anyOf": [self.schema(depth + 1) for _ in range(self.r.randint(1, 3))]}

    def one_of(self, depth):
        r = self.r
        if r.random() < 0.5: return {"oneOf": [self.array(depth + 1), {"type": "string"}, {"type": "null"}]}
        kinds = r.sample(["cat", "dog", "fox"], 2)
        return {"oneOf": [
            {"type": "object", "properties": {"kind": {"const": kind}, "value": self.schema(depth + 1)},
             "required": ["kind"], "additionalProperties": False} for kind in kinds]}

    def all_of(self, depth):
        return {"allOf": [self.object(depth + 1), {"required": [self.r.choice(KEYS)]}, {"type": ["object", "null"]}]}

    def ref(self, depth):
        r = self.r
        name = r.choice(["tree", "node", "leaf"])
        if name not in self.definitions:
            self.definitions[name] = True
            self.definitions[name] = {
                "tree": lambda: {"type": "object", "properties": {
                    "value": self.schema(depth + 1), "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}},
                "node": lambda: {"anyOf": [{"type": "null"}, {
                    "type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
                    "required": ["n", "next"], "additionalProperties": False}]},
                "leaf": lambda: self.schema(depth + 1),
            }[name]()
        return {"$ref": "#/$defs/" + name}


class Writer:
    """Makes values that a schema should like; whether it does is for the validator to say."""

    def __init__(self, r, root):
        self.r = r
        self.root = root

    def value(self, schema, depth=0):
        r = self.r
        if not isinstance(schema, dict) or not schema or depth > 12: return any_value(r, 1)
        if "$ref" in schema: return self.value(self.root["$defs"][schema["$ref"].split("/")[-1]], depth + 1)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema: return self.value(r.choice(schema[keyword]), depth + 1)
        if "allOf" in schema:
            merged = {"properties": {}, "required": []}
            for part in schema["allOf"]:
                merged["properties"].update(part.get("properties", {}))
                merged["required"] += part.get("required", [])
                for keyword in ("additionalProperties",):
                    if keyword in part: merged[keyword] = part[keyword]
            return self.value({"type": "object", **merged}, depth)
        if "const" in schema: return schema["const"]
        if "enum" in schema: return r.choice(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, list): kind = r.choice(kind)
        if kind is None: return any_value(r, 1)
        return getattr(self, kind)(schema, depth)

    def null(self, schema, depth): return None
    def boolean(self, schema, depth): return self.r.random() < 0.5

    def integer(self, schema, depth):
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        if low is None: low = -1000 if high is None else high - 1000
        if high is None: high = low + 1000
        return self.r.choice([int(low), int(high), int(low) + 1, int(high) - 1, self.r.randint(int(low), int(high))])

    def number(self, schema, depth):
        whole = self.integer(schema, depth)
        return self.r.choice([whole, whole + 0.5, whole - 0.125, round(whole + self.r.random(), 3)])

    def string(self, schema, depth):
        r = self.r
        if "format" in schema: return FORMATS[schema["format"]](r)
        for pattern, write in PATTERNS:
            if schema.get("pattern") == pattern: return write(r)
        least = schema.get("minLength", 0)
        return word(r, LETTERS, least, schema.get("maxLength", least + 8))

    def array(self, schema, depth):
        prefix = schema.get("prefixItems", [])
        least = schema.get("minItems", 0)
        count = self.r.randint(least, max(least, min(schema.get("maxItems", 99), least + 2 + len(prefix))))
        rest = schema.get("items", {})
        if rest is False: count = min(count, len(prefix))
        return [self.value(prefix[i] if i < len(prefix) else rest, depth + 1) for i in range(count)]

    def object(self, schema, depth):
        r = self.r
        result = {}
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        rest = schema.get("additionalProperties", {})
        share = 0.6 / (1 + depth / 3)
        for name in list(properties) + [name for name in required if name not in properties]:
            if name in required or r.random() < share:
                result[name] = self.value(properties.get(name, rest), depth + 1)
        if rest is not False:
            for _ in range(r.randint(0, 2)):
                name = word(r, "pqrst\"é", 1, 4)
                if name not in properties and name not in required: result[name] = self.value(rest, depth + 1)
        return result


def written(r, value):
    style = r.randint(0, 3)
    if style == 0: return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if style == 1: return json.dumps(value, ensure_ascii=False, indent=2)
    return json.dumps(value, ensure_ascii=False)


def served(value):
    """Whether numbers are written within the documented lengths."""
    if isinstance(value, float): return re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,2})?", json.dumps(value)) is not None
    if isinstance(value, list): return all(map(served, value))
    if isinstance(value, dict): return all(map(served, value.values()))
    return True




def main():
    seed, count = 20261128, 500
    checker = Draft202012Validator.FORMAT_CHECKER
    written_count = 0
    number = 0
    pool = []
    while written_count < count:
        r = random.Random(seed * 1000 + number)
        number += 1
        maker = Maker(r)
        schema = maker.schema()
        if not isinstance(schema, dict): continue
        if maker.definitions: schema = {**schema, "$defs": maker.definitions}
        if len(json.dumps(schema)) > 2500: continue
        validator = Draft202012Validator(schema, format_checker=checker)
        writer = Writer(r, schema)
        valid, invalid = [], []
        for _ in range(40):
            try:
                value = writer.value(schema)
                text = written(r, value)
                good = validator.is_valid(value)
            except RecursionError:
                continue
            if len(text) > 600 or not served(value): continue
            if good and len(valid) < 4: valid.append(text)
            elif not good and len(invalid) < 3: invalid.append(text)
        if not valid: continue
        for text in r.sample(pool, min(3, len(pool))):
            try:
                if not validator.is_valid(json.loads(text)): invalid.append(text)
            except RecursionError:
                valid.clear()
        if not valid: continue
        pool = (pool + valid)[-200:]
        print(json.dumps({"schema": json.dumps(schema, ensure_ascii=False), "valid": valid, "invalid": invalid},
                         ensure_ascii=False))
        written_count += 1
    print(f"{number} tried", file=sys.stderr)


if __name__ == "__main__":
    main()
