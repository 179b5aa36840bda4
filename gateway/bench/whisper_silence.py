"""A minute each of what is no speech: how many words are heard in it, in one go and while it sounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from avatar_runtime.whisper.streaming import Stream
from gateway.bench import sounds
from gateway.bench.whisper_streaming import PUSH
from gateway.bench.whisper_weights import exported_base, transcriber

SECONDS = 60


def measure(models: Path, say: Callable[..., None]) -> None:
    """Words heard in silence, white noise, music, breathing and room tone."""
    ears = transcriber(exported_base(models, "int8"))
    options = ears.options()
    for name, sound in sounds.speechless(SECONDS).items():
        whole = len(ears.transcribe(sound).words)
        stream, most = Stream(ears), 0
        for start in range(0, len(sound), PUSH):
            stream.add(sound[start : start + PUSH], options)
            most = max(most, len(stream.heard().words))
        most = max(most, len(stream.finish(options).words))
        say(f"{SECONDS} s of {name}: words, at once; as a stream", f"{whole}; {most}", "0; 0", whole + most == 0)
