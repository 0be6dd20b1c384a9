"""The `openai` package comes again when it is told to: the tenant's two places are taken at first."""
import sys

from openai import OpenAI

from cases import KEY, PROMPT, SQL, URL, run


def case_a_refused_call_is_tried_again_until_it_has_room():
    statuses = []
    client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=100, timeout=120)
    client._client.event_hooks = {"response": [lambda response: statuses.append(response.status_code)]}
    answer = client.completions.create(model="sql", prompt=PROMPT, max_tokens=64)
    assert answer.choices[0].text == "\n" + SQL
    assert statuses[0] == 429 and statuses[-1] == 200, statuses


run(sys.modules[__name__])
