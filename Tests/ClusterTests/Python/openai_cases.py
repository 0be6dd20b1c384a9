"""The `openai` package drives the gateway: plain and streamed, awaited and not, errors, retries, raw responses."""
import asyncio
import sys

import openai
from openai import AsyncOpenAI, OpenAI

from cases import KEY, MESSAGES, OTHER_KEY, PROMPT, SQL, URL, raises, run

client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0, timeout=60)


def case_models_are_listed_with_their_parents():
    models = {model.id: model for model in client.models.list()}
    assert {"demo", "sql", "json"} <= set(models)
    assert models["sql"].parent == "demo" and models["sql"].root == "demo"
    assert models["demo"].parent is None and models["demo"].root == "demo"
    assert client.models.retrieve("sql").id == "sql"
    assert client.models.retrieve("demo:sql").id == "sql"
    assert raises(openai.NotFoundError, lambda: client.models.retrieve("nobody")).code == "model_not_found"


def case_a_conversation_is_answered():
    answer = client.chat.completions.create(model="sql", messages=MESSAGES)
    assert answer.id.startswith("chatcmpl-") and answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content == SQL
    assert answer.choices[0].finish_reason == "stop"
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens >= 0
    assert answer.system_fingerprint.startswith("fp_")


def case_a_prompt_is_continued():
    answer = client.completions.create(model="sql", prompt=PROMPT, max_tokens=64)
    assert answer.id.startswith("cmpl-") and answer.object == "text_completion"
    assert answer.choices[0].text == "\n" + SQL


def case_adapters_answer_in_their_own_ways_and_by_both_names():
    texts = {name: client.chat.completions.create(model=name, messages=MESSAGES).choices[0].message.content
             for name in ["demo", "sql", "demo:sql", "json", "french"]}
    assert texts["sql"] == texts["demo:sql"] == SQL
    assert len({texts["demo"], texts["sql"], texts["json"], texts["french"]}) == 4


def case_a_stream_adds_up_to_the_whole_answer():
    whole = client.chat.completions.create(model="french", messages=MESSAGES)
    parts, roles, finishes, usages = [], [], [], []
    for chunk in client.chat.completions.create(model="french", messages=MESSAGES, stream=True,
                                                stream_options={"include_usage": True}):
        usages.append(chunk.usage)
        for choice in chunk.choices:
            parts.append(choice.delta.content or "")
            roles.append(choice.delta.role)
            finishes.append(choice.finish_reason)
    assert "".join(parts) == whole.choices[0].message.content
    assert roles[0] == "assistant" and set(roles[1:]) == {None}
    assert finishes[-1] == "stop" and set(finishes[:-1]) == {None}
    assert usages[-1] == whole.usage and set(usages[:-1]) == {None}


def case_a_stream_without_usage_has_none():
    chunks = list(client.completions.create(model="sql", prompt=PROMPT, stream=True, max_tokens=5))
    assert all(chunk.choices and not chunk.usage for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "length"


def case_the_stream_helper_of_the_package_works():
    with client.chat.completions.stream(model="sql", messages=MESSAGES) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert final.choices[0].message.content == SQL
    assert {"chunk", "content.delta", "content.done"} <= kinds


def case_awaited_calls_run_side_by_side():
    async def one(name):
        async with AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0) as client:
            stream = await client.chat.completions.create(model=name, messages=MESSAGES, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_of_them():
        return await asyncio.gather(*[one(name) for name in ["sql", "json", "french", "sql"]])

    answers = asyncio.run(all_of_them())
    assert answers[0] == answers[3] == SQL and len(set(answers)) == 3


def case_a_stream_that_is_closed_early_is_let_go():
    stream = client.completions.create(model="sql", prompt=PROMPT, stream=True, max_tokens=900, temperature=100, seed=1)
    next(iter(stream))
    stream.close()


def case_two_tenants_have_their_own_keys():
    other = OpenAI(base_url=URL + "/v1", api_key=OTHER_KEY, max_retries=0)
    assert {m.id for m in other.models.list()} - {m.id for m in client.models.list()} == {"pirate"}
    assert other.chat.completions.create(model="pirate", messages=MESSAGES).choices[0].message.content
    refused = raises(openai.PermissionDeniedError,
                     lambda: client.chat.completions.create(model="pirate", messages=MESSAGES))
    assert refused.code == "not_permitted" and refused.param == "model"


def case_errors_are_the_packages_own():
    nobody = OpenAI(base_url=URL + "/v1", api_key="nobody's", max_retries=0)
    refused = raises(openai.AuthenticationError, lambda: nobody.models.list())
    assert refused.code == "invalid_api_key" and refused.status_code == 401
    missing = raises(openai.NotFoundError, lambda: client.chat.completions.create(model="nope", messages=MESSAGES))
    assert missing.code == "model_not_found" and missing.param == "model"
    bad = raises(openai.BadRequestError,
                 lambda: client.chat.completions.create(model="sql", messages=MESSAGES, top_p=2))
    assert bad.code == "invalid_parameter" and bad.param == "top_p" and "top_p" in bad.message
    assert bad.request_id
    long = raises(openai.BadRequestError,
                  lambda: client.completions.create(model="sql", prompt=PROMPT, max_tokens=5000))
    assert long.code == "context_length_exceeded" and long.param == "prompt"
    stranger = raises(openai.BadRequestError,
                      lambda: client.chat.completions.create(model="sql", messages=MESSAGES, extra_body={"frob": 1}))
    assert stranger.code == "unknown_parameter" and stranger.param == "frob"


def case_a_raw_response_shows_status_and_headers():
    raw = client.chat.completions.with_raw_response.create(model="sql", messages=MESSAGES)
    assert raw.status_code == 200
    answer = raw.parse()
    assert answer.id == "chatcmpl-" + raw.headers["x-request-id"]
    assert raw.request_id == raw.headers["x-request-id"] == answer._request_id
    with client.chat.completions.with_streaming_response.create(model="sql", messages=MESSAGES) as response:
        assert response.headers["content-type"] == "application/json"
        assert SQL in response.read().decode()


def case_a_deadline_is_not_tried_again():
    tries = []
    patient = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=3)
    patient._client.event_hooks = {"request": [lambda request: tries.append(request)]}
    late = raises(openai.InternalServerError, lambda: patient.completions.create(
        model="sql", prompt=PROMPT, max_tokens=900, temperature=100, seed=1, n=16, extra_body={"deadline": 0.001}))
    assert late.status_code == 504 and late.code == "deadline_exceeded"
    assert late.response.headers["x-should-retry"] == "false"
    assert len(tries) == 1


def case_extra_fields_go_through():
    answer = client.chat.completions.create(
        model="sql", messages=MESSAGES, temperature=0.7, seed=3, top_p=0.9, logprobs=True, top_logprobs=2, n=2,
        extra_body={"top_k": 20, "min_p": 0.01, "repetition_penalty": 1.05, "return_token_ids": True})
    assert [choice.index for choice in answer.choices] == [0, 1]
    for choice in answer.choices:
        content = choice.logprobs.content
        assert len(content) == len(choice.token_ids)
        assert all(len(entry.top_logprobs) == 2 and entry.logprob <= 0 for entry in content)
        assert b"".join(bytes(entry.bytes) for entry in content).decode() == choice.message.content


run(sys.modules[__name__])
