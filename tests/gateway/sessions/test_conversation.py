"""What a page can ask for, over the real data channel."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import pytest
from loopback import gateway, page
from scripted import Scripted

from characters import Character
from gateway.playout.timeline import PACKETS_PER_SLOT, SAID_AGAIN


async def test_typing_is_answered_and_remembered() -> None:
    script = Scripted(voice=0.3, clauses=2)
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="  Good morning  ", mode="chat")
        await one.until(lambda: one.captions("avatar"))
        assert one.captions("user") == ["Good morning"]
        assert one.captions("avatar", final=False) == ["Good morning 0", "Good morning 0 Good morning 1"]
        assert one.captions("avatar") == ["Good morning 0 Good morning 1"]
        assert ("synthesize", ("Good morning", "en", "hibari", "tts_hibari")) in script.calls
        assert "transcript" not in one.of("timing")[0]["ms"]


async def test_say_speaks_without_a_line_of_the_person() -> None:
    async with gateway(Scripted(voice=0.2)) as (url, _), page(url) as one:
        one.tell(type="text", text="Welcome", mode="say")
        await one.until(lambda: one.captions("avatar"))
        assert one.captions("user") == []
        await asyncio.sleep(0.3)  # what is still in the page's jitter buffer
        assert len(one.loud()) == pytest.approx(10, abs=2)


async def test_interrupting_stops_the_sound_and_keeps_what_was_heard() -> None:
    script = Scripted(voice=20.0, clauses=9)
    async with gateway(script) as (url, sessions), page(url) as one:
        one.tell(type="text", text="one two three four", mode="say")
        await one.until(lambda: one.loud())
        one.tell(type="interrupt")
        await one.until(lambda: one.of("state")[-1]["state"] == "idle")
        stopped = time.monotonic()
        await asyncio.sleep(0.7)
        assert one.loud(stopped + 0.4) == []
        assert script.cancelled == 1  # the stream was closed while clauses were still to come
        assert one.captions("avatar") == ["one"]
        (session,) = sessions.running
        assert [line.text for line in session._conversation.history] == ["one"]


async def test_speaking_over_the_portrait_interrupts_it_and_is_a_turn_of_its_own() -> None:
    script = Scripted(voice=15.0, heard="Stop")
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="A long story", mode="say")
        await one.until(lambda: one.loud())
        script.voice = 0.3
        one.mic.speak(1.2)
        await one.until(lambda: one.captions("user") == ["Stop"])
        # The caption comes before the state that ends the turn.
        await one.until(lambda: "Stop" in one.captions("avatar") and one.of("state")[-1]["state"] == "idle")
        states = [message["state"] for message in one.of("state")]
        assert states[-4:] == ["listening", "thinking", "speaking", "idle"]


async def test_a_murmur_holds_the_portrait_which_then_goes_on_where_it_stopped() -> None:
    script = Scripted(voice=3.0, heard="Mhm.")
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="A story", mode="say")
        await one.until(lambda: one.loud())
        one.mic.speak(0.25)
        await one.until(lambda: one.captions("avatar"))
        assert one.captions("avatar") == ["A story"]
        assert one.captions("user") == []
        await asyncio.sleep(0.3)  # what is still in the page's jitter buffer
        heard = one.loud()
        gaps = [late - early for early, late in itertools.pairwise(heard)]
        assert max(gaps) > 0.2  # it was silent while nobody knew
        # All of it was heard in the end; what a page would have silenced was said again.
        assert len(heard) == pytest.approx(150 + PACKETS_PER_SLOT * SAID_AGAIN, abs=6)
        assert [message["on"] for message in one.of("hold")] == [True, False]


async def test_a_short_word_interrupts() -> None:
    script = Scripted(voice=8.0, heard="Stop!")
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="text", text="A story", mode="say")
        await one.until(lambda: one.loud())
        script.voice = 0.3
        one.mic.speak(0.25)
        await one.until(lambda: "Stop!" in one.captions("avatar"))
        assert one.captions("user") == ["Stop!"]


async def test_who_goes_on_before_the_answer_is_heard_has_said_one_thing() -> None:
    script = Scripted(voice=1.0, delay=1.0)
    async with gateway(script) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.6)
        await one.until(lambda: one.of("state")[-1]["state"] == "thinking")
        script.heard = "Hello there and good morning."
        one.mic.speak(0.6)
        await one.until(lambda: "Hello there and good morning." in one.captions("avatar"))
        assert one.captions("user")[-1] == "Hello there and good morning."
        assert {message["id"] for message in one.of("caption") if message["role"] == "user"} == {"t1u"}
        (session,) = sessions.running
        assert [line.text for line in session.history] == ["Hello there and good morning."] * 2


async def test_what_is_said_is_shown_while_it_is_said() -> None:
    async with gateway(Scripted(voice=0.2)) as (url, _), page(url) as one:
        one.mic.speak(1.0)
        await one.until(lambda: one.captions("avatar"))
        (first, *_) = one.of("caption")
        assert (first["text"], first["tentative"].split()[0], first["final"]) == ("Hello", "there", False)


async def test_going_on_after_a_pause_throws_the_early_transcript_away() -> None:
    script = Scripted(voice=0.2)
    async with gateway(script) as (url, _), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(0.6)
        await one.until(lambda: [call for call in script.calls if call[0] == "heard"])
        one.mic.speak(0.6)
        await one.until(lambda: one.captions("avatar"))
        lengths = [length for name, length in script.calls if name == "heard"]
        assert len(lengths) == 2 and lengths[1] > lengths[0] + 8000
        assert one.captions("user") == ["Hello there"]


async def test_sound_without_words_is_no_turn() -> None:
    async with gateway(Scripted(heard="")) as (url, sessions), page(url) as one:
        await one.until(lambda: one.frames)
        one.mic.speak(1.0)
        await one.until(lambda: [message["state"] for message in one.of("state")][-2:] == ["thinking", "idle"])
        assert one.of("caption") == [] and one.of("notice") == []
        (session,) = sessions.running
        assert session.history == []


async def test_switching_the_microphone_off_ends_the_turn_and_deafens() -> None:
    script = Scripted(voice=0.2)
    async with gateway(script) as (url, _), page(url) as one:
        one.mic.speak(3.0)
        await one.until(lambda: one.of("state")[-1]["state"] == "listening")
        await asyncio.sleep(0.3)
        one.tell(type="mic", on=False)
        await one.until(lambda: one.captions("avatar"))
        assert len([call for call in script.calls if call[0] == "heard"]) == 1


async def test_emotion_reaches_motion_and_holds() -> None:
    script = Scripted()
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="emotion", emotion="happy", intensity=0.5)
        wanted = {"emotion": "happy", "intensity": 0.5}
        await one.until(lambda: any(call[0] == "motion" and call[1][1] == wanted for call in script.calls))
        assert one.of("emotion")[-1] == {"type": "emotion", **wanted}


async def test_the_persons_language_is_used() -> None:
    script = Scripted(voice=0.2)
    async with gateway(script) as (url, _), page(url) as one:
        one.tell(type="language", language="de")
        await asyncio.sleep(0.1)
        one.mic.speak(0.5)
        await one.until(lambda: one.of("caption"))
        assert one.of("caption")[0]["language"] == "de"


async def test_switching_the_character_changes_picture_and_voice() -> None:
    script = Scripted(voice=0.2)
    async with gateway(script, "ada", "bob") as (url, _), page(url) as one:
        assert one.of("character")[-1]["character"]["id"] == "ada"
        one.tell(type="character", id="bob")
        await one.until(lambda: one.of("character")[-1]["character"]["id"] == "bob", 1.0)
        await one.until(lambda: script.calls[-1] == ("render", (b"bob", None)), 1.0)
        one.tell(type="character", id="nobody")
        await one.until(lambda: one.of("notice"))
        assert one.of("notice")[0]["code"] == "unknown_character"
        await one.until(lambda: script.open == 3)


async def test_of_two_switches_at_once_the_last_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway(Scripted(), "ada", "bob", "eve") as (url, sessions), page(url) as one:
        (session,) = sessions.running
        store, begun, go = session._characters, threading.Event(), threading.Event()
        plain = store.get

        def slow(ident: str) -> Character:
            if ident == "bob":
                begun.set()
                go.wait(10)
            return plain(ident)

        monkeypatch.setattr(store, "get", slow)
        first = asyncio.create_task(session.switch("bob"))
        await one.until(begun.is_set)
        second = asyncio.create_task(session.switch("eve"))
        await asyncio.sleep(0.1)  # time enough to overtake, if it could
        go.set()
        await asyncio.gather(first, second)
        assert session.character is not None and session.character.id == "eve"


async def test_activating_a_character_switches_every_session() -> None:
    async with gateway(Scripted(), "ada", "bob") as (url, sessions), page(url) as one, page(url) as two:
        await sessions.activate("bob")
        for each in (one, two):
            await each.until(lambda each=each: each.of("character")[-1]["character"]["id"] == "bob")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "invalid_request"),
        ("[]", "invalid_request"),
        ('{"type":"dance"}', "invalid_request"),
        ('{"type":"text"}', "invalid_request"),
        ('{"type":"text","text":5}', "invalid_request"),
        ('{"type":"text","text":"   "}', "invalid_text"),
        ('{"type":"text","text":"%s"}' % ("a" * 6000), "invalid_text"),
        ('{"type":"text","text":"%s"}' % ("a" * 70_000), "too_large"),
        ('{"type":"emotion","emotion":"bored"}', "unknown_emotion"),
        ('{"type":"emotion","emotion":"happy","intensity":2}', "invalid_request"),
        ('{"type":"language","language":"../etc"}', "invalid_request"),
        ("[" * 60_000, "invalid_request"),
        (b"\x00\x01", "invalid_request"),
    ],
)
def test_a_bad_message_gets_one_sentence(message: str | bytes, code: str) -> None:
    from avatar_runtime.contracts import AvatarError
    from gateway.sessions.messages import parse

    with pytest.raises(AvatarError) as caught:
        parse(message)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


async def test_a_bad_message_is_told_and_the_session_goes_on() -> None:
    async with gateway(Scripted(voice=0.2)) as (url, _), page(url) as one:
        one.channel.send("{")
        one.channel.send(b"\x00")
        await one.until(lambda: len(one.of("notice")) == 2)
        assert {message["code"] for message in one.of("notice")} == {"invalid_request"}
        one.tell(type="text", text="Still here", mode="say")
        await one.until(lambda: one.captions("avatar"))
