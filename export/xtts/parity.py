"""Whether the exported graphs say what the networks say: every export is compared before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_runtime.xtts import graphs as names
from avatar_runtime.xtts.gpt import Gpt as Runner
from avatar_runtime.xtts.gpt import Sizes, Tables
from avatar_runtime.xtts.sampling import Sampling, choose
from export.onnx_graph import ExportError
from export.xtts.graphs import prepared
from export.xtts.model import Xtts

#: precision -> largest difference relative to the largest value: logits and hidden states, sound.
TOLERANCE = {"fp32": (1e-3, 1e-3), "fp16": (2e-2, 2e-2), "int8": (0.15, 1e-3)}
GREEDY = 200  # codes that have to be identical in fp32
TEXT = 30  # tokens


@dataclass(frozen=True)
class Difference:
    """How far something is from PyTorch's."""

    what: str
    largest: float

    def __str__(self) -> str:
        return f"{self.what:<34} {self.largest:.1e}"


def relative(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max()
    return float(apart / max(float(np.abs(wanted).max()), 1e-9))


def plain(model: Xtts, name: str, session: ort.InferenceSession, precision: str) -> Difference:
    """`conditioning`, `speaker` or `vocoder` on other sizes than it was traced by. Raises `ExportError`."""
    graph = prepared(model, name, "fp32")
    random = torch.Generator().manual_seed(1)
    if name == "vocoder":
        given = [torch.randn(1, *size, generator=random) for size in ((20, model.config.width), (70, 20))]
        given.append(torch.randn(1, model.config.speaker, generator=random))
    else:
        rate = names.CONDITIONING_RATE if name == "conditioning" else names.SPEAKER_RATE
        given = [torch.randn(1, 3 * rate + 123, generator=random) * 0.1]
    with torch.inference_mode():
        if name == "vocoder":  # beside the plain network, not the one that was arranged for export
            hidden, mix, speaker = given
            wanted = model.hifigan_decoder.waveform_decoder((mix @ hidden).transpose(1, 2), speaker).numpy()
        else:
            wanted = graph.module(*given).numpy()
    (found,) = session.run(None, {key: value.numpy() for key, value in zip(graph.inputs, given, strict=True)})
    return _within(Difference(name, relative(found, wanted)), TOLERANCE[precision][1], name, precision)


def spoken(
    model: Xtts, session: ort.InferenceSession, sizes: Sizes, tables: Tables, precision: str
) -> list[Difference]:
    """The GPT: the likeliest codes of a text, one after the other, beside PyTorch's on the same codes."""
    codes, states, logits = greedy(model, GREEDY)
    runner = Runner(session, sizes)
    prefix = tables.prefix(*_example(model))
    found, hidden = runner.add(prefix)
    seen = np.zeros(sizes.codes, np.bool_)
    same, apart, heard = 0, [], []
    for index, code in enumerate(codes):
        apart.append(relative(found, logits[index]))
        heard.append(relative(hidden, states[index]))
        same += choose(found, seen, Sampling(temperature=0), np.random.default_rng(0)) == code
        seen[code] = True
        more, after = runner.step(tables.code(code, index + 1)[None])
        found, hidden = more[0], after[0]
    share = same / len(codes)
    if precision == "fp32" and share < 1:
        raise ExportError(f"The exported gpt chooses other codes than PyTorch: {same} of {len(codes)} are the same.")
    allowed = TOLERANCE[precision][0]
    return [
        _within(Difference("gpt: logits", max(apart)), allowed, "gpt", precision),
        _within(Difference("gpt: hidden states", max(heard)), allowed, "gpt", precision),
        Difference(f"gpt: other codes of {len(codes)}", 1 - share),
    ]


def _within(row: Difference, allowed: float, graph: str, precision: str) -> Difference:
    if not row.largest <= allowed:
        raise ExportError(f"The exported {graph} differs from PyTorch beyond {precision}'s tolerance: {row}.")
    return row


def _example(model: Xtts) -> tuple[NDArray[np.float32], list[int]]:
    """Latents [32, w] and text ids."""
    random = np.random.default_rng(2)
    latents = random.normal(size=(names.CONDITIONING_LATENTS, model.config.width)).astype(np.float32)
    return latents, [int(each) for each in random.integers(2, model.config.text_tokens, TEXT)]


@torch.inference_mode()
def greedy(model: Xtts, count: int) -> tuple[list[int], NDArray[np.float32], NDArray[np.float32]]:
    """PyTorch's likeliest `count` codes, with the hidden states [n, w] and logits [n, codes] behind each."""
    gpt, config = model.gpt, model.config
    latents, text = _example(model)
    embeds = gpt.prefix(torch.from_numpy(latents)[None], torch.tensor([text]))
    head = config.width // config.heads
    past: list[tuple[Tensor, Tensor]] = [(torch.zeros(1, config.heads, 1, head),) * 2] * config.layers
    length, codes, states, logits = 0, [], [], []
    seen = np.zeros(config.codes, np.bool_)
    for index in range(count):
        found, hidden, keys, values = gpt.step(embeds, torch.tensor([length]), past)
        fresh = zip(keys, values, strict=True)
        if length:
            past = [(torch.cat([k, a], 2), torch.cat([v, b], 2)) for (k, v), (a, b) in zip(past, fresh, strict=True)]
        else:
            past = list(fresh)
        length = past[0][0].shape[2]
        codes.append(choose(found[0].numpy(), seen, Sampling(temperature=0), np.random.default_rng(0)))
        seen[codes[-1]] = True
        states.append(hidden[0].numpy())
        logits.append(found[0].numpy())
        place = gpt.mel_pos_embedding.emb.weight[index + 1]
        embeds = (gpt.mel_embedding.weight[codes[-1]] + place)[None, None]
    return codes, np.stack(states), np.stack(logits)
