"""`antlitz bench faults`: processes killed (SIGKILL) in the middle of a sentence, and how long the portrait is silent.

A portrait in Chromium says a few sentences; while it speaks tritonserver, or the process of one of its models, is
killed. The talk has to go on by itself, in the same session, and every sentence has to be said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.bench.conversation import LOUD, PROBE, Series
from gateway.bench.stack import Running, browser, up

SERVER = "tritonserver"
#: Who speaks, what, and the processes that die: English is made far ahead of what is heard, German hardly.
ENGLISH, GERMAN = "mona-lisa", "maedchen-mit-perlenohrring"
STUBS = {ENGLISH: ("tts_hibari", "motion_speech", "render_meshwarp"), GERMAN: ("tts_kokoro",)}
TEXT = {ENGLISH: (
    "This portrait is about to be disturbed. It says one sentence after another, as if nothing could happen. "
    "Rivers run, birds sing, and machines fly. Somebody pulls a plug, and somebody puts it back. "
    "Every word of this should be heard. That was the last sentence."
), GERMAN: (
    "Dieses Bild wird gleich gestört. Es sagt einen Satz nach dem anderen, als ob nichts geschehen könnte. "
    "Flüsse fließen, Vögel singen, und Maschinen fliegen. Jemand zieht einen Stecker, und jemand steckt ihn ein. "
    "Jedes Wort soll zu hören sein. Das war der letzte Satz."
)}  # fmt: skip
ATTACH = """() => {
    probe.mouth = [0, 0, 512, 512];
    probe.attach(document.querySelector('[data-testid=avatar]'));
}"""
DONE = """() => {
    const told = probe.messages.map((each) => JSON.parse(each[1]));
    const said = told.some((each) => each.type === 'caption' && each.role === 'avatar' && each.final);
    return said && told.filter((each) => each.type === 'state').at(-1)?.state === 'idle';
}"""
BREATH = 0.7  # s; silence between two sentences is shorter
LATEST = 3000.0  # ms from the request to speak until the kill
TARGET = 5.0  # s
LONGEST = 45_000  # ms that a text may take in all


@dataclass(frozen=True)
class Outcome:
    """What one kill did. Seconds from the kill."""

    speech: float  # until it spoke again; 0 when there was no silence longer than between sentences
    picture: float  # the longest time that the picture stood still
    whole: bool  # every sentence was said, in the same session


def victim(running: Running, name: str) -> int:
    """The process to kill."""
    for pid in running.processes():
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if name == SERVER and Path(line[0]).name == SERVER:
            return pid
        if line[0].endswith("_backend_stub") and f"/{name}/" in line[1]:
            return pid
    raise RuntimeError(f"{name} does not run")


def silence_after(sound: Series, kill: float, threshold: float = LOUD) -> float:
    """Seconds from `kill` (ms) to the end of the longest silence after it; 0 when that is a breath."""
    loud = np.concatenate([[kill], sound[(sound[:, 1] > threshold) & (sound[:, 0] >= kill), 0]])
    if len(loud) < 2:
        return float("inf")
    gaps = np.diff(loud)
    longest = int(np.argmax(gaps))
    return 0.0 if gaps[longest] < BREATH * 1000 else float(loud[longest + 1] - kill) / 1000


def standstill(picture: Series, kill: float) -> float:
    """The longest time (s) after `kill` (ms) in which the picture did not change; breathing changes it always."""
    after = picture[picture[:, 0] >= kill]
    changes = after[1:][np.abs(np.diff(after[:, 1])) > 1e-6, 0]
    return float(np.diff(changes).max() / 1000) if len(changes) > 1 else float("inf")


def disturb(page: Any, running: Running, name: str, text: str, chance: random.Random) -> Outcome:
    """One text, one kill."""
    page.evaluate("() => { for (const each of ['loudspeaker', 'frames', 'messages']) probe[each].length = 0 }")
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("say").click()
    page.wait_for_timeout(chance.uniform(50, LATEST))  # before its first sound, too, or in the midst of a word
    pid = victim(running, name)
    kill = page.evaluate("performance.now()")
    os.kill(pid, signal.SIGKILL)
    page.wait_for_function(DONE, timeout=LONGEST)
    page.wait_for_timeout(500)
    probe = page.evaluate("probe")
    messages = [json.loads(data) for _, data in probe["messages"]]
    said = [m["text"] for m in messages if m["type"] == "caption" and m["role"] == "avatar" and m["final"]]
    mute = any(m["type"] == "notice" and "no voice" in m["message"] for m in messages)
    connected = page.evaluate("window.antlitz.peer.connectionState") == "connected"
    speech = silence_after(np.array(probe["loudspeaker"]), kill)
    still = standstill(np.array(probe["frames"]), kill)
    whole = said[-1:] == [text] and connected and not mute
    if not whole:
        notices = [m["message"] for m in messages if m["type"] == "notice"]
        sys.stderr.write(f"{name}: connected {connected}, said {said}, told {notices}\n")
    return Outcome(speech, still, whole)


def ready(running: Running) -> set[str]:
    """The engines that are."""
    with urllib.request.urlopen(f"{running.url}api/engines", timeout=10) as answer:
        roles = json.load(answer)
    roles = roles.get("roles", roles)
    return {engine["name"] for role in roles.values() for engine in role["engines"] if engine["ready"]}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="of tritonserver")
    parser.add_argument("--stubs", type=int, default=3, metavar="N", help="of each model's process")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    console, chance = Console(), random.Random(options.seed)
    table = Table(
        "killed while it speaks", "speaks again, p50 / worst", "picture still, p50 / worst", "all said, target"
    )
    trials = [(who, SERVER, options.kills // 2) for who in STUBS]
    trials += [(who, stub, options.stubs) for who, stubs in STUBS.items() for stub in stubs]
    failed = False
    with up() as running, browser() as page:
        page.add_init_script(path=PROBE)
        page.goto(running.url)
        page.locator(f'[data-testid=character][data-id="{ENGLISH}"]').click()
        page.get_by_test_id("connect").click()
        page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
        page.evaluate(ATTACH)
        everything = ready(running)
        for who, name, count in trials:
            page.locator(f'[data-testid=character][data-id="{who}"]').click()
            page.wait_for_timeout(2_000)
            found = []
            for _ in range(count):
                found.append(disturb(page, running, name, TEXT[who], chance))
                console.print(f"{who}, {name}: {found[-1]}")
                while ready(running) < everything:  # models that nobody missed are loaded last
                    page.wait_for_timeout(500)
            if found:
                speech, still = sorted(each.speech for each in found), sorted(each.picture for each in found)
                well = sum(each.whole and each.speech <= TARGET for each in found)
                failed = failed or well < count
                table.add_row(
                    f"{name}, {who}",
                    f"{statistics.median(speech):.1f} / {speech[-1]:.1f} s",
                    f"{statistics.median(still):.1f} / {still[-1]:.1f} s",
                    f"{well} of {count} within {TARGET:.0f} s",
                )
        killed = sum(count for _, name, count in trials if name == SERVER)
        more = sum(f"{SERVER} died" in line for line in running.output) - killed
        table.add_row(f"{SERVER} died by itself", "", "", f"{more} times, 0")
        failed = failed or more > 0
    console.print(table)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
