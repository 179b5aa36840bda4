"""`antlitz bench conversation`: the whole of it in Chromium, as a person uses it, with the figures a person feels."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from rich.console import Console
from rich.table import Table

from avatar_runtime.contracts import CHANNEL, LISTENING_RATE, MOTION_SAMPLES
from gateway.bench.stack import browser, up, write_wav
from gateway.bench.stt import load_recordings
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.server import Server

RATE = 48_000  # Hz, what Chromium's file microphone takes without resampling
PAUSE = 9.0  # s of silence after an utterance: the answer is over before the next one
LOUD = 0.01  # RMS above which something is heard (about -40 dBFS)
PROBE = Path(__file__).with_name("probe.js")
LONG = (
    "A portrait is a patient thing. It hangs on its wall and watches people come and go, in summer and in winter. "
    "Some of them stop and look. A few begin to talk, and they are surprised when somebody answers. "
    "My painter worked slowly, and he liked to talk while he mixed his colours. He told me about rivers and birds, "
    "and about a machine that would fly one day. I did not believe him then. Now I see aeroplanes through the window "
    "every evening, and I think about him, and about all the people who have stood here before you came in."
)

Series = npt.NDArray[np.float64]  # [n, 2]: ms, value


def turns(folder: Path, count: int) -> tuple[Path, list[tuple[float, float]]]:
    """A microphone recording of `count` utterances with pauses, and when each begins and ends in it (s)."""
    pieces, times, at = [np.zeros(RATE * 4, np.float32)], [], 4.0
    spoken = [each.audio for each in load_recordings(Settings.from_environment().models / "bench") if each.seconds < 6]
    for index in range(count):
        speech = soxr.resample(spoken[index % len(spoken)], LISTENING_RATE, RATE).astype(np.float32)
        loud = np.flatnonzero(np.abs(speech) > 0.02)
        times.append((at + loud[0] / RATE, at + loud[-1] / RATE))
        silence = np.zeros(int(RATE * (len(speech) / RATE + PAUSE)), np.float32)
        pieces += [speech, silence]
        at += (len(speech) + len(silence)) / RATE
    return write_wav(folder / "microphone.wav", np.concatenate(pieces), RATE), times


def onset(series: Series, after: float, before: float = np.inf) -> float | None:
    """The first moment (ms) after `after` that is loud, and stays so for most of 30 ms."""
    window = series[(series[:, 0] > after) & (series[:, 0] < before)]
    loud = (window[:, 1] > LOUD).astype(float)
    if len(loud) < 6:
        return None
    found = np.flatnonzero((np.convolve(loud, np.ones(6), "valid") >= 4) & (loud[:-5] > 0))
    return float(window[found[0], 0]) if len(found) else None


def answer_times(page: Any, count: int, timeline: list[tuple[float, float]]) -> list[float]:
    """Seconds from the end of each utterance (at the microphone) to the first sound of the answer (at the browser)."""
    page.wait_for_timeout((timeline[-1][1] + PAUSE) * 1000)
    probe = page.evaluate("probe")
    microphone, loudspeaker = np.array(probe["microphone"]), np.array(probe["loudspeaker"])
    first = onset(microphone, 0)
    if first is None:
        return []
    origin = first - timeline[0][0] * 1000
    found = []
    for index, (_, end) in enumerate(timeline):
        until = timeline[index + 1][0] if index + 1 < count else end + PAUSE
        heard = onset(loudspeaker, origin + end * 1000, origin + until * 1000)
        if heard is not None:
            found.append((heard - origin) / 1000 - end)
    return found


def lag(sound: Series, picture: Series) -> float:
    """How much later than `sound` the `picture` moves, ms: the peak of their correlation on a grid of 5 ms."""
    start, end = max(sound[0, 0], picture[0, 0]) + 500, min(sound[-1, 0], picture[-1, 0]) - 500
    grid = np.arange(start, end, 5.0)

    def at(series: Series) -> Series:
        values = np.interp(grid, series[:, 0], series[:, 1])
        smooth = np.convolve(values, np.hanning(16) / np.hanning(16).sum(), "same")
        slow = np.convolve(values, np.ones(200) / 200, "same")  # the second around it: light, breathing, loudness
        return (smooth - slow) / (np.std(smooth - slow) + 1e-9)

    one, two = at(sound), at(picture)
    shifts = range(-100, 101)  # ±500 ms
    scores = [float(np.dot(one[100:-100], two[100 + shift : len(two) - 100 + shift])) for shift in shifts]
    return shifts[int(np.argmax(scores))] * 5.0


async def intrinsic_lag(address: str, portrait: bytes, box: list[int], text: str) -> float:
    """The lag (ms) between voice and mouth as the engines made them, before any network: what is meant to be."""
    door = Inference(address, Settings.from_environment())
    sounds: list[npt.NDArray[np.float32]] = []
    mouths: list[float] = []
    async with door.motion() as motion, door.render(portrait) as render:
        async for chunk in door.synthesize(text, "en"):
            audio = np.pad(chunk.audio, (0, -len(chunk.audio) % MOTION_SAMPLES))
            sounds.append(audio)
            moved = await motion.push(audio, chunk.phonemes, chunk.phoneme_times)
            x, y, width, height = box
            for part in np.array_split(moved, max(1, len(moved) // 10)):
                frames = await render.push(part)
                mouths += [float(frame[y : y + height, x : x + width].mean()) for frame in frames]
    await door.close()
    audio = np.concatenate(sounds)
    levels = np.sqrt(np.add.reduceat(audio**2, np.arange(0, len(audio), 120)) / 120)
    sound = np.stack([np.arange(len(levels)) * 5.0 + 2.5, levels], axis=1)
    picture = np.stack([np.arange(len(mouths)) * 40.0 + 20, -np.array(mouths)], axis=1)
    return lag(sound, picture)


async def mouth_box(address: str, portrait: bytes) -> list[int]:
    """Where the open mouth is in the 512x512 frame: x, y, width, height of what darkens most."""
    door = Inference(address, Settings.from_environment())
    motion = np.zeros((2, len(CHANNEL)), np.float32)
    motion[:, CHANNEL["headScale"]] = 1
    motion[1, CHANNEL["jawOpen"]] = 0.5
    frames = (await door.render_once(portrait, motion, "i420"))[:, :512].astype(float)
    await door.close()
    change = frames[0] - frames[1]
    rows, columns = np.nonzero(change > 0.5 * change.max())
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    return [int(x0), int(y0), int(max(8, x1 - x0)), int(max(8, y1 - y0))]


def apart(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs `work` in a thread of its own: Playwright's synchronous interface keeps a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def smooth_video(page: Any, seconds: float) -> dict[str, float]:
    """Frames a second while it speaks, and freezes (as WebRTC's statistics define one), over `seconds`."""
    before = page.evaluate("probe.video()")
    start = page.evaluate("performance.now()")
    page.wait_for_timeout(seconds * 1000)
    after = page.evaluate("probe.video()")
    shown = np.array(page.evaluate("probe.frames"))[:, 0]
    counts = np.histogram(shown, np.arange(start, start + seconds * 1000 + 1, 1000))[0]
    return {
        "fps": float(np.median(counts)),
        "slowest": float(counts.min()),
        "freezes": after["freezeCount"] - before["freezeCount"],
        "bitrate": (after["bytesReceived"] - before["bytesReceived"]) * 8 / seconds,
        "width": after["frameWidth"],
    }


def connect(page: Any, url: str, character: str = "mona-lisa") -> None:
    page.add_init_script(path=PROBE)
    page.goto(url)
    page.locator(f'[data-testid="character"][data-id="{character}"]').click()
    page.get_by_test_id("connect").click()
    page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
    page.evaluate("probe.attach(document.querySelector('[data-testid=avatar]'))")


def say(page: Any, text: str) -> None:
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("say").click()
    page.wait_for_function("document.querySelector('[data-testid=state]').textContent.match(/speak/i)", timeout=20_000)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench conversation", description=__doc__)
    parser.add_argument("--turns", type=int, default=10, help="utterances spoken into the microphone")
    parser.add_argument("--seconds", type=float, default=30, help="of speech watched for its frame rate")
    parser.add_argument("--character", default="mona-lisa")
    options = parser.parse_args(arguments)
    console, table = Console(width=110), Table("what", "measured", "at least")
    with tempfile.TemporaryDirectory() as folder:
        microphone, timeline = turns(Path(folder), options.turns)
        with up() as running, browser(microphone) as page:
            table.add_row("`antlitz up`, full cache, to the page", f"{running.started_in:.1f} s", "8 s")
            connect(page, running.url, options.character)
            times = answer_times(page, options.turns, timeline)
            if times:
                p50, p95 = statistics.median(times), float(np.quantile(times, 0.95))
                title = f"end of speech to first sound, p50 / p95 ({len(times)} of {options.turns} turns answered)"
                table.add_row(title, f"{p50:.2f} / {p95:.2f} s", "1.5 / 2.2 s")
            portrait = page.request.get(f"{running.url}api/characters/{options.character}/portrait").body()
            data = Path(folder)
            server = Server(Settings.from_environment().models, data / "second")
            try:
                server.wait_ready()
                box = apart(mouth_box(server.address, portrait))
                meant = apart(intrinsic_lag(server.address, portrait, box, LONG))
            finally:
                server.stop()
            page.evaluate("box => { probe.mouth = box; probe.frames.length = 0; probe.loudspeaker.length = 0 }", box)
            say(page, LONG + " " + LONG)
            page.wait_for_timeout(1000)
            video = smooth_video(page, options.seconds)
            table.add_row("video while it speaks, median of seconds", f"{video['fps']:.0f} fps", "24 fps")
            table.add_row("  its slowest second", f"{video['slowest']:.0f} fps", "")
            table.add_row("  freezes", f"{video['freezes']:.0f}", "0")
            table.add_row("  bit rate", f"{video['bitrate'] / 1e6:.2f} Mbit/s at {video['width']:.0f} px", "")
            probe = page.evaluate("probe")
            picture = np.array(probe["frames"]) * [1, -1]
            shown = lag(np.array(probe["loudspeaker"]), picture)
            table.add_row(
                "lips after the sound, at the browser",
                f"{shown - meant:+.0f} ms (correlation {shown:+.0f}, as made {meant:+.0f})",
                "±80 ms",
            )
            table.add_row("memory of all processes, one session", f"{running.memory() / 1e9:.2f} GB", "2.5 GB")
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
