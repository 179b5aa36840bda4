"""From a drive to a film, with a renderer that is a script: batches, endings, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avatar_runtime.contracts import MOTION_SIZE, AvatarError, Code, Role
from gateway.animation.animate import animate, require
from gateway.animation.drives import SpeechDrive, still
from gateway.animation.film import Film, check_place
from gateway.inference import Speech


class Renderer:
    """Frames whose luma is the jaw's opening; `slow` seconds each."""

    def __init__(self, slow: float = 0.0, fails_at: int | None = None) -> None:
        self.slow, self.fails_at, self.pushes, self.closed = slow, fails_at, [], 0

    async def push(self, motion: np.ndarray) -> np.ndarray:
        self.pushes.append(len(motion))
        if self.fails_at is not None and sum(self.pushes) > self.fails_at:
            raise AvatarError(Code.NO_FACE, "No face.")
        await asyncio.sleep(self.slow * len(motion))
        frames = np.full((len(motion), 768, 512), 128, np.uint8)
        frames[:, :512] = 40 + 5 * (np.arange(len(motion))[:, None, None] % 30)
        return frames

    async def __aenter__(self) -> Renderer:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed += 1


class Inference:
    def __init__(self, renderer: Renderer, roles: dict[str, Any] | None = None) -> None:
        self._renderer, self._roles = renderer, roles or {}

    def render(self, *_: Any, **__: Any) -> Renderer:
        return self._renderer

    async def catalogue(self) -> dict[str, Any]:
        return self._roles


class Drive:
    channels, rate = 1, 48_000

    def __init__(self, frames: int | None, endless: bool = False) -> None:
        self.frames, self.left, self.endless, self.closed = frames, frames or 0, endless, 0

    def sound(self) -> Iterator[np.ndarray]:
        while True:
            yield np.full((1000, 1), 0.1, np.float32)

    async def motion(self, count: int) -> np.ndarray:
        count = count if self.endless else min(count, self.left)
        self.left -= count
        return np.repeat(still(), count, 0) if count else np.zeros((0, MOTION_SIZE), np.float32)

    async def close(self) -> None:
        self.closed += 1


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def read(path: Path) -> tuple[int, float, float]:
    with av.open(str(path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert picture.codec_context.pix_fmt == "yuv420p" and picture.average_rate == 25
        return picture.frames, float(picture.duration * picture.time_base), float(sound.duration * sound.time_base)


async def test_every_frame_is_written_with_its_sound(tmp_path: Path) -> None:
    drive, renderer, told = Drive(60), Renderer(), []
    out = tmp_path / "film.mp4"
    assert await animate(Inference(renderer), b"", drive, out, None, lambda *done: told.append(done)) == 60
    assert read(out) == (60, pytest.approx(2.4), pytest.approx(2.4, abs=0.03))
    assert told[-1] == (60, 60) and drive.closed == 1 and renderer.closed == 1
    assert files(tmp_path) == [out]
    assert out.read_bytes().find(b"moov") < out.read_bytes().find(b"mdat"), "players can start at once"


async def test_a_slow_renderer_gets_few_frames_at_a_time(tmp_path: Path) -> None:
    slow, quick = Renderer(slow=0.6), Renderer()
    await animate(Inference(slow), b"", Drive(3), tmp_path / "slow.mp4", None, lambda *_: None)
    await animate(Inference(quick), b"", Drive(200), tmp_path / "quick.mp4", None, lambda *_: None)
    assert max(slow.pushes) == 1 and max(quick.pushes) > 10


@pytest.mark.parametrize("before", [None, b"an older film"])
async def test_a_failure_leaves_what_was_there(tmp_path: Path, before: bytes | None) -> None:
    out = tmp_path / "film.mp4"
    if before:
        out.write_bytes(before)
    drive = Drive(500)
    with pytest.raises(AvatarError):
        await animate(Inference(Renderer(fails_at=40)), b"", drive, out, None, lambda *_: None)
    assert drive.closed == 1
    assert [path.read_bytes() for path in files(tmp_path)] == ([before] if before else [])


async def test_cancelled_in_the_middle_nothing_is_left(tmp_path: Path) -> None:
    drive = Drive(None, endless=True)
    started = asyncio.Event()
    work = asyncio.create_task(
        animate(Inference(Renderer(slow=0.001)), b"", drive, tmp_path / "f.mp4", None, lambda *_: started.set())
    )
    await started.wait()
    await asyncio.sleep(0.3)
    assert [path.suffix for path in files(tmp_path)] == [".part"], "it grows under another name"
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert files(tmp_path) == [] and drive.closed == 1


def test_places_where_no_film_can_go(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for out, words in (
        (tmp_path / "film.avi", "should end in .mp4"),
        (tmp_path / "folder.mp4", "is a folder"),
        (tmp_path / "none" / "film.mp4", "There is no folder"),
        (Path("/proc/film.mp4"), "cannot be written"),
    ):
        with pytest.raises(AvatarError, match=words):
            check_place(out)


def test_a_film_without_sound(tmp_path: Path) -> None:
    with Film(tmp_path / "f.mp4", None, 48_000) as film:
        film.write(np.full((3, 768, 512), 128, np.uint8))
    with av.open(str(tmp_path / "f.mp4")) as container:
        assert not container.streams.audio and container.streams.video[0].frames == 3


async def test_a_renderer_is_known_and_ready_or_the_sentence_says_which_are() -> None:
    engines = [{"name": "render_a", "ready": True}, {"name": "render_b", "ready": False}]
    inference = Inference(Renderer(), {"render": {"engines": engines}})
    await require(inference, Role.RENDER, "render_a")
    with pytest.raises(AvatarError, match=r"no renderer 'render_c'; ready: render_a\."):
        await require(inference, Role.RENDER, "render_c")
    with pytest.raises(AvatarError, match=r"render_b is not ready: .* Ready: render_a\."):
        await require(inference, Role.RENDER, "render_b")


async def test_speech_is_joined_with_its_phonemes() -> None:
    pushed = []

    class Stream:
        async def push(self, audio: np.ndarray, phonemes: list[str], times: np.ndarray, *feeling: Any) -> np.ndarray:
            pushed.append((len(audio), phonemes, times, feeling))
            return np.zeros((len(audio) // 960, MOTION_SIZE), np.float32)

    class Door:
        def motion(self, **_: Any) -> Stream:
            return Stream()

    chunk = Speech(np.zeros(1000, np.float32), "a", ["a", "b"], np.array([[0, 0.02], [0.02, 0.04]], np.float32))
    drive = SpeechDrive(Door(), [chunk, chunk], "happy", 0.5, 1.0)
    assert drive.frames == 3
    assert [len(await drive.motion(2)) for _ in range(3)] == [2, 1, 0]
    assert pushed[0][1] == ["a", "b", "a", "b"] and pushed[0][2][2, 0] == pytest.approx(1000 / 24_000)
    assert pushed[0][3] == ("happy", 0.5) and pushed[1][1:] == ([], pytest.approx(np.zeros((0, 2))), ())
