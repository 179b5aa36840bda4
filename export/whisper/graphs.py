"""The three graphs that are exported (see `avatar_runtime.whisper.exported`), as PyTorch modules with examples.

In half precision weights and activations are f16; softmax, logits and attention handed out stay f32. For 8 bits the
projection to the vocabulary becomes a matrix of its own, and the table of tokens is kept in f16.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from avatar_runtime.whisper import exported as names
from export.onnx_graph import Graph
from export.whisper.model import Decoder, Whisper

MOST_ROWS = 64  # utterances that one run may carry
Heads = list[tuple[int, int]]  # layer and head of each


class Turned(nn.Module):
    """A linear layer with its weight [in, out], as a matrix product in ONNX has it."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.T.contiguous(), requires_grad=False)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        product = x @ self.weight
        return product if self.bias is None else product + self.bias


class Cross(nn.Module):
    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, states: Tensor) -> tuple[Tensor, ...]:
        return tuple(part for pair in self.decoder.cross(states) for part in pair)


class Step(nn.Module):
    """`Decoder.step` with the tensors of both caches one by one, and the alignment heads picked out."""

    def __init__(self, decoder: Decoder, heads: Heads, projection: nn.Module | None) -> None:
        super().__init__()
        self.decoder, self.heads, self.projection = decoder, heads, projection

    def forward(self, tokens: Tensor, lengths: Tensor, heard: Tensor, *caches: Tensor) -> tuple[Tensor, ...]:
        pairs = list(zip(caches[::2], caches[1::2], strict=True))
        layers = len(pairs) // 2
        states, keys, values, shares = self.decoder.step(tokens, lengths, heard, pairs[:layers], pairs[layers:])
        logits = self.decoder.logits(states) if self.projection is None else self.projection(states)
        picked = torch.stack([shares[layer][:, head] for layer, head in self.heads], 1)
        return logits.float(), keys, values, picked


def _bare(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy in the graph's precision, its linear layers turned."""
    made = copy.deepcopy(module).to(dtype)
    for parent in list(made.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, Turned(child.weight, child.bias))
    return made.eval().requires_grad_(False)


def prepared(model: Whisper, heads: Heads, name: str, precision: str) -> Graph:
    """The graph `name`, with an example to trace it by and its free axes."""
    config, dtype = model.config, torch.float16 if precision == "fp16" else torch.float32
    layers, shape = config.decoder_layers, (config.decoder_heads, config.width // config.decoder_heads)
    rows = torch.export.Dim("batch", min=1, max=MOST_ROWS)
    if name == "encoder":
        frames = torch.export.Dim("frames", min=2, max=2 * config.positions)
        example = [torch.randn(2, config.bins, 30)]
        module = _bare(model.encoder, dtype)
        return Graph(name, module, [names.MEL], [names.STATES], example, MOST_ROWS, [{0: rows, 2: frames}])
    states = torch.export.Dim("states", min=1, max=config.positions)
    if name == "cross":
        example = [torch.randn(2, 15, config.width, dtype=dtype)]
        module = Cross(_bare(model.decoder, dtype))  # type: ignore[arg-type]
        outputs = names.cross_names(layers)
        return Graph(name, module, [names.STATES], outputs, example, MOST_ROWS, [{0: rows, 1: states}])
    new = torch.export.Dim("new", min=1, max=config.length)
    past = torch.export.Dim("past", min=1, max=4096)
    before = [torch.randn(2, shape[0], 7, shape[1], dtype=dtype) for _ in range(2 * layers)]
    sound = [torch.randn(2, shape[0], 15, shape[1], dtype=dtype) for _ in range(2 * layers)]
    example = [torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.tensor([7, 4]), torch.tensor([15, 9]), *before, *sound]
    axes = ({0: rows, 1: new}, {0: rows}, {0: rows})
    caches = (*({0: rows, 2: past} for _ in before), *({0: rows, 2: states} for _ in sound))
    decoder, projection = _bare(model.decoder, dtype), None
    if precision == "int8":
        projection = Turned(model.decoder.embed_tokens.weight, None)
        decoder.embed_tokens.half()  # type: ignore[union-attr,operator]
    step = Step(decoder, heads, projection)  # type: ignore[arg-type]
    inputs = [names.TOKENS, names.LENGTHS, names.HEARD, *names.past_names(layers), *names.cross_names(layers)]
    outputs = [names.LOGITS, names.KEYS, names.VALUES, names.ATTENTION]
    return Graph(name, step, inputs, outputs, example, MOST_ROWS, (*axes, caches))
