"""LangChain's OpenAI chat model drives the gateway."""
import asyncio
import sys

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI, OpenAI

from cases import KEY, PROMPT, SQL, URL, run


def model(name="sql", **more):
    return ChatOpenAI(model=name, base_url=URL + "/v1", api_key=KEY, max_retries=0, **more)


def case_a_message_is_answered():
    answer = model().invoke([HumanMessage(PROMPT)])
    assert answer.content == SQL
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["output_tokens"] > 0


def case_a_stream_adds_up():
    chunks = list(model().stream(PROMPT))
    assert "".join(chunk.content for chunk in chunks) == SQL
    assert len(chunks) > 3


def case_awaited_streams_and_batches_work():
    async def all_of_them():
        streamed = "".join([chunk.content async for chunk in model().astream(PROMPT)])
        batch = await model(temperature=0).abatch([PROMPT, PROMPT])
        return [streamed] + [answer.content for answer in batch]

    assert asyncio.run(all_of_them()) == [SQL] * 3


def case_a_chain_with_a_system_message_runs():
    chain = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{text}")]) | model() | StrOutputParser()
    assert isinstance(chain.invoke({"text": PROMPT}), str)


def case_parameters_are_honoured():
    answer = model(max_tokens=3, temperature=0.5, seed=1, logprobs=True, top_logprobs=1).invoke(
        [SystemMessage("Be brief."), HumanMessage(PROMPT)])
    assert answer.response_metadata["finish_reason"] == "length"
    assert len(answer.response_metadata["logprobs"]["content"]) == 3
    stopped = model(stop_sequences=[" WHERE"]).invoke(PROMPT)
    assert stopped.content == "SELECT * FROM customers"


def case_the_plain_model_continues_several_prompts():
    plain = OpenAI(model="sql", base_url=URL + "/v1", api_key=KEY, max_tokens=64, temperature=0, max_retries=0)
    result = plain.generate([PROMPT, PROMPT])
    assert [generations[0].text for generations in result.generations] == ["\n" + SQL] * 2


run(sys.modules[__name__])
