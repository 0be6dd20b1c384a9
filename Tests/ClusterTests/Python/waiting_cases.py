"""A stream whose workers stand still for a while is kept open by comments, which the `openai` package takes as such."""
import os
import signal
import sys
import threading

import httpx
from openai import OpenAI

from cases import KEY, MESSAGES, PROMPT, SQL, URL, run

WORKERS = [int(number) for number in os.environ["HEDDLE_WORKER_PIDS"].split()]


def case_a_comment_comes_and_the_answer_after_it():
    for worker in WORKERS:
        os.kill(worker, signal.SIGSTOP)
    answers = []

    def ask():
        client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0, timeout=90)
        stream = client.chat.completions.create(model="sql", messages=MESSAGES, stream=True)
        answers.append("".join(chunk.choices[0].delta.content or "" for chunk in stream))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        body = {"model": "sql", "prompt": PROMPT, "stream": True, "max_tokens": 64}
        with httpx.stream("POST", URL + "/v1/completions", json=body, timeout=90,
                          headers={"Authorization": f"Bearer {KEY}"}) as response:
            lines = response.iter_lines()
            assert next(line for line in lines if line).startswith(": ")
            for worker in WORKERS:
                os.kill(worker, signal.SIGCONT)
            rest = list(lines)
        assert "data: [DONE]" in rest
    finally:
        for worker in WORKERS:
            os.kill(worker, signal.SIGCONT)
        asking.join()
    assert answers == [SQL]


run(sys.modules[__name__])
