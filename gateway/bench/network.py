"""`antlitz bench network`: a talk in Chromium over a rough network, as a person has it on a bad connection.

The gateway with its tritonserver is at one end of a link, Chromium in a network namespace at the other; between them IP
packets are lost, late, overtaken, or all gone. The gateway's sound is numbered (`numbered.py`): a gap is a time in
which nothing is heard that was not heard before, whether Chromium fills it with silence or with what it makes up.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.bench.conversation import LONG
from gateway.bench.numbered import HEARD_RATE, TONES, Audio, gaps, listen, longest_silence, news, sound
from gateway.bench.rough import Conditions
from gateway.bench.rough_link import Link, RoughLinkMissing, rough_link
from gateway.bench.within import Within, within
from gateway.playout.timeline import PACKET_SAMPLES, PACKETS_PER_SLOT, SLOT_SECONDS, Timeline

SCRIPT = Path(__file__).with_name("rough.js")
SETTLE_SECONDS = 5.0  # in which Chromium finds its delay
MOST_GAP = 0.2  # s
BLOCK_SECONDS = 4096 / HEARD_RATE  # of `rough.js`
AROUND = 8  # blocks before and after one, by which its lateness is judged
HEARD_AGAIN = 5  # new slots that are sound again, and no echo of what was
SPOKEN_SECONDS = 3.0  # of an answer before a cut
BACK_SECONDS = 30.0  # after a cut, within which a page is to be back
#: 5 % loss and 100 ms jitter, in both directions: a packet takes 0 to 200 ms.
ROUGH = Conditions(loss=0.05, delay=0.1, jitter=0.1)
FAR = Conditions(delay=0.05)  # 100 ms there and back
NEAR = Conditions(delay=0.01)


class Numbered(Timeline):
    """A timeline whose sound tells its slot. `left`: when (Unix time) each left, as (time, slot)."""

    left: list[tuple[float, int]] = []  # noqa: RUF012 - one talk is measured

    def take_audio(self, packet: int) -> Any:
        super().take_audio(packet)
        slot, part = divmod(packet, PACKETS_PER_SLOT)
        if part == 0:
            Numbered.left.append((time.time(), slot))
        return sound(slot)[part * PACKET_SAMPLES : (part + 1) * PACKET_SAMPLES]


@dataclass
class Talk:
    """One page in its talk."""

    antlitz: Within
    page: Any
    link: Link
    _heard: Audio = field(default_factory=lambda: np.zeros(0, np.float32))
    _told: list[float] = field(default_factory=list)  # Unix time at which each of its blocks was told of

    async def heard(self) -> Audio:
        """All that has come out of the portrait's track, at HEARD_RATE, since `forget`."""
        taken = await self.page.evaluate("rough.take()")
        part = np.frombuffer(base64.b64decode(taken["samples"]), "<i2").astype(np.float32) / 32768
        self._heard = np.concatenate([self._heard, part])
        self._told += [at / 1000 for at in taken["told"]]
        return self._heard

    async def forget(self) -> None:
        """What was heard until now does not count."""
        await self.heard()
        self._heard, self._told = np.zeros(0, np.float32), []

    @property
    def began(self) -> Any:
        """[blocks] Unix time of the recording's start, as each block has it: the least late of those around it."""
        own = np.array(self._told) - BLOCK_SECONDS * np.arange(1, len(self._told) + 1)
        around = np.lib.stride_tricks.sliding_window_view(np.pad(own, AROUND, mode="edge"), 2 * AROUND + 1)
        return around.min(axis=1)

    def when(self, at: Any) -> Any:
        """Unix times of moments of the recording (s)."""
        began = self.began
        return at + began[np.minimum((at / BLOCK_SECONDS).astype(int), len(began) - 1)]

    async def statistics(self) -> dict[str, Any]:
        return await self.page.evaluate("rough.statistics()")  # type: ignore[no-any-return]

    async def chat(self, text: str) -> None:
        """The person writes this, and is answered."""
        await self.page.get_by_test_id("text").fill(text)
        await self.page.get_by_test_id("send").click()
        await self.page.locator("[data-testid=transcript] [data-role=avatar]").last.wait_for(timeout=20_000)
        (session,) = self.antlitz.sessions.running
        while len(session.history) < 2:  # noqa: ASYNC110 - what was heard of the answer is told to nobody
            await asyncio.sleep(0.1)

    async def begin(self) -> None:
        """The portrait begins to say half a minute of text, whatever it was saying."""
        await self.page.get_by_test_id("text").fill(LONG)
        await self.page.get_by_test_id("say").click()

    async def speak(self, seconds: float) -> None:
        """The portrait speaks for so long, one text after another."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not await self.speaking():
                await self.begin()
            await asyncio.sleep(min(1.0, max(0.0, end - time.monotonic())))

    async def speaking(self) -> bool:
        state = await self.page.get_by_test_id("state").text_content()
        return "speak" in state.lower()


@asynccontextmanager
async def talking(link: Link) -> AsyncIterator[Talk]:
    """A page that is connected, over a near network, and hears numbers."""
    from gateway.sessions import session

    real = vars(session)["Timeline"]
    vars(session)["Timeline"] = Numbered  # the measurement's own
    try:
        link.shape(NEAR)
        async with within(link) as antlitz:
            page = await antlitz.page(SCRIPT)
            await antlitz.talk(page)
            yield Talk(antlitz, page, link)
            await page.context.close()
    finally:
        vars(session)["Timeline"] = real


def ages(heard: Any, numbers: Any) -> Any:
    """s from leaving the gateway until being heard, of slots that were heard at these Unix times.

    Numbers are known modulo `TONES`: an age is less than the 1.28 s that all of them last.
    """
    times, slots = np.array(Numbered.left).T
    found = []
    for at, number in zip(heard, numbers, strict=True):
        near = (times <= at) & (times > at - TONES * SLOT_SECONDS) & ((slots - number) % TONES == 0)
        found += list(at - times[near][-1:])
    return np.array(found)


@dataclass(frozen=True)
class Quality:
    """What was heard and seen over a time."""

    seconds: float
    gaps: Any  # s, after each new slot
    ages: Any  # s from the gateway to the ear, of each slot that was heard
    skipped: float  # s that the recording itself is short of: a busy machine's loudspeaker stood still
    round_trip: float  # s, of ICE's own checks, mean
    missing: float  # share of slots that were never heard
    silence: float  # s, the longest
    concealed: float  # share of samples that Chromium made up, silent ones too
    concealments: int
    mended: int  # packets that were made out of the next one
    delay: float  # s that sound waits in the jitter buffer, mean
    rate: float  # frames a second
    freezes: int
    frozen: float  # s
    keyframes: int
    bitrate: float  # bits a second, of the picture
    audio_bitrate: float

    @property
    def gap(self) -> float:
        return float(self.gaps.max())


async def quality(talk: Talk, conditions: Conditions, seconds: float) -> Quality:
    """Under these conditions, after a while in which Chromium settles."""
    talk.link.shape(conditions)
    await talk.speak(SETTLE_SECONDS)
    await talk.forget()
    before = await talk.statistics()
    await talk.speak(seconds)
    after = await talk.statistics()
    heard = listen(await talk.heard())
    known = news(heard)

    def grown(kind: str, name: str) -> float:
        return float(after[kind].get(name, 0) - before[kind].get(name, 0))

    return Quality(
        seconds=seconds,
        gaps=gaps(known),
        ages=ages(talk.when(known[:, 0]), known[:, 1]),
        skipped=float(np.ptp(talk.began)),
        round_trip=grown("pair", "totalRoundTripTime") / grown("pair", "responsesReceived"),
        missing=1 - (len(known) - 1) / (known[-1, 1] - known[0, 1]),
        silence=longest_silence(heard),
        concealed=grown("audio", "concealedSamples") / grown("audio", "totalSamplesReceived"),
        concealments=int(grown("audio", "concealmentEvents")),
        mended=int(grown("audio", "fecPacketsReceived") - grown("audio", "fecPacketsDiscarded")),
        delay=grown("audio", "jitterBufferDelay") / grown("audio", "jitterBufferEmittedCount"),
        rate=grown("video", "framesDecoded") / seconds,
        freezes=int(grown("video", "freezeCount")),
        frozen=grown("video", "totalFreezesDuration"),
        keyframes=int(grown("video", "keyFramesDecoded")),
        bitrate=grown("video", "bytesReceived") * 8 / seconds,
        audio_bitrate=grown("audio", "bytesReceived") * 8 / seconds,
    )


@dataclass(frozen=True)
class Cut:
    """What a time without a network did."""

    same: bool  # the session after it is the one before
    speaking: bool  # the portrait was in its answer when it was heard again
    remembers: bool  # what was said before is known
    silent: float  # s from the end of the cut until the portrait was heard again; infinite: it was not


async def cut(talk: Talk, seconds: float, unplugged: bool = False) -> Cut:
    """The network is away for `seconds`, in the middle of an answer. `unplugged`: the page's machine sees it."""
    (session,) = talk.antlitz.sessions.running
    if not session.history:
        await talk.chat("My name is Ann.")
    await talk.begin()
    await asyncio.sleep(SPOKEN_SECONDS)
    ident, history = session.id, list(session.history)
    if unplugged:
        talk.link.plug(False)
    else:
        talk.link.shape(Conditions(cut=True))
    await asyncio.sleep(seconds)
    await talk.forget()
    if unplugged:
        talk.link.plug(True)
    else:
        talk.link.shape(NEAR)
    back, silent = time.time(), float("inf")
    while time.time() < back + BACK_SECONDS and silent == float("inf"):
        await asyncio.sleep(0.1)
        known = news(listen(await talk.heard()))
        if len(known) >= HEARD_AGAIN:
            later = talk.when(known[:, 0]) - back
            silent = float(np.min(later[later > 0], initial=float("inf")))
    running = list(talk.antlitz.sessions.running)
    return Cut(
        same=[each.id for each in running] == [ident],
        speaking=await talk.speaking(),
        remembers=any(list(each.history)[: len(history)] == history for each in running),
        silent=silent,
    )


def of_quality(table: Table, name: str, found: Quality, most: str = "") -> None:
    """The rows of one network."""
    low, high = np.quantile(found.ages, [0.5, 0.95])
    over = int((found.gaps > MOST_GAP).sum())
    table.add_row(f"{name}, {found.seconds:.0f} s: longest time without new sound", f"{found.gap * 1000:.0f} ms", most)
    table.add_row(
        f"  such times over {MOST_GAP * 1000:.0f} ms; longest silence", f"{over}; {found.silence * 1000:.0f} ms"
    )
    table.add_row(
        "  40 ms of sound never heard; samples made up, by the browser's count",
        f"{found.missing:.2%}; {found.concealed:.2%} ({found.concealments} times, {found.mended} packets mended)",
    )
    table.add_row("  sound waits in the jitter buffer, mean", f"{found.delay * 1000:.0f} ms")
    table.add_row("  sound leaves until it is recorded, p50 / p95", f"{low * 1000:.0f} / {high * 1000:.0f} ms")
    table.add_row("  the recording is short of", f"{found.skipped * 1000:.0f} ms")
    table.add_row("  round trip", f"{found.round_trip * 1000:.0f} ms")
    table.add_row(
        "  picture: frames a second; freezes, s of them",
        f"{found.rate:.1f}; {found.freezes}, {found.frozen:.1f} s",
    )
    table.add_row(
        "  picture and sound, bits a second; key frames",
        f"{found.bitrate / 1e6:.2f} M and {found.audio_bitrate / 1e3:.0f} k; {found.keyframes}",
    )


def of_cut(table: Table, name: str, found: Cut) -> None:
    """The rows of one cut."""
    told = ["the same session" if found.same else "another session", "it speaks" if found.speaking else "it is silent"]
    if found.remembers:
        told.append("what was said is known")
    table.add_row(f"{name}: after it", ", ".join(told))
    table.add_row("  heard again after", f"{found.silent:.1f} s", f"{BACK_SECONDS:.0f} s")


async def measure(link: Link, seconds: float, parts: list[str]) -> Table:
    table = Table("what", "measured", "at most", title=f"a rough network by {link.kind}")
    async with talking(link) as talk:
        if "sound" in parts:
            of_quality(table, "10 ms each way", await quality(talk, NEAR, min(seconds, 30)))
            of_quality(table, "5 % loss, 0 to 200 ms each way", await quality(talk, ROUGH, seconds), "200 ms")
            of_quality(table, "50 ms each way", await quality(talk, FAR, min(seconds, 30)))
        link.shape(NEAR)
        if "cuts" in parts:
            of_cut(table, "10 s without a network, mid-answer", await cut(talk, 10))
            of_cut(table, "10 s unplugged, mid-answer", await cut(talk, 10, unplugged=True))
            of_cut(table, "20 s without a network, mid-answer", await cut(talk, 20))
            of_cut(table, "40 s without a network", await cut(talk, 40))
    return table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench network", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="of speech under loss and jitter")
    parser.add_argument("--only", choices=["sound", "cuts"], help="this part alone")
    options = parser.parse_args(arguments)
    parts = [options.only] if options.only else ["sound", "cuts"]
    try:
        with rough_link() as link:
            Console(width=120).print(asyncio.run(measure(link, options.seconds, parts)))
    except RoughLinkMissing as error:
        sys.stderr.write(f"antlitz: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
