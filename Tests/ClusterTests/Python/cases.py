"""Runs the functions of a module whose names begin with `case_`, one after the other, and says which failed and why.

A case gets what it needs from the environment: HEDDLE_URL, HEDDLE_KEY, HEDDLE_OTHER_KEY and what its module asks for.
"""
import inspect
import os
import sys
import traceback

URL = os.environ.get("HEDDLE_URL", "")
KEY = os.environ.get("HEDDLE_KEY", "")
OTHER_KEY = os.environ.get("HEDDLE_OTHER_KEY", "")
PROMPT = "List the customers in Paris with more than 30 orders."
SQL = "SELECT * FROM customers WHERE city = 'Paris' AND orders > 30;"
MESSAGES = [{"role": "user", "content": PROMPT}]


def run(module):
    found = [(name, body) for name, body in inspect.getmembers(module, inspect.isfunction) if name.startswith("case_")]
    wanted = sys.argv[1:]
    failed = 0
    for name, body in found:
        if wanted and name not in wanted:
            continue
        try:
            body()
            print(f"passed {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(found)} cases, {failed} failed", flush=True)
    sys.exit(1 if failed or not found else 0)


def raises(kind, body):
    """The exception of this kind that the body must end in."""
    try:
        body()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
