"""Cloned voices against a real store and a scripted Triton."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scripted_inference import ScriptedInference, catalogue, cloning_catalogue, engine

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code, Role
from characters import Character, CharacterStore, NewCharacter
from gateway.cloning import Clone, Clones, can_learn, cloning_engines, reference, twin
from gateway.media import encode

TONE = (0.3 * np.sin(np.arange(4 * SPEAKING_RATE) * 2 * np.pi * 220 / SPEAKING_RATE)).astype(np.float32)
SAMPLE = encode(TONE, "wav")
AWAY = AvatarError(Code.ENGINE_UNAVAILABLE, "Gone.")


@pytest.fixture
def store(tmp_path: Path) -> CharacterStore:
    return CharacterStore(tmp_path, lambda: [])


@pytest.fixture
def inference() -> ScriptedInference:
    return ScriptedInference(roles=cloning_catalogue())


@pytest.fixture
async def clones(inference: ScriptedInference, store: CharacterStore) -> AsyncIterator[Clones]:
    made = Clones(inference, store)
    yield made
    await made.close()


@pytest.fixture
def ada(store: CharacterStore) -> Character:
    return store.set_voice_sample(store.create(NewCharacter(name="ada")).id, SAMPLE)


def cloned(inference: ScriptedInference) -> int:
    return sum(method == "clone" for method, _ in inference.asked)


async def until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)  # the store works in threads


def test_engines_belong_together_by_name() -> None:
    assert twin("voice_xtts", Role.TTS) == "tts_xtts" and twin("tts_xtts", Role.VOICE) == "voice_xtts"


def test_which_engines_speak_with_a_cloned_voice() -> None:
    assert cloning_engines(catalogue()) == [] and cloning_engines({}) == []
    roles = cloning_catalogue()
    assert cloning_engines(roles) == ["tts_xtts"] and can_learn(roles, "tts_xtts")
    assert cloning_engines(roles, language="fi") == ["tts_xtts"] and cloning_engines(roles, language="sv") == []
    roles["tts"]["engines"].insert(0, engine("tts_other", "en"))
    roles["voice"]["engines"].insert(0, engine("voice_other", ready=False))
    assert cloning_engines(roles) == ["tts_xtts", "tts_other"], "the role's own comes first"
    assert cloning_engines(roles, "tts_other") == ["tts_other", "tts_xtts"]
    assert not can_learn(roles, "tts_other"), "what is stored can be spoken, new latents have to wait"
    roles["tts"]["engines"][-1]["ready"] = False
    assert cloning_engines(roles) == ["tts_other"]


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (encode(TONE[: 2 * SPEAKING_RATE], "wav"), "too short"),
        (encode(np.zeros(4 * SPEAKING_RATE, np.float32), "wav"), "silent"),
        (encode(np.tile(TONE, 16), "wav"), "longer than 60 seconds"),
        (b"", "empty"),
        (b"<html>", "not a recording"),
    ],
)
def test_what_is_refused_before_any_engine_is_asked(recording: bytes, words: str) -> None:
    with pytest.raises(AvatarError, match=words) as caught:
        reference(recording)
    assert caught.value.code is Code.INVALID_AUDIO


def test_a_reference_is_mono_at_the_rate_of_speech() -> None:
    audio = reference(SAMPLE)
    assert audio.dtype == np.float32 and audio.shape == TONE.shape
    np.testing.assert_allclose(audio, TONE, atol=1e-4)


async def test_latents_that_are_missing_are_made_meanwhile(clones, inference, store, ada) -> None:
    assert await clones.of(ada) is None, "the built-in voice speaks until then"
    await until(lambda: store.voice_latents(ada.id))
    assert await clones.of(ada) == Clone("tts_xtts", b"latents of voice_xtts")
    assert cloned(inference) == 1
    assert store.get(ada.id).updated == ada.updated, "nobody has edited her"


async def test_a_talk_that_begins_makes_them(clones, store, ada) -> None:
    clones.prepare(ada)
    await until(lambda: store.voice_latents(ada.id))


async def test_many_who_ask_at_once_are_one_request(clones, inference, store, ada) -> None:
    assert await asyncio.gather(*(clones.of(ada) for _ in range(8))) == [None] * 8
    await until(lambda: store.voice_latents(ada.id))
    assert cloned(inference) == 1


async def test_when_the_engine_appears(clones, inference, store, ada) -> None:
    inference.roles = catalogue()
    assert await clones.of(ada) is None
    await asyncio.sleep(0.05)
    assert cloned(inference) == 0
    inference.roles = cloning_catalogue()
    clones.prepare(ada)
    await until(lambda: store.voice_latents(ada.id))


async def test_a_character_without_a_sample_costs_nothing(clones, inference, store) -> None:
    bob = store.create(NewCharacter(name="bob"))
    clones.prepare(bob)
    assert await clones.of(bob) is None and inference.asked == []


async def test_a_language_that_the_engine_does_not_speak(clones, store) -> None:
    eva = store.set_voice_sample(store.create(NewCharacter(name="eva", language="sv")).id, SAMPLE, b"x", "tts_xtts")
    assert await clones.of(eva) is None


async def test_the_engine_is_away(clones, inference, ada, store) -> None:
    store.set_voice_latents(ada.id, ada.voice.sample, b"x", "tts_xtts")
    inference.roles["voice"]["engines"][0]["ready"] = False
    assert await clones.of(ada) == Clone("tts_xtts", b"x"), "speaking needs only the voice itself"
    inference.failures["catalogue"] = AWAY
    assert await clones.of(ada) is None


async def test_a_recording_that_cannot_be_cloned_is_tried_once(clones, inference, store, ada) -> None:
    inference.failures["clone"] = AvatarError(Code.INVALID_AUDIO, "Nobody is heard speaking.")
    for _ in range(5):
        assert await clones.of(ada) is None
        await asyncio.sleep(0.05)
    assert cloned(inference) == 1
    del inference.failures["clone"]
    better = store.set_voice_sample(ada.id, encode(TONE * 0.5, "wav"))
    await clones.of(better)
    await until(lambda: store.voice_latents(ada.id))


async def test_an_engine_in_trouble_is_asked_again(clones, inference, store, ada) -> None:
    inference.failures["clone"] = AWAY
    await clones.of(ada)
    await until(lambda: cloned(inference) == 1)
    del inference.failures["clone"]
    await asyncio.sleep(0.05)
    await clones.of(ada)
    await until(lambda: store.voice_latents(ada.id))


async def test_latents_of_other_weights_are_made_anew_once(clones, inference, store, ada) -> None:
    store.set_voice_latents(ada.id, ada.voice.sample, b"old", "tts_xtts")
    old = await clones.of(ada)
    new = await clones.renew(ada, old)
    assert new == Clone("tts_xtts", b"latents of voice_xtts") and cloned(inference) == 1
    assert store.voice_latents(ada.id) == ("tts_xtts", new.latents)
    assert await clones.renew(ada, old) == new and cloned(inference) == 1, "another session is told what is there"
    assert await clones.renew(ada, new) is None and cloned(inference) == 1
    assert await clones.of(ada) is None, "what is refused twice is left alone"


async def test_a_sample_that_was_replaced_meanwhile_keeps_no_old_latents(clones, inference, store, ada) -> None:
    inference.clone_waits = asyncio.Event()
    await clones.of(ada)
    await until(lambda: cloned(inference) == 1)
    store.remove_voice_sample(ada.id)
    inference.clone_waits.set()
    await asyncio.sleep(0.1)
    assert store.voice_latents(ada.id) is None


async def test_a_voice_that_was_replaced_while_it_was_made_anew_is_not_spoken(clones, inference, store, ada) -> None:
    store.set_voice_latents(ada.id, ada.voice.sample, b"old", "tts_xtts")
    inference.clone_waits = asyncio.Event()
    renewing = asyncio.create_task(clones.renew(ada, Clone("tts_xtts", b"old")))
    await until(lambda: cloned(inference) == 1)
    store.set_voice_sample(ada.id, encode(TONE * 0.5, "wav"))
    inference.clone_waits.set()
    assert await renewing is None and store.voice_latents(ada.id) is None


async def test_a_character_that_was_deleted_meanwhile_has_no_voice_of_its_own(clones, store, ada) -> None:
    store.set_voice_latents(ada.id, ada.voice.sample, b"old", "tts_xtts")
    store.delete(ada.id)
    assert await clones.of(ada) is None
    assert await clones.renew(ada, Clone("tts_xtts", b"old")) is None


async def test_closing_ends_what_is_being_made(inference, store, ada) -> None:
    clones = Clones(inference, store)
    inference.clone_waits = asyncio.Event()
    await clones.of(ada)
    await until(lambda: cloned(inference) == 1)
    await clones.close()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_learning_once_stores_nothing(clones, inference, store) -> None:
    assert await clones.learn(TONE, language="de") == Clone("tts_xtts", b"latents of voice_xtts")
    with pytest.raises(AvatarError, match="unknown_language"):
        await clones.learn(TONE, language="sv")
    inference.roles = catalogue()
    with pytest.raises(AvatarError, match="engine_unavailable"):
        await clones.learn(TONE)
    assert store.list() == []
