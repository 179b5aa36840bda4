"""A talk with a language model over real HTTP: what is spoken, remembered and cancelled, also when it misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from loopback import gateway, page
from scripted import Scripted

from gateway.bench.language_model import LanguageModel, canned
from gateway.dialogue.apology import apology


@pytest.fixture
def model() -> Iterator[LanguageModel]:
    with LanguageModel(first_token=0.01, rate=0, answer=lambda text: f"You said {text} I know.") as running:
        yield running


def settings(model: LanguageModel, name: str = "test") -> dict[str, str | float]:
    return {"llm_url": model.url, "llm_model": name, "llm_timeout": 1.0}


def synthesised(script: Scripted) -> list[str]:
    return [what[0] for method, what in script.calls if method == "synthesize"]


async def test_the_page_is_told_who_answers(model: LanguageModel) -> None:
    async with gateway(Scripted(), **settings(model)) as (url, _), page(url) as one:
        await one.until(lambda: one.of("dialogue"))
        assert one.of("dialogue") == [{"type": "dialogue", "kind": "chat", "model": "test"}]


async def test_an_answer_is_spoken_and_the_next_question_knows_of_it(model: LanguageModel) -> None:
    script = Scripted(voice=0.2)
    async with gateway(script, **settings(model)) as (url, _), page(url) as one:
        one.tell(type="text", text="Good morning.", mode="chat")
        await one.until(lambda: one.captions("avatar"))
        assert one.captions("avatar") == ["You said Good morning. I know."]
        one.tell(type="text", text="And now?", mode="chat")
        await one.until(lambda: len(one.captions("avatar")) == 2)
        said = [(line["role"], line["content"]) for line in model.requests[-1]["messages"][1:]]
        assert said == [
            ("user", "Good morning."),
            ("assistant", "You said Good morning. I know."),
            ("user", "And now?"),
        ]


async def test_an_answer_is_begun_while_the_person_pauses_and_thrown_away_when_they_go_on(model: LanguageModel) -> None:
    script = Scripted(voice=0.2, heard="I would like to")  # unfinished: the turn goes on for a while
    async with gateway(script, **settings(model)) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.6)
        await one.until(lambda: model.requests)
        assert one.of("state")[-1]["state"] == "listening"
        script.heard = "I would like to dance."
        one.mic.speak(0.6)
        await one.until(lambda: one.captions("avatar"))
        asked = [request["messages"][-1]["content"] for request in model.requests]
        assert asked[0] == "I would like to" and asked[-1] == "I would like to dance."
        assert all(len(request["messages"]) == 2 for request in model.requests)  # nothing thrown away was remembered
        assert one.captions("user") == ["I would like to dance."]
        (session,) = sessions.running
        assert [line.text for line in session.history] == [
            "I would like to dance.",
            "You said I would like to dance. I know.",
        ]


async def test_marks_become_the_faces_emotions_and_it_goes_back_to_its_mood(model: LanguageModel) -> None:
    script = Scripted(voice=0.3)
    async with gateway(script, **settings(model, "marks")) as (url, _), page(url) as one:
        one.tell(type="emotion", emotion="surprised", intensity=0.2)
        one.tell(type="text", text="Tell me.", mode="chat")
        await one.until(lambda: one.captions("avatar"))
        await one.until(lambda: one.of("emotion")[-1]["emotion"] == "surprised")
        assert [message["emotion"] for message in one.of("emotion")][-4:] == ["surprised", "happy", "sad", "surprised"]

        def moods() -> list[str]:
            told = [what[1].get("emotion") for method, what in script.calls if method == "motion"]
            return [mood for mood in told if mood]

        await one.until(lambda: moods()[-3:] == ["happy", "sad", "surprised"])
        assert not any("[" in text for text in synthesised(script) + one.captions("avatar"))


@pytest.mark.parametrize(
    "misdeed", ["silent", "html", "401", "404", "429", "500", "garbage", "hang", "half-utf8", "flood"]
)
async def test_a_model_that_misbehaves_is_answered_for_never_with_silence(misdeed: str, model: LanguageModel) -> None:
    script = Scripted(voice=0.2)
    async with gateway(script, **settings(model, misdeed)) as (url, sessions), page(url) as one:
        one.tell(type="text", text="Are you there?", mode="chat")
        await one.until(lambda: one.captions("avatar"), 20)
        await one.until(lambda: one.of("state")[-1]["state"] == "idle", 60)
        assert synthesised(script) and one.loud()
        if misdeed in ("half-utf8", "flood"):  # words came
            return
        assert one.captions("avatar") == [apology("en")]
        (notice,) = one.of("notice")
        assert notice["message"].endswith((".", "?"))
        (session,) = sessions.running
        assert [line.text for line in session.history] == ["Are you there?"]


async def test_an_answer_that_breaks_off_is_spoken_as_far_as_it_came(model: LanguageModel) -> None:
    script, model.answer = Scripted(voice=0.2), canned
    async with gateway(script, **settings(model, "cut")) as (url, _), page(url) as one:
        one.tell(type="text", text="Go on.", mode="chat")
        await one.until(lambda: one.captions("avatar"))
        await one.until(lambda: one.of("notice"))
        assert one.captions("avatar") != [apology("en")]


async def test_an_interruption_ends_the_request_at_the_model(model: LanguageModel) -> None:
    model.rate, model.answer = 5.0, lambda text: "One sentence of many words. " * 50
    async with gateway(Scripted(voice=1.0), **settings(model)) as (url, sessions), page(url) as one:
        one.tell(type="text", text="Tell me a story.", mode="chat")
        await one.until(lambda: one.loud(), 20)
        one.tell(type="interrupt")
        assert await asyncio.to_thread(model.until, lambda: bool(model.cancelled))
        await one.until(lambda: one.of("state")[-1]["state"] == "idle")
        (session,) = sessions.running
        assert [line.role for line in session.history] == ["user", "avatar"]
        assert "One sentence of many words.".startswith(session.history[1].text)


async def test_the_answers_language_follows_the_speaker_where_the_voice_can(model: LanguageModel) -> None:
    script = Scripted(voice=0.2, heard="Guten Morgen.", language="de", speaks=("en", "de"))
    async with gateway(script, **settings(model)) as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.6)
        await one.until(lambda: one.captions("avatar"))
        spoken = [what[:3] for method, what in script.calls if method == "synthesize"]
        assert spoken[0] == ("You said Guten Morgen.", "de", "")
        assert "German" in model.requests[-1]["messages"][0]["content"]


async def test_a_voice_that_cannot_answers_in_its_own_language(model: LanguageModel) -> None:
    script = Scripted(voice=0.2, heard="Guten Morgen.", language="de")
    async with gateway(script, **settings(model)) as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.6)
        await one.until(lambda: one.captions("avatar"))
        assert {what[1] for method, what in script.calls if method == "synthesize"} == {"en"}


async def test_a_channel_flooded_with_text_leaves_the_session_alive(model: LanguageModel) -> None:
    script = Scripted(voice=0.1)
    async with gateway(script, **settings(model)) as (url, _), page(url) as one:
        for number in range(300):
            one.tell(type="text", text=f"Question {number}.", mode="chat")
        await one.until(lambda: one.captions("user")[-1:] == ["Question 299."], 20)
        await one.until(lambda: one.of("state")[-1]["state"] == "idle" and one.captions("avatar"), 20)
        assert {message["code"] for message in one.of("notice")} <= {"invalid_request"}  # too much at once
        one.tell(type="text", text="The last one.", mode="chat")
        await one.until(lambda: "You said The last one. I know." in one.captions("avatar"), 20)
        assert await asyncio.to_thread(model.until, lambda: model.running == 0)
