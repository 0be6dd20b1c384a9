"""Every documented field for its effect or its refusal, limits, names of calls, and streams that break off."""
import json
import socket
import sys
from urllib.parse import urlparse

import httpx

from cases import KEY, MESSAGES, PROMPT, SQL, URL, run

http = httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
LONG = {"temperature": 100, "seed": 1, "max_tokens": 60, "ignore_eos": True}


def post(path="/v1/completions", headers=None, **fields):
    body = {"model": "sql", "max_tokens": 64, **fields}
    body.setdefault("messages" if "chat" in path else "prompt", MESSAGES if "chat" in path else PROMPT)
    return http.post(path, json={k: v for k, v in body.items() if v is not ...}, headers=headers or {})


def answer(path="/v1/completions", **fields):
    response = post(path, **fields)
    assert response.status_code == 200, response.text
    return response.json()


def text(**fields):
    return answer(**fields)["choices"][0]["text"]


def chat(**fields):
    return answer("/v1/chat/completions", **fields)


def refusal(status, code, param, path="/v1/completions", **fields):
    response = post(path, **fields)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param), response.text
    assert error["message"] and error["type"]
    return response


# Drawing ------------------------------------------------------------------------------------------------------------

def case_a_seed_draws_the_same_and_another_differs():
    assert text(**LONG) == text(**LONG)
    assert text(**LONG) != text(**{**LONG, "seed": 2})
    assert text(**{**LONG, "seed": -1}) == text(**{**LONG, "seed": -1})
    assert text(**{**LONG, "seed": ...}) != text(**{**LONG, "seed": ...})


def case_cuts_leave_the_likeliest():
    warm = {"temperature": 5, "seed": 5}
    assert text(**warm) != "\n" + SQL
    for cut in [{"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}]:
        assert text(**warm, **cut) == "\n" + SQL, cut
    assert text(**LONG, top_k=-1) == text(**LONG, top_k=0) == text(**LONG)
    assert text(**LONG, typical_p=0.05) != text(**LONG)


def case_penalties_change_what_is_drawn():
    story = {"model": "demo", "prompt": "Tell me a story about a curious fox and a lighthouse.", "max_tokens": 120,
             "temperature": 3, "seed": 1}
    plain = text(**story)
    assert text(**story, repetition_penalty=2.0) != plain
    assert text(**story, presence_penalty=2.0) != plain
    assert text(**story, frequency_penalty=2.0) != plain


def case_logit_bias_forces_and_forbids():
    ids = answer(return_token_ids=True)["choices"][0]["token_ids"]
    assert ids[3] not in answer(return_token_ids=True, logit_bias={str(ids[3]): -100})["choices"][0]["token_ids"]
    forced = answer(return_token_ids=True, logit_bias={str(ids[3]): 100}, max_tokens=5)["choices"][0]["token_ids"]
    assert forced == [ids[3]] * 5


def case_n_and_best_of():
    several = answer(n=3, temperature=5, seed=4)
    assert [choice["index"] for choice in several["choices"]] == [0, 1, 2]
    assert len({choice["text"] for choice in several["choices"]}) > 1
    best = answer(n=1, best_of=4, temperature=5, seed=4, return_token_ids=True)
    assert len(best["choices"]) == 1
    assert best["usage"]["completion_tokens"] > len(best["choices"][0]["token_ids"])


def case_stops():
    assert text(stop=" WHERE") == "\nSELECT * FROM customers"
    assert text(stop=[" WHERE", " FROM"]) == "\nSELECT *"
    ids = answer(return_token_ids=True)["choices"][0]["token_ids"]
    stopped = answer(return_token_ids=True, stop_token_ids=[ids[4]])["choices"][0]
    assert stopped["token_ids"] == ids[:4] and stopped["finish_reason"] == "stop"


def case_lengths():
    short = answer(max_tokens=3)
    assert short["choices"][0]["finish_reason"] == "length" and short["usage"]["completion_tokens"] == 3
    assert answer(max_tokens=...)["usage"]["completion_tokens"] == 16
    assert answer(ignore_eos=True)["choices"][0]["finish_reason"] == "length"
    natural = answer()["usage"]["completion_tokens"]
    longer = answer(min_tokens=natural + 5)
    assert longer["usage"]["completion_tokens"] >= natural + 5
    assert chat(max_tokens=..., max_completion_tokens=4)["usage"]["completion_tokens"] == 4
    whole = chat(max_tokens=..., ignore_eos=True)["usage"]
    assert whole["total_tokens"] == 1024


# What is shown ------------------------------------------------------------------------------------------------------

def case_logprobs_of_completions():
    shown = answer(logprobs=2, return_token_ids=True)["choices"][0]
    report = shown["logprobs"]
    count = len(shown["token_ids"])
    assert [len(report[key]) for key in ["tokens", "token_logprobs", "top_logprobs", "text_offset"]] == [count] * 4
    assert "".join(report["tokens"]) == shown["text"]
    for offset, token in zip(report["text_offset"], report["tokens"]):
        assert shown["text"][offset:].startswith(token)
    for token, logprob, top in zip(report["tokens"], report["token_logprobs"], report["top_logprobs"]):
        assert 2 <= len(top) <= 3 and top[token] == logprob == max(top.values())
    named = answer(logprobs=1, return_tokens_as_token_ids=True)["choices"][0]["logprobs"]["tokens"]
    assert named == [f"token_id:{token}" for token in shown["token_ids"]]
    assert answer(logprobs=0)["choices"][0]["logprobs"]["token_logprobs"] == report["token_logprobs"]
    assert answer()["choices"][0]["logprobs"] is None


def case_logprobs_of_chat():
    shown = chat(logprobs=True, top_logprobs=3, return_token_ids=True)
    content = shown["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in content) == shown["choices"][0]["message"]["content"]
    assert all(len(entry["top_logprobs"]) == 3 for entry in content)
    assert all(entry["top_logprobs"][0]["logprob"] >= entry["logprob"] for entry in content)
    assert chat(logprobs=True)["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []
    assert chat()["choices"][0]["logprobs"] is None


def case_logprobs_come_with_streams_too():
    whole = answer(logprobs=1)["choices"][0]["logprobs"]
    streamed = {key: [] for key in whole}
    for _, chunk in events(stream=True, logprobs=1):
        for choice in chunk["choices"]:
            for key in streamed:
                streamed[key] += choice["logprobs"][key]
    assert streamed == whole


def case_echo_and_the_prompts_logprobs():
    echoed = answer(echo=True)
    assert echoed["choices"][0]["text"] == PROMPT + "\n" + SQL
    shown = answer(echo=True, logprobs=1, return_token_ids=True)["choices"][0]
    count = len(shown["prompt_token_ids"]) + len(shown["token_ids"])
    assert len(shown["logprobs"]["tokens"]) == count and shown["logprobs"]["token_logprobs"][0] is None
    reported = answer(prompt_logprobs=2, return_token_ids=True)["choices"][0]
    ids, report = reported["prompt_token_ids"], reported["prompt_logprobs"]
    assert len(report) == len(ids) and report[0] is None
    assert all(str(token) in entry for token, entry in zip(ids[1:], report[1:]))
    assert [e[str(t)]["logprob"] for t, e in zip(ids[1:], report[1:])] == shown["logprobs"]["token_logprobs"][1:len(ids)]
    assert chat(echo=True)["choices"][0]["message"]["content"].endswith(SQL)
    assert len(chat(prompt_logprobs=0, return_token_ids=True)["prompt_logprobs"]) > 1
    streamed = "".join(c["text"] for _, chunk in events(stream=True, echo=True) for c in chunk["choices"])
    assert streamed == PROMPT + "\n" + SQL


def case_prompts_of_every_form():
    ids = answer(return_token_ids=True)["choices"][0]["prompt_token_ids"]
    assert text(prompt=ids) == "\n" + SQL
    both = answer(prompt=[PROMPT, "Sort 3 1 2."], n=2)
    assert [choice["index"] for choice in both["choices"]] == [0, 1, 2, 3]
    assert both["choices"][0]["text"] == "\n" + SQL == both["choices"][1]["text"] != both["choices"][2]["text"]
    assert both["usage"]["prompt_tokens"] > answer()["usage"]["prompt_tokens"]
    tokens = answer(prompt=[ids, ids])
    assert [choice["text"] for choice in tokens["choices"]] == ["\n" + SQL] * 2
    parts = {}
    for _, chunk in events(stream=True, prompt=[PROMPT, "Sort 3 1 2."]):
        for choice in chunk["choices"]:
            parts[choice["index"]] = parts.get(choice["index"], "") + choice["text"]
    assert parts == {0: both["choices"][0]["text"], 1: both["choices"][2]["text"]}


# Refusals -----------------------------------------------------------------------------------------------------------

def case_values_out_of_range_name_their_field():
    bad = {"temperature": -1, "top_p": 0, "top_k": -2, "min_p": 1.5, "typical_p": 0, "repetition_penalty": 0,
           "presence_penalty": 3, "frequency_penalty": -3, "n": 17, "best_of": 17, "max_tokens": 0, "min_tokens": 65,
           "stop": ["x"] * 17, "stop_token_ids": [99999], "logit_bias": {"99999": 1}, "logprobs": 21,
           "prompt_logprobs": 21, "deadline": 5000}
    for name, value in bad.items():
        refusal(400, "invalid_parameter", name, **{name: value})
    refusal(400, "invalid_parameter", "top_logprobs", "/v1/chat/completions", logprobs=True, top_logprobs=21)


def case_prompts_that_cannot_be_name_their_field():
    refusal(400, "empty_prompt", "prompt", prompt="")
    refusal(400, "prompt_text_too_long", "prompt", prompt="x" * ((1 << 20) + 1))
    refusal(400, "prompt_token_out_of_range", "prompt", prompt=[99999])
    refusal(400, "context_length_exceeded", "prompt", prompt="a b c " * 1000)
    refusal(400, "context_length_exceeded", "messages", "/v1/chat/completions",
            messages=[{"role": "user", "content": "a b c " * 1000}])
    refusal(400, "prompt_text_too_long", "messages", "/v1/chat/completions",
            messages=[{"role": "user", "content": "x" * ((1 << 20) + 1)}])


def case_what_is_not_supported_is_refused_by_name():
    for name, value in {"response_format": {"type": "xml"}, "use_beam_search": True, "suffix": "x",
                        "skip_special_tokens": False, "allowed_token_ids": [1], "priority": 3}.items():
        refusal(400, "unsupported_parameter", name, **{name: value})
    for name, value in {"functions": [], "audio": {}, "chat_template": "x", "reasoning_effort": "low"}.items():
        refusal(400, "unsupported_parameter", name, "/v1/chat/completions", **{name: value})
    image = [{"type": "image_url", "image_url": {"url": "data:"}}]
    refusal(400, "unsupported_parameter", "messages[0].content[0].type", "/v1/chat/completions",
            messages=[{"role": "user", "content": image}])


def case_bodies_headers_and_paths_have_limits():
    long = http.post("/v1/completions", content=b" " * (4 << 20) + b"{}")
    assert long.status_code == 413 and long.json()["error"]["code"] == "body_too_long"
    chunked = http.post("/v1/completions", content=(b" " * 65536 for _ in range(80)))
    assert chunked.status_code == 413
    packed = http.post("/v1/completions", content=b"{}", headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415
    broken = http.post("/v1/completions", content=b'{"model": ')
    assert broken.status_code == 400 and broken.json()["error"]["code"] == "invalid_json"
    lost = http.get("/v1/nothing")
    assert lost.status_code == 404 and lost.json()["error"]["code"] == "unknown_url"
    try:
        assert http.get("/v1/models", headers={"x-long": "x" * 20_000}).status_code in (400, 431)
    except httpx.RemoteProtocolError:
        pass
    assert http.get("/v1/models").status_code == 200


def case_bytes_that_are_no_http_hurt_nobody():
    place = urlparse(URL)
    for garbage in [b"\x00" * 100, b"GET\r\n\r\n", b"POST /v1/completions HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                    b"\x16\x03\x01" + b"x" * 500, b"GET / HTTP/9.9\r\n\r\n" * 10]:
        with socket.create_connection((place.hostname, place.port), timeout=10) as raw:
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    assert text() == "\n" + SQL


# Names of calls -----------------------------------------------------------------------------------------------------

def case_every_answer_has_a_name():
    plain = post()
    assert plain.json()["id"] == "cmpl-" + plain.headers["x-request-id"]
    assert post(headers={"x-request-id": "mine-7"}).headers["x-request-id"] == "mine-7"
    assert http.get("/v1/nothing").headers["x-request-id"]


def case_an_idempotency_key_runs_a_call_once():
    headers = {"Idempotency-Key": "order 66"}
    first = post(headers=headers, temperature=5)
    again = post(headers=headers, temperature=5)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["choices"] == first.json()["choices"]
    other = post(headers=headers, temperature=0.5)
    assert other.status_code == 409 and other.json()["error"]["code"] == "request_conflict"


# Streams ------------------------------------------------------------------------------------------------------------

def events(path="/v1/completions", headers=None, count_max=None, url="", client=http, **fields):
    """(id, chunk) of each event; closes the connection after `count_max` of them."""
    body = {"model": "sql", "max_tokens": 64, **fields}
    body.setdefault("messages" if "chat" in path else "prompt", MESSAGES if "chat" in path else PROMPT)
    with client.stream("POST", url + path, json=body, headers=headers or {}) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        found, name = [], None
        for line in response.iter_lines():
            if line.startswith("id: "):
                name = line[4:]
            elif line == "data: [DONE]":
                return found
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
                if count_max is not None and len(found) >= count_max:
                    return found
    raise AssertionError("the stream ended without [DONE]")


def pieces(found, into=None):
    """The texts of the choices."""
    texts = into if into is not None else {}
    for _, chunk in found:
        for choice in chunk["choices"]:
            text = choice["text"] if "text" in choice else choice["delta"].get("content", "")
            texts[choice["index"]] = texts.get(choice["index"], "") + text
    return texts


def case_a_stream_that_broke_goes_on_byte_for_byte():
    calls = [("/v1/completions", {**LONG, "n": 2}), ("/v1/chat/completions", {**LONG, "n": 2}),
             ("/v1/completions", {**LONG, "logprobs": 1, "max_tokens": 20}),
             ("/v1/completions", {"prompt": [PROMPT, "Sort 3 1 2."], "echo": True})]
    for path, fields in calls:
        whole = pieces(events(path, stream=True, **fields))
        for cut in [1, 2, 3, 9, 17]:
            head = events(path, stream=True, count_max=cut, **fields)
            if head[-1][0] is None:
                continue  # not one event with an id came: there is nothing to go on from
            rest = events(path, {"Last-Event-ID": head[-1][0]}, stream=True, **fields)
            assert pieces(rest, pieces(head)) == whole, (path, cut)
            assert {chunk["id"] for _, chunk in head + rest} == {head[0][1]["id"]}
            if "logprobs" in fields:
                offsets = [o for _, c in head + rest for o in c["choices"][0]["logprobs"]["text_offset"]]
                assert offsets == sorted(offsets) and len(offsets) == 20


def case_a_stream_breaks_more_than_once():
    whole = pieces(events(stream=True, **LONG))
    found, name = [], None
    for _ in range(100):
        part = events(headers={"Last-Event-ID": name} if name else {}, stream=True, count_max=7, **LONG)
        found += part
        name = part[-1][0]
        if len(part) < 7:
            break
    assert pieces(found) == whole


def case_an_event_id_of_another_call_is_refused():
    head = events(stream=True, count_max=3, **LONG)
    name = head[-1][0]
    for headers, fields in [({"Last-Event-ID": "nonsense"}, {"stream": True}), ({"Last-Event-ID": name}, {}),
                            ({"Last-Event-ID": name}, {"stream": True, "n": 2})]:
        response = post(headers=headers, **{**LONG, **fields})
        assert response.status_code == 400, response.text
        assert response.json()["error"]["param"] == "Last-Event-ID"
    other = post(headers={"Last-Event-ID": name}, stream=True, **{**LONG, "seed": 9})
    assert other.status_code == 409 and other.json()["error"]["code"] == "request_conflict"


def case_an_error_in_the_middle_comes_as_an_event():
    body = {"model": "sql", "prompt": PROMPT, "stream": True, "deadline": 0.2, "n": 16, **LONG, "max_tokens": 900}
    with http.stream("POST", "/v1/completions", json=body) as response:
        assert response.status_code == 200
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert json.loads(lines[-1][6:])["error"]["code"] == "deadline_exceeded"
    assert "data: [DONE]" not in lines


if __name__ == "__main__":
    run(sys.modules[__name__])
