"""The client in Docs/SOCKET.md, word for word, at a running mesh: streams, flow control, cancel, resume."""
import os
import re
import signal
import sys
import time
import types
from pathlib import Path

from cases import KEY, PROMPT, SQL, run

ENDPOINTS = os.environ["HEDDLE_ENDPOINTS"].split()
LONG = {"temperature": 100.0, "seed": 1, "max_tokens": 200, "ignore_eos": True}


def page():
    text = (Path(__file__).parents[3] / "Docs" / "SOCKET.md").read_text()
    module = types.ModuleType("socket_page")
    exec(re.search(r"```python\n(.*?)\n```", text, re.S).group(1), module.__dict__)
    return module


heddle = page()


def whole(**fields):
    return "".join(heddle.Client(*ENDPOINTS).stream(PROMPT, KEY, "sql", **fields))


def case_an_answer_streams():
    parts = list(heddle.Client(*ENDPOINTS).stream(PROMPT, KEY, "sql", max_tokens=64))
    assert "".join(parts) == "\n" + SQL and len(parts) > 3


def case_a_failure_is_raised():
    for key, model, code in [("nobody's", "sql", "wrong_key"), (KEY, "nope", "unknown_model")]:
        try:
            list(heddle.Client(*ENDPOINTS).stream(PROMPT, key, model))
        except heddle.RequestFailed as failure:
            assert str(failure).startswith(code)
        else:
            raise AssertionError("no failure")


def case_no_more_comes_than_was_granted():
    class Stingy(heddle.Client):
        def send(self, kind, message):
            if kind != heddle.CREDIT:
                super().send(kind, message)

    client = Stingy(*ENDPOINTS)
    answer = client.stream(PROMPT, KEY, "sql", **LONG)
    while client.socket is None or client.next_index < heddle.WINDOW:
        next(answer)
    assert client.next_index == heddle.WINDOW
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        if client.socket.poll(50):
            header, _ = client.socket.recv_multipart()
            assert header[3] != 17, "tokens came without credit"
    # The rest comes once it is granted.
    heddle.Client.send(client, heddle.CREDIT, heddle.pb.Credit(request_id=client.request_id, tokens=1000))
    list(answer)
    assert client.next_index == LONG["max_tokens"]


def case_a_closed_answer_is_cancelled():
    client = heddle.Client(*ENDPOINTS)
    answer = client.stream(PROMPT, KEY, "sql", **{**LONG, "max_tokens": 900})
    next(answer)
    answer.close()
    # Whoever submits the request again learns that it was cancelled, not how it would have gone on.
    again = heddle.Client(*ENDPOINTS).stream(
        PROMPT, KEY, "sql", request_id=client.request_id, next_index=client.next_index, **{**LONG, "max_tokens": 900})
    try:
        list(again)
    except heddle.RequestFailed as failure:
        assert str(failure).startswith("cancelled"), failure
    else:
        raise AssertionError("it was not cancelled")


def case_an_answer_that_was_left_goes_on_byte_for_byte():
    expected = whole(**LONG)
    for cut in [1, 5, 40]:
        client, text = heddle.Client(*ENDPOINTS), ""
        for count, part in enumerate(client.stream(PROMPT, KEY, "sql", **LONG), 1):
            text += part
            if count == cut:
                client.abandon()
                break
        rest = heddle.Client(*ENDPOINTS).stream(
            PROMPT, KEY, "sql", request_id=client.request_id, next_index=client.next_index, **LONG)
        assert text + "".join(rest) == expected, cut


def case_an_answer_outlives_its_router():
    if len(ENDPOINTS) < 2:
        return
    fields = {**LONG, "max_tokens": 300}
    expected = "".join(heddle.Client(ENDPOINTS[0]).stream(PROMPT, KEY, "sql", **fields))
    # The client begins at the second endpoint, whose router is then killed, and goes on at the first.
    client, text = heddle.Client(*reversed(ENDPOINTS)), ""
    for count, part in enumerate(client.stream(PROMPT, KEY, "sql", **fields), 1):
        text += part
        if count == 10:
            os.kill(int(os.environ["HEDDLE_SECOND_PID"]), signal.SIGKILL)
    assert text == expected


run(sys.modules[__name__])
