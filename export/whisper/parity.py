"""Whether the exported graphs say what the networks say: every export is compared before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avatar_runtime.whisper.features import HOP, log_mel
from avatar_runtime.whisper.network import Networks
from export.onnx_graph import ExportError
from export.whisper.checkpoint import Checkpoint
from export.whisper.model import Whisper

#: precision -> how far apart states, logits and shares of attention may be: the largest difference relative to the
#: largest value, and in 8 bits the root mean square relative to that of the values. There a few outliers among the
#: encoder's activations make a single value uncertain by half of the largest, and the text no worse.
TOLERANCE = {"fp32": (1e-3, 1e-3, 1e-3), "fp16": (2e-2, 2e-2, 5e-2), "int8": (0.25, 0.25, 0.5)}
GREEDY = 100  # tokens that have to be identical in fp32
FRAMES = (3000, 411, 2)  # what the encoder is compared on: 30 s, and shorter
STEER = 3  # tokens fed at once before the greedy ones


@dataclass(frozen=True)
class Difference:
    """How far something is from PyTorch's."""

    what: str
    apart: float

    def __str__(self) -> str:
        return f"{self.what:<34} {self.apart:.1e}"


@dataclass(frozen=True)
class Said:
    """The likeliest tokens one after the other, and what they were chosen by."""

    tokens: list[int]
    logits: NDArray[np.float32]  # [n, v], before each
    attention: NDArray[np.float32]  # [heads, STEER + n - 1, t]


def relative(found: NDArray[Any], wanted: NDArray[Any], precision: str = "fp32") -> float:
    """How far apart they are, as `TOLERANCE` has it."""
    apart, size = np.abs(found.astype(np.float64) - wanted.astype(np.float64)), np.abs(wanted.astype(np.float64))
    if precision == "int8":
        return float(np.sqrt((apart**2).mean() / max(float((size**2).mean()), 1e-18)))
    return float(apart.max() / max(float(size.max()), 1e-9))


def sound(bins: int, frames: int) -> NDArray[np.float32]:
    """A log-mel spectrogram [1, bins, frames] with something in it: a gliding tone, louder and softer, and noise."""
    time = np.arange(frames * HOP) / 16_000
    tone = np.sin(2 * np.pi * (200 + 60 * time) * time) * (0.2 + 0.2 * np.sin(7 * time))
    noise = np.random.default_rng(3).normal(0, 0.01, len(time))
    return log_mel((tone + noise).astype(np.float32), frames, bins)[None]


@torch.inference_mode()
def greedy(found: Checkpoint, states: torch.Tensor, count: int = GREEDY) -> Said:
    """PyTorch's likeliest `count` tokens about `states` [1, t, w], whatever their kind."""
    model, config = found.model, found.model.config
    cross = model.decoder.cross(states)
    heard = torch.tensor([states.shape[1]])
    head = config.width // config.decoder_heads
    past = [(torch.zeros(1, config.decoder_heads, 1, head),) * 2] * config.decoder_layers
    length, tokens, logits, shares = 0, [], [], []
    given = steer(found)
    for _ in range(count):
        state, keys, values, share = model.decoder.step(
            torch.tensor([given]), torch.tensor([length]), heard, past, cross
        )
        fresh = list(zip(keys, values, strict=True))
        if length:
            past = [(torch.cat([k, a], 2), torch.cat([v, b], 2)) for (k, v), (a, b) in zip(past, fresh, strict=True)]
        else:
            past = fresh
        length += len(given)
        logits.append(model.decoder.logits(state[:, -1:])[0, 0].numpy())
        shares.append(torch.stack([share[layer][0, index] for layer, index in found.heads]).numpy())
        given = [int(logits[-1].argmax())]
        tokens += given
    return Said(tokens, np.stack(logits), np.concatenate(shares, 1))


def steer(found: Checkpoint) -> list[int]:
    """Start, some language, without times: enough of what a text begins with."""
    return [found.ids["start"], found.ids["start"] + 1, found.ids["no_timestamps"]][:STEER]


def compare(found: Checkpoint, networks: Networks, precision: str) -> list[Difference]:
    """Encoder on several lengths, then the decoder fed with PyTorch's tokens. Raises `ExportError`."""
    for_states, for_logits, for_attention = TOLERANCE[precision]

    def row(what: str, ours: NDArray[Any], wanted: NDArray[Any], allowed: float) -> Difference:
        found = Difference(what, relative(ours, wanted, precision))
        if not found.apart <= allowed:
            raise ExportError(f"The export differs from PyTorch beyond {precision}'s tolerance: {found}.")
        return found

    rows = []
    for frames in FRAMES:
        mel = sound(found.model.config.bins, frames)
        states = _states(found.model, mel).numpy()
        rows.append(row(f"encoder: states of {frames} frames", networks.states(mel), states, for_states))
    mel = sound(found.model.config.bins, FRAMES[1])
    said = greedy(found, _states(found.model, mel))
    heard = follow(found, networks, networks.states(mel), said.tokens)
    same = sum(a == b for a, b in zip(heard.tokens, said.tokens, strict=True))
    if precision == "fp32" and same < len(said.tokens):
        raise ExportError(f"The exported decoder chooses other tokens than PyTorch: {same} of {len(said.tokens)} same.")
    return [
        *rows,
        row("decoder: logits", heard.logits, said.logits, for_logits),
        row("decoder: attention", heard.attention, said.attention, for_attention),
        Difference(f"decoder: other tokens of {len(said.tokens)}", 1 - same / len(said.tokens)),
    ]


def follow(found: Checkpoint, networks: Networks, states: NDArray[Any], tokens: list[int]) -> Said:
    """What the exported decoder would say after each of `tokens`, about its own encoder's `states`."""
    text = networks.begin(networks.remember(states))
    given, logits = steer(found), []
    for token in tokens:
        logits.append(networks.feed(text, given)[-1])
        given = [token]
    return Said([int(each.argmax()) for each in logits], np.stack(logits), np.concatenate(text.attention, 1))


@torch.inference_mode()
def _states(model: Whisper, mel: NDArray[np.float32]) -> torch.Tensor:
    return model.encoder(torch.from_numpy(mel))  # type: ignore[no-any-return]
