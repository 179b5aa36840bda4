"""The four graphs that are exported (see `avatar_runtime.xtts.graphs`), as PyTorch modules with examples.

In half precision the GPT's and the vocoder's weights and activations are f16; softmax, logits and the hidden states
handed out stay f32. Conditioning and speaker run once a voice and stay f32.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from avatar_runtime.xtts import graphs as names
from export.onnx_graph import Graph
from export.xtts.flat import FlatVocoder
from export.xtts.gpt import Gpt
from export.xtts.model import Xtts

MOST_ROWS = 64  # utterances that one step may carry


class Step(nn.Module):
    """`Gpt.step` with the cache's tensors one by one."""

    def __init__(self, gpt: Gpt) -> None:
        super().__init__()
        self.gpt = gpt

    def forward(self, embeds: Tensor, lengths: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        logits, state, keys, values = self.gpt.step(embeds, lengths, list(zip(past[::2], past[1::2], strict=True)))
        return logits.float(), state.float(), keys, values


class Voice(nn.Module):
    """The vocoder, hearing hidden states through RESAMPLE."""

    def __init__(self, vocoder: FlatVocoder) -> None:
        super().__init__()
        self.vocoder = vocoder

    def forward(self, hidden: Tensor, resample: Tensor, speaker: Tensor) -> Tensor:
        dtype = self.vocoder.conv_pre.weight.dtype
        frames = (resample @ hidden).transpose(1, 2)
        return self.vocoder(frames.to(dtype), speaker.to(dtype)).float()


def prepared(model: Xtts, name: str, precision: str) -> Graph:
    """The graph `name`, with an example to trace it by and its free axes."""
    config, dtype = model.config, torch.float16 if precision == "fp16" else torch.float32
    rows = torch.export.Dim("batch", min=1, max=MOST_ROWS)
    if name in ("conditioning", "speaker"):
        rate = names.CONDITIONING_RATE if name == "conditioning" else names.SPEAKER_RATE
        module: nn.Module = model.conditioning if name == "conditioning" else model.hifigan_decoder.speaker_encoder
        output = names.LATENTS if name == "conditioning" else names.SPEAKER
        samples = torch.export.Dim("samples", min=rate // 4, max=60 * rate)
        example = [torch.randn(2, 2 * rate) * 0.1]
        return Graph(name, module, [names.AUDIO], [output], example, MOST_ROWS, [{0: rows, 1: samples}])
    if name == "vocoder":
        hidden = torch.export.Dim("hidden", min=1, max=4096)
        frames = torch.export.Dim("frames", min=names.LEAST_FRAMES, max=16384)
        example = [torch.randn(2, 9, config.width), torch.randn(2, 23, 9), torch.randn(2, config.speaker)]
        axes = [{0: rows, 1: hidden}, {0: rows, 1: frames, 2: hidden}, {0: rows}]
        module = Voice(FlatVocoder(copy.deepcopy(model.hifigan_decoder.waveform_decoder)).to(dtype))
        inputs = [names.HIDDEN, names.RESAMPLE, names.SPEAKER]
        return Graph(name, module, inputs, [names.SOUND], example, MOST_ROWS, axes)
    new, past = torch.export.Dim("new", min=1, max=1024), torch.export.Dim("past", min=1, max=4096)
    head = config.width // config.heads
    cache = [torch.randn(2, config.heads, 7, head, dtype=dtype) for _ in range(2 * config.layers)]
    example = [torch.randn(2, 3, config.width, dtype=dtype), torch.tensor([7, 4]), *cache]
    axes = ({0: rows, 1: new}, {0: rows}, tuple({0: rows, 2: past} for _ in cache))
    inputs = [names.EMBEDS, names.LENGTHS, *names.past_names(config.layers)]
    outputs = [names.LOGITS, names.HIDDEN, names.KEYS, names.VALUES]
    return Graph(name, Step(_bare(model.gpt, dtype)), inputs, outputs, example, MOST_ROWS, axes)


def _bare(gpt: Gpt, dtype: torch.dtype) -> Gpt:
    """The GPT without its ear and its tables, in the graph's precision; a copy only where that differs."""
    if dtype == torch.float32:
        return gpt
    half = Gpt(gpt.config)
    half.load_state_dict({name: value for name, value in gpt.state_dict().items() if name in half.state_dict()})
    return half.to(dtype).eval().requires_grad_(False)
