"""`antlitz bench network`: a talk in Chromium over a rough network, as a person has it on a bad connection.

The gateway with its tritonserver is at one end of a link, Chromium in a network namespace at the other; between them IP
packets are lost, late, overtaken, or all gone. The gateway's sound is numbered (`numbered.py`): a gap is a time in which
nothing is heard that was not heard before, whether Chromium fills it with silence or with what it makes up.
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
from gateway.bench.numbered import HEARD_RATE, Audio, gaps, listen, longest_silence, news, sound
from gateway.bench.rough import Conditions
from gateway.bench.rough_link import Link, RoughLinkMissing, rough_link
from gateway.bench.within import Within, within
from gateway.playout.timeline import PACKET_SAMPLES, PACKETS_PER_SLOT, Timeline

SCRIPT = Path(__file__).with_name("rough.js")
SETTLE_SECONDS = 5.0  # in which Chromium finds its delay
MOST_GAP = 0.2  # s
BACK_SECONDS = 30.0  # after a cut, within which a page is to be back
#: 5 % loss and 100 ms jitter, in both directions: a packet takes 0 to 200 ms.
ROUGH = Conditions(loss=0.05, delay=0.1, jitter=0.1)
FAR = Conditions(delay=0.05)  # 100 ms there and back
NEAR = Conditions(delay=0.01)


class Numbered(Timeline):
    """A timeline whose sound tells its slot."""

    def take_audio(self, packet: int) -> Any:
        super().take_audio(packet)
        slot, part = divmod(packet, PACKETS_PER_SLOT)
        return sound(slot)[part * PACKET_SAMPLES : (part + 1) * PACKET_SAMPLES]


@dataclass
class Talk:
    """One page in its talk."""

    antlitz: Within
    page: Any
    link: Link
    began: float = 0.0  # Unix time of the first sample of `heard`
    _heard: list[Audio] = field(default_factory=list)

    async def heard(self) -> Audio:
        """All that has come out of the portrait's track, at HEARD_RATE, since `forget`."""
        taken = await self.page.evaluate("rough.take()")
        part = np.frombuffer(base64.b64decode(taken["samples"]), "<i2").astype(np.float32) / 32768
        if not self._heard and taken["began"] is not None:
            self.began = self.began or taken["began"] / 1000
        self._heard.append(part)
        self._heard = [np.concatenate(self._heard)]
        return self._heard[0]

    async def forget(self) -> None:
        """What was heard until now does not count."""
        past = await self.heard()
        self.began += len(past) / HEARD_RATE
        self._heard = [np.zeros(0, np.float32)]

    async def statistics(self) -> dict[str, Any]:
        return await self.page.evaluate("rough.statistics()")  # type: ignore[no-any-return]

    async def speak(self, seconds: float) -> None:
        """The portrait speaks for so long, one text after another."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not await self.speaking():
                await self.page.get_by_test_id("text").fill(LONG)
                await self.page.get_by_test_id("say").click()
            await asyncio.sleep(min(1.0, max(0.0, end - time.monotonic())))

    async def speaking(self) -> bool:
        state = await self.page.get_by_test_id("state").text_content()
        return "speak" in state.lower()

    @property
    def session(self) -> str:
        """The id of the one session that runs; "" when none does."""
        return next((session.id for session in self.antlitz.sessions.running), "")


@asynccontextmanager
async def talking(link: Link) -> AsyncIterator[Talk]:
    """A page that is connected, over a near network, and hears numbers."""
    from gateway.sessions import session

    real, session.Timeline = session.Timeline, Numbered  # type: ignore[misc]  # the measurement's own
    try:
        link.shape(NEAR)
        async with within(link) as antlitz:
            page = await antlitz.page(SCRIPT)
            await antlitz.talk(page)
            yield Talk(antlitz, page, link)
            await page.context.close()
    finally:
        session.Timeline = real  # type: ignore[misc]


@dataclass(frozen=True)
class Quality:
    """What was heard and seen over a time."""

    seconds: float
    gaps: Any  # s, after each new slot
    missing: float  # share of slots that were never heard
    silence: float  # s, the longest
    concealed: float  # share of samples that Chromium made up, silent ones too
    concealments: int
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
        missing=1 - (len(known) - 1) / (known[-1, 1] - known[0, 1]),
        silence=longest_silence(heard),
        concealed=grown("audio", "concealedSamples") / grown("audio", "totalSamplesReceived"),
        concealments=int(grown("audio", "concealmentEvents")),
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
    resumed: bool  # it went on with its answer: the portrait spoke when the page was back
    remembers: bool  # what was said before is known
    silent: float  # s from the end of the cut until the portrait was heard again


async def cut(talk: Talk, seconds: float, plug: bool = False) -> Cut:
    """The network is away for `seconds`, in the middle of an answer; with `plug` the page's cable is out."""
    await talk.speak(3)
    (session,) = talk.antlitz.sessions.running
    before, history, tracks = session.id, list(session.history), await talk.page.evaluate("rough.tracks")
    if plug:
        talk.link.plug(False)
    else:
        talk.link.shape(Conditions(cut=True))
    await asyncio.sleep(seconds)
    if plug:
        talk.link.plug(True)
    else:
        talk.link.shape(NEAR)
    back = time.time()
    await talk.heard()
    await talk.forget()
    silent = float("nan")
    while time.time() - back < BACK_SECONDS + 5:
        await asyncio.sleep(0.5)
        known = news(listen(await talk.heard()))
        known = known[known[:, 0] + talk.began > back]
        if len(known) > 3:
            silent = float(known[0, 0] + talk.began - back)
            break
    await asyncio.sleep(1)
    states = await talk.page.evaluate("rough.messages.filter(([at, m]) => m.type === 'state').map(([at, m]) => [at, m.state])")
    first = next((state for at, state in states if at / 1000 > back), "")
    running = list(talk.antlitz.sessions.running)
    print(before, [s.id for s in running], tracks, await talk.page.evaluate("rough.tracks"), states[-4:], back, first)
    return Cut(
        same=[each.id for each in running] == [before],
        resumed=first == "speaking",
        remembers=any(list(each.history)[: len(history)] == history for each in running),
        silent=silent,
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench network", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="of speech under loss and jitter")
    options = parser.parse_args(arguments)
    try:
        with rough_link() as link:
            print(asyncio.run(measure(link, options.seconds)))
    except RoughLinkMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def measure(link: Link, seconds: float) -> Any:
    async with talking(link) as talk:
        for conditions, s in ((NEAR, 15), (ROUGH, seconds)):
            q = await quality(talk, conditions, s)
            print({k: v for k, v in vars(q).items() if k != "gaps"}, np.sort(q.gaps)[-8:], np.quantile(q.gaps, [.5,.9,.99]))
        st = await talk.statistics()
        print({k: v for k, v in st["audio"].items()}); print({k: v for k, v in st["video"].items()}); print(st["pair"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
