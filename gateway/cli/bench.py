"""`antlitz bench WHAT [options]`: the committed measurements."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHES = {
    "conversation": "page, Chromium, Triton: frame rate, answer times, lips against sound, start, memory",
    "talk": "a conversation in Chromium: voice to voice, first caption, interruption, pauses",
    "playout": "sound against picture over ten minutes, and the age of a frame when it is shown",
    "sessions": "sessions opened and closed one after another, and what is left of them",
    "crowd": "several talks at once, cores of each process, and one visitor more than there are places",
    "soak": "half an hour of talking: memory, freezes, sound against picture, turns answered",
    "stt": "stt_whisper beside faster-whisper",
    "roundtrip": "what the voices say, transcribed back",
    "render": "render_meshwarp, CPU per frame",
    "liveportrait": "the exported LivePortrait beside the official modules, and through tritonserver",
    "whisper": "the exported Whisper beside faster-whisper and transformers, streaming, and through tritonserver",
    "xtts": "the exported XTTS beside coqui's, and through tritonserver",
    "fuzz": "requests made up from the OpenAPI document: no 500, nothing undocumented",
    "load": "cores that one talk takes, while it listens and while it speaks",
    "faults": "tritonserver and its models' processes killed in the middle of a sentence",
    "network": "a talk over a rough network: loss, jitter, cuts",
    "faces": "contact sheets of the default characters' faces",
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in BENCHES:
        lines = [f"  {name:<13} {text}" for name, text in BENCHES.items()]
        sys.stderr.write("\n".join(["usage: antlitz bench WHAT [options]", "", *lines, ""]))
        return 2
    return int(import_module(f"gateway.bench.{arguments[0]}").main(arguments[1:]))
