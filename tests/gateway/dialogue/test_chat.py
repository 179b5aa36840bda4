"""`gateway.dialogue.chat` against a real HTTP endpoint, which behaves and misbehaves by the name of the model."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from avatar_runtime.contracts import AvatarError, Code
from gateway.bench.language_model import ANSWERS, MARKED, MISDEEDS, LanguageModel, canned
from gateway.dialogue import Clause, Line
from gateway.dialogue.apology import cut_short
from gateway.dialogue.chat import Chat
from gateway.dialogue.failures import DialogueFailed

ADA = SimpleNamespace(display_name="Ada", personality="You are kind.", language="en")
KEY = "sk-secret-of-mine"
WORDS = "my secret words"
PATIENCE = 20.0  # s; a busy machine is no failure
IMPATIENCE = {"stall": 2.0, "noise": 0.5, "hang": 0.5, "deaf": 0.5, "slow": 0.5}  # where silence is the point
#: What each misdeed is told as, and whether something was spoken before.
FAILURES = {
    "garbage": (Code.ENGINE_UNAVAILABLE, False),
    "endless-line": (Code.ENGINE_UNAVAILABLE, False),
    "deep-json": (Code.ENGINE_UNAVAILABLE, False),
    "broken-json": (Code.ENGINE_UNAVAILABLE, False),
    "odd-json": (Code.ENGINE_UNAVAILABLE, False),
    "silent": (Code.ENGINE_UNAVAILABLE, False),
    "noise": (Code.TIMEOUT, False),
    "hang": (Code.TIMEOUT, False),
    "deaf": (Code.TIMEOUT, False),
    "slow": (Code.TIMEOUT, False),
    "stall": (Code.TIMEOUT, True),
    "html": (Code.ENGINE_UNAVAILABLE, False),
    "half-utf8": (Code.ENGINE_UNAVAILABLE, False),
    "cut": (Code.ENGINE_UNAVAILABLE, True),
    "stream-error": (Code.ENGINE_UNAVAILABLE, True),
    "401": (Code.INVALID_REQUEST, False),
    "404": (Code.UNKNOWN_ENGINE, False),
    "429": (Code.ENGINE_UNAVAILABLE, False),
    "500": (Code.ENGINE_UNAVAILABLE, False),
    "502": (Code.ENGINE_UNAVAILABLE, False),
}
ENDLESS = ("flood", "babble", "blob")


@asynccontextmanager
async def chat(url: str, model: str = "test", patience: float = PATIENCE) -> AsyncIterator[Chat]:
    opened = Chat(url, model, KEY, patience)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(url: str, model: str = "test", text: str = "Hello, who are you?", **rest: Any) -> list[Clause]:
    async with chat(url, model, **rest) as dialogue:
        return [clause async for clause in dialogue.answer([], text, ADA, "en")]


async def seen(endpoint: LanguageModel, what: Any) -> bool:
    return await asyncio.to_thread(endpoint.until, what)


async def test_the_answer_comes_clause_by_clause(endpoint: LanguageModel) -> None:
    said = await ask(endpoint.url)
    assert " ".join(each.text for each in said) == canned("Hello, who are you?")
    assert len(said) >= 2


async def test_the_first_clause_does_not_wait_for_the_rest(endpoint: LanguageModel) -> None:
    with LanguageModel(first_token=0.0, rate=20.0, answer=lambda _: "When I was young, we walked. " * 10) as slow:
        async with chat(slow.url) as dialogue, aclosing(dialogue.answer([], "Hi", ADA, "en")) as answer:
            assert await anext(answer) == Clause("When I was young,")
            assert slow.running == 1


async def test_what_the_model_is_sent(endpoint: LanguageModel) -> None:
    async with chat(endpoint.url) as dialogue:
        history = [Line("user", "Hi."), Line("avatar", "Welcome.")]
        said = [each async for each in dialogue.answer(history, "Guten Tag, wie geht es dir?", ADA, "de")]
        assert (dialogue.kind, dialogue.model) == ("chat", "test")
    assert " ".join(each.text for each in said) in ANSWERS["de"]
    sent = endpoint.requests[0]
    assert sent["stream"] is True and sent["model"] == "test" and 0 < sent["max_tokens"] <= 4_000
    assert [each["role"] for each in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert "You are kind." in sent["messages"][0]["content"] and "German" in sent["messages"][0]["content"]
    assert endpoint.keys == [KEY]


async def test_the_keys_of_others_stay_here(endpoint: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-of-somebody-else")
    dialogue = Chat(endpoint.url + "/chat/completions/", "test")  # people paste this address too
    assert [each async for each in dialogue.answer([], "Hi", ADA, "en")]
    await dialogue.close()
    assert endpoint.keys == ["none"]
    assert not any("somebody" in value for value in endpoint.headers[0].values())


@pytest.mark.parametrize("model", ["thinking", "reasoning", "letters", "max-completion-tokens"])
async def test_manners_of_models(endpoint: LanguageModel, model: str) -> None:
    said = await ask(endpoint.url, model)
    assert " ".join(each.text for each in said) == canned("Hello, who are you?")


async def test_marks_are_felt_and_not_heard(endpoint: LanguageModel) -> None:
    said = await ask(endpoint.url, "marks")
    assert [each.emotion for each in said if each.emotion] == ["happy", "sad"]
    assert "[" in MARKED and not any("[" in each.text or "laughs" in each.text for each in said)


@pytest.mark.parametrize("model", [*FAILURES])
async def test_what_goes_wrong_is_told(endpoint: LanguageModel, model: str) -> None:
    """In bounded time: what has no end would not end here, and silence would last until it is another failure."""
    code, spoken = FAILURES[model]
    said = []
    async with chat(endpoint.url, model, IMPATIENCE.get(model, PATIENCE)) as dialogue:
        with pytest.raises(DialogueFailed) as caught:
            async for clause in dialogue.answer([], WORDS, ADA, "en"):
                said.append(clause)
    assert isinstance(caught.value, AvatarError) and caught.value.code is code
    assert caught.value.message.endswith((".", "?")) and KEY not in caught.value.message
    assert bool(said) is spoken
    assert await seen(endpoint, lambda: endpoint.running == 0)


def test_every_misdeed_is_tried() -> None:
    assert {*FAILURES, *ENDLESS} == set(MISDEEDS)


@pytest.mark.parametrize("model", ENDLESS)
async def test_an_endless_answer_is_cut_and_the_model_stopped(endpoint: LanguageModel, model: str) -> None:
    said = await ask(endpoint.url, model)
    assert said[-1].text == cut_short("en") and sum(len(each.text) for each in said) < 1_300
    assert await seen(endpoint, lambda: endpoint.running == 0)
    assert endpoint.cancelled == ([] if model == "blob" else [model])  # a blob is all there when it is read


async def test_half_an_answer_is_spoken_before_the_failure_is_told(endpoint: LanguageModel) -> None:
    said = []
    with pytest.raises(DialogueFailed):
        async with chat(endpoint.url, "cut") as dialogue:
            async for clause in dialogue.answer([], "Hello, who are you?", ADA, "en"):
                said.append(clause.text)
    assert canned("Hello, who are you?").startswith(" ".join(said).removesuffix(".")) and len(said) >= 2


@pytest.mark.parametrize("model", ["stall", "babble", "hang", "slow", "deaf"])
async def test_who_stops_listening_stops_the_model(endpoint: LanguageModel, model: str) -> None:
    async with chat(endpoint.url, model, patience=60) as dialogue:
        answer = dialogue.answer([], WORDS, ADA, "en")
        waiting = asyncio.create_task(_all(answer, first=model == "babble"))
        assert await seen(endpoint, lambda: len(endpoint.requests) == 1)
        if model == "babble":  # closed in the midst of it
            await waiting
            await answer.aclose()
        else:  # cancelled while waiting for the next words
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert await seen(endpoint, lambda: endpoint.cancelled == [model])
        assert await seen(endpoint, lambda: endpoint.running == 0)


async def _all(answer: Any, first: bool) -> None:
    async for _ in answer:
        if first:
            return


async def test_an_answer_that_is_thrown_away_at_once_asks_for_nothing(endpoint: LanguageModel) -> None:
    async with chat(endpoint.url) as dialogue:
        await dialogue.answer([], WORDS, ADA, "en").aclose()
    assert not endpoint.requests


async def test_several_answers_at_once(endpoint: LanguageModel) -> None:
    async with chat(endpoint.url) as dialogue:

        async def one(text: str) -> str:
            return " ".join([each.text async for each in dialogue.answer([], text, ADA, "en")])

        texts = [f"Question {index}" for index in range(8)]
        assert await asyncio.gather(*map(one, texts)) == [canned(text) for text in texts]


async def test_slow_ears_are_not_the_models_silence(endpoint: LanguageModel) -> None:
    async with chat(endpoint.url, patience=1.0) as dialogue:
        said = []
        async for clause in dialogue.answer([], "Hello, who are you?", ADA, "en"):
            await asyncio.sleep(1.2)  # it is being spoken
            said.append(clause.text)
    assert " ".join(said) == canned("Hello, who are you?")


async def test_an_endpoint_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: refused at once
        with pytest.raises(DialogueFailed) as caught:
            await ask(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert caught.value.code is Code.ENGINE_UNAVAILABLE


async def test_it_answers_again_once_the_endpoint_is_back() -> None:
    with LanguageModel(first_token=0.0, rate=0) as first:
        port = int(first.url.split(":")[2].split("/")[0])
        async with chat(first.url) as dialogue:
            assert [each async for each in dialogue.answer([], "Hi", ADA, "en")]
            first.stop()
            with LanguageModel(first_token=0.0, rate=0, port=port):  # the connection that was kept is dead
                assert [each async for each in dialogue.answer([], "Hi", ADA, "en")]


@pytest.mark.parametrize("model", ["test", "401", "cut", "half-utf8", "stream-error", "slow"])
async def test_neither_words_nor_keys_are_logged(
    endpoint: LanguageModel, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    try:
        await ask(endpoint.url, model, WORDS, patience=0.2)
    except DialogueFailed as error:
        logging.getLogger("test").exception("failed", exc_info=error)
    for record in caplog.records:
        if record.name.startswith(("gateway", "openai", "test")):
            told = record.getMessage() + str(record.exc_text or "")
            assert KEY not in told and WORDS not in told and "light in this room" not in told
