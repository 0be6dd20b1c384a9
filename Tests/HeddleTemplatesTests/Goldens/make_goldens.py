"""Makes the goldens of HeddleTemplates with Python's Jinja2 in the environment of transformers' chat templates.

    python make_goldens.py            writes snippets.jsonl, chats.jsonl, sources.jsonl beside this file

Needs transformers 5.23, jinja2 3.1.6 and tokenizers. Everything is seeded: the same versions write the same bytes.
"""
import copy
import datetime
import json
import pathlib
import random
import resource
import signal
import sys
import tempfile
import warnings

import jinja2
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

import chat_cases
import snippets

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 3, 7, 9, 5, 3, 42)


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = FixedTime
warnings.simplefilter("ignore")


def kind(error):
    """The name that Heddle has for an error of Python's."""
    if isinstance(error, jinja2.exceptions.TemplateSyntaxError):
        return "syntax"
    if isinstance(error, jinja2.exceptions.SecurityError):
        return "security"
    if isinstance(error, jinja2.exceptions.UndefinedError):
        return "undefined"
    if isinstance(error, jinja2.exceptions.TemplateRuntimeError):
        return "runtime"
    if type(error) is jinja2.exceptions.TemplateError:
        return "raised"
    for name, classes in (
        ("syntax", SyntaxError), ("zeroDivision", ZeroDivisionError), ("overflow", OverflowError),
        ("lookup", LookupError), ("type", (TypeError, AttributeError)), ("value", (ValueError, AssertionError)),
        ("runtime", RuntimeError),
    ):
        if isinstance(error, classes):
            return name
    raise error


class TooLong(BaseException):
    pass


def alarm(*_):
    raise TooLong


signal.signal(signal.SIGALRM, alarm)
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


def outcome(render):
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        text = render()
    except (TooLong, MemoryError, RecursionError):
        return {}
    except Exception as error:  # noqa: BLE001
        result = {"error": kind(error)}
        if result["error"] in ("undefined", "raised", "security"):
            result["message"] = str(error)
        return result
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {"text": text}


def is_usable(result):
    """Neither what Python cannot end, nor what shows addresses, nor what UTF-8 cannot hold can be compared."""
    if not result or len(result.get("text", "")) > 4000:
        return False
    text = result.get("text", "") + result.get("message", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return " at 0x" not in text and "<function" not in text and "<built-in" not in text


def write(name, rows):
    with open(HERE / name, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def make_snippets():
    rows = [{"variables": snippets.VARIABLES}]
    seen = set()
    for source in snippets.all_sources(random.Random(20260307)):
        if source in seen:
            continue
        seen.add(source)

        def render():
            # A filter of Jinja2 changes a list in place.
            return chat_template_utils._compile_jinja_template(source).render(**copy.deepcopy(snippets.VARIABLES))

        result = outcome(render)
        if is_usable(result):
            rows.append({"source": source, **result})
    write("snippets.jsonl", rows)


def tokenizer(special):
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **special)


def make_chats():
    rows = []
    for name, (source, special) in chat_cases.TEMPLATES.items():
        rows.append({"template": name, "source": source, "special": special})
        own = tokenizer(special)
        for case in chat_cases.cases(name, random.Random("chats" + name)):
            arguments = {key: case[key] for key in ("tools", "documents") if key in case}

            def render():
                return own.apply_chat_template(
                    case["messages"], chat_template=source, tokenize=False,
                    add_generation_prompt=case.get("prompt", False), **arguments, **case.get("extra", {}))

            rows.append({**case, **outcome(render)})
    write("chats.jsonl", rows)


def make_sources():
    """Which template and which special tokens a folder's files give, as transformers reads them."""
    rows = []
    for files in chat_cases.folders():
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                place = pathlib.Path(folder, path)
                place.parent.mkdir(exist_ok=True)
                place.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            pathlib.Path(folder, "tokenizer.json").write_text(Tokenizer(models.BPE()).to_str())
            try:
                own = PreTrainedTokenizerFast.from_pretrained(folder)
            except TypeError:
                continue
            row = {"files": files, "special": own.special_tokens_map}
            for key, tools in (("plain", None), ("tools", [{"type": "function"}])):
                try:
                    row[key] = own.get_chat_template(tools=tools)
                except ValueError:
                    row[key] = None
            rows.append(row)
    write("sources.jsonl", rows)


if __name__ == "__main__":
    for make in (make_snippets, make_chats, make_sources):
        if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
            make()
