"""XTTS's twin, spoken in this process: streaming, sharing, stopping, runaways, cloning, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.voices.engine import Chunk
from avatar_runtime.xtts import engine as speaking
from avatar_runtime.xtts.batch import Utterance
from avatar_runtime.xtts.cloning import Cloner
from avatar_runtime.xtts.engine import Engine, Request
from avatar_runtime.xtts.graphs import MANIFEST, VOICES
from avatar_runtime.xtts.resample import whole, window
from avatar_runtime.xtts.voices import BuiltIn

pytest.importorskip("torch", reason="XTTS's twin has to be exported: pip install -e '.[export]'")

TEXT = "Good morning, my friend. It is good of you to come."


@pytest.fixture(scope="module")
def engine(twin: Path) -> Engine:
    return Engine(twin, threads=2)


def said(engine: Engine, **options: object) -> list[Chunk]:
    return list(engine.speak(Request(**{"text": TEXT, "language": "en", **options})))  # type: ignore[arg-type]


def sound(chunks: list[Chunk]) -> np.ndarray:
    return np.concatenate([chunk.audio for chunk in chunks])


def test_chunks_carry_sound_and_the_text_once(engine: Engine) -> None:
    chunks = said(engine)
    assert " ".join(chunk.text for chunk in chunks if chunk.text) == TEXT
    audio = sound(chunks)
    assert audio.dtype == np.float32 and np.isfinite(audio).all() and np.abs(audio).max() <= 1
    assert len(chunks) > 2 and len(chunks[0].audio) < len(chunks[2].audio), "a short one first, then longer ones"


def test_the_same_seed_sounds_the_same_and_another_does_not(engine: Engine) -> None:
    first, again, other = (sound(said(engine, seed=seed)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.allclose(first, other)


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**63 - 1])
def test_any_seed_will_do(engine: Engine, seed: int) -> None:
    assert len(sound(said(engine, text="Yes.", seed=seed)))


def test_streamed_sound_is_that_of_the_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under -60 dB everywhere, the joints included."""
    windows: list[speaking.Window] = []

    class Remembered(speaking.Window):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            windows.append(self)

    monkeypatch.setattr(speaking, "Window", Remembered)
    for speed in (1.0, 1.3):
        windows.clear()
        streamed = sound(said(engine, speed=speed, voice="Uta Obando", text="One short sentence, said at once."))
        (view,) = windows
        states = np.stack(view._states)
        matrix, start = window(0, whole(len(states), speed), speed, len(states))
        at_once = view._sound(states[None, start : start + matrix.shape[1]], matrix[None])[0]
        assert streamed.shape == at_once.shape
        apart = np.abs(streamed - at_once).max() / np.abs(at_once).max()
        assert 20 * np.log10(max(apart, 1e-12)) < -60


def test_many_speak_at_once(engine: Engine) -> None:
    found: dict[int, np.ndarray] = {}

    def speak(seed: int) -> None:
        found[seed] = sound(said(engine, seed=seed))

    threads = [threading.Thread(target=speak, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 6 and all(len(audio) > SPEAKING_RATE / 4 for audio in found.values())


def test_a_cancelled_request_ends(engine: Engine) -> None:
    stop = threading.Event()
    stream = engine.speak(Request(TEXT * 20, "en"), stop.is_set)
    next(stream)
    stop.set()
    began = time.monotonic()
    assert len(list(stream)) <= 1
    assert time.monotonic() - began < 5


def test_what_comes_after_is_not_even_read_once_cancelled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, read = threading.Event(), []
    stream = engine.speak(Request(TEXT * 20, "en"), stop.is_set)
    real = engine._frontend.ids
    monkeypatch.setattr(engine._frontend, "ids", lambda *given: (read.append(given), real(*given))[1])
    next(stream)
    stop.set()
    list(stream)
    assert len(read) == 1


def test_a_closed_stream_ends(engine: Engine) -> None:
    stream = engine.speak(Request(TEXT * 20, "en"))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert said(engine, text="Yes.")


class Stuck(speaking.Watch):
    """Finds fault with every utterance after so many codes."""

    after = 4
    made = 0

    def __init__(self, characters: int, most: int) -> None:
        super().__init__(characters, most)
        type(self).made += 1

    def code(self, code: int) -> str:
        self._count += 1
        return "no stop" if self._count >= self.after else ""


@pytest.mark.parametrize(("after", "tries"), [(4, 2), (30, 1)])
def test_a_runaway_is_tried_again_while_nobody_heard_it_and_then_ended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, after: int, tries: int
) -> None:
    monkeypatch.setattr(Stuck, "after", after)
    monkeypatch.setattr(Stuck, "made", 0)
    monkeypatch.setattr(speaking, "Watch", Stuck)
    audio = sound(said(engine, text="One sentence of some length, which the voice will not finish."))
    assert Stuck.made == tries
    assert 0 < len(audio) < 4 * SPEAKING_RATE and abs(audio[-1]) < 1e-3, "cut off without a click"


def test_a_voice_that_never_stops_ends_whoever_is_slow_to_hear_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes run ahead of a reader as far as its watch lets it hear them, and no further."""
    given: list[Utterance] = []
    real = engine._batch.give
    monkeypatch.setattr(engine._batch, "give", lambda each: (given.append(each), real(each)))
    monkeypatch.setattr(speaking.Watch, "code", lambda self, code: "")
    monkeypatch.setattr(engine, "_sizes", dataclasses.replace(engine._sizes, stop_code=-1))
    stream = engine.speak(Request("A few words.", "en"))
    next(stream)
    while given[0].said < given[0].most:
        time.sleep(0.01)
    time.sleep(0.1)
    assert given[0].said == given[0].most == speaking.Watch(len("A few words."), 10_000).limit
    assert len(list(stream))


def test_speed_changes_the_length(engine: Engine) -> None:
    slow, fast = (len(sound(said(engine, speed=speed))) for speed in (0.6, 1.5))
    assert slow > 2 * fast


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"text": ""}, Code.INVALID_TEXT),
        ({"text": "x" * 100_000}, Code.INVALID_TEXT),
        ({"language": "xx"}, Code.UNKNOWN_LANGUAGE),
        ({"voice": "nobody"}, Code.UNKNOWN_VOICE),
        ({"speed": 9.0}, Code.INVALID_REQUEST),
        ({"latents": b"nothing"}, Code.INVALID_REQUEST),
    ],
)
def test_bad_requests_are_refused_before_anything_is_said(engine: Engine, options: dict, code: Code) -> None:
    with pytest.raises(AvatarError) as caught:
        engine.speak(Request(**{"text": TEXT, "language": "en", **options}))
    assert caught.value.code is code and caught.value.message.endswith((".", "?"))


def test_one_endless_word_is_spoken(engine: Engine) -> None:
    stream = engine.speak(Request("a" * 5_000, "en"))
    assert len(next(stream).audio)
    stream.close()  # type: ignore[attr-defined]


def test_a_cloned_voice_speaks(engine: Engine, twin: Path) -> None:
    random = np.random.default_rng(0)
    recording = (random.normal(size=5 * SPEAKING_RATE) * 0.1).astype(np.float32)
    cloner = Cloner(twin)
    latents = cloner.latents(recording)
    cloned, own = sound(said(engine, latents=latents)), sound(said(engine))
    assert not np.array_equal(cloned[:1000], own[:1000])
    voice = cloner.voice(recording)
    assert voice.latents.shape == (32, 64) and np.linalg.norm(voice.speaker) == pytest.approx(1, abs=1e-4)
    with pytest.raises(AvatarError, match="too short"):
        cloner.latents(recording[:1000])


def test_latents_of_other_weights_are_told_apart(engine: Engine, twin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(twin, other)
    told = json.loads((other / MANIFEST).read_text("utf-8"))
    told["checkpoint_sha256"] = "00" * 32
    (other / MANIFEST).write_text(json.dumps(told), "utf-8")
    latents = Cloner(other).latents(np.random.default_rng(0).normal(size=SPEAKING_RATE * 4).astype(np.float32) * 0.1)
    with pytest.raises(AvatarError) as caught:
        engine.speak(Request(TEXT, "en", latents=latents))
    assert caught.value.code is Code.UNKNOWN_VOICE


@pytest.mark.parametrize("name", ["gpt.onnx", "vocoder.onnx", "tables.npz", VOICES, "vocab.json", MANIFEST])
@pytest.mark.parametrize("kept", [None, 100])
def test_a_broken_bundle_is_refused_in_one_sentence(twin: Path, tmp_path: Path, name: str, kept: int | None) -> None:
    copy = tmp_path / "xtts"
    shutil.copytree(twin, copy)
    data = (copy / name).read_bytes()
    (copy / name).unlink()
    if kept is not None:
        (copy / name).write_bytes(data[:kept])
    with pytest.raises(AvatarError) as caught:
        Engine(copy)
    assert name.partition(".")[0] in caught.value.message and "antlitz export xtts" in caught.value.message


def test_built_in_voices_are_the_published_ones(twin: Path) -> None:
    with np.load(twin / VOICES, allow_pickle=False) as arrays:
        names = BuiltIn(arrays).names
    assert len(names) == 58 and names[0] == "Claribel Dervla"


def test_nothing_of_training_is_needed_to_speak(twin: Path) -> None:
    """With torch, coqui and transformers out of reach, XTTS and LivePortrait load and XTTS speaks."""
    program = """
        import sys
        for name in ("torch", "TTS", "transformers", "coqpit", "trainer", "librosa"):
            sys.modules[name] = None
        from pathlib import Path
        from avatar_runtime.xtts.engine import Engine, Request
        import avatar_runtime.xtts.cloning, avatar_runtime.liveportrait.portrait, avatar_runtime.face.renderer
        import avatar_runtime.voices.kokoro, avatar_runtime.voices.hibari, avatar_runtime.whisper.transcribe
        print(sum(len(chunk.audio) for chunk in Engine(Path(sys.argv[1])).speak(Request("Good morning.", "en"))))
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(program), str(twin)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.strip().splitlines()[-1]) > SPEAKING_RATE / 10


def test_a_devices_engine_speaks(twin: Path) -> None:
    """As on a GPU, on the processor's device: the cache there, recorded steps, windows of one size."""
    engine = Engine(twin, threads=1, providers=("CPUExecutionProvider",))
    chunks = list(engine.speak(Request("Good morning to you all, and a very good day.", "en")))
    sound = np.concatenate([chunk.audio for chunk in chunks])
    assert len(sound) and np.isfinite(sound).all()
