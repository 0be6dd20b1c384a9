"""A stream whose router is killed goes on at another gateway, byte for byte, with the id of the last event alone."""
import os
import signal
import sys

import httpx

from cases import KEY, run
from http_cases import LONG, events, pieces

SECOND = os.environ["HEDDLE_SECOND_URL"]
second = httpx.Client(base_url=SECOND, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)


def case_a_stream_outlives_its_router():
    fields = {**LONG, "n": 2, "max_tokens": 300}
    whole = pieces(events(client=second, stream=True, **fields))
    head = events(stream=True, count_max=20, **fields)
    os.kill(int(os.environ["HEDDLE_ROUTER_PID"]), signal.SIGKILL)
    rest = events(headers={"Last-Event-ID": head[-1][0]}, client=second, stream=True, **fields)
    assert pieces(rest, pieces(head)) == whole
    assert {chunk["id"] for _, chunk in head + rest} == {head[0][1]["id"]}
    assert {chunk["created"] for _, chunk in head + rest} == {head[0][1]["created"]}


run(sys.modules[__name__])
