"""The vocoder with 2-D convolutions over pictures one pixel high: runtimes have their fast kernels for these.

Equal to `Vocoder` up to rounding. An upsampling by s, a transposed convolution of kernel 2 s and padding s / 2, becomes
two convolutions of two taps, one for the first half of each block of s results and one for the second: result
j = s i + p sees inputs i - 1 and i where p < s / 2, else i and i + 1.

Such kernels share their work among cores by channels and by rows, and the last stages have few channels. So a stage is
laid out in ROWS: pieces of the signal one under the other, each with as much of its neighbours as the branches reach
(REACH), which is cut off again. At the signal's own ends nothing is added: there the convolutions' zeros belong.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.xtts.vocoder import DILATIONS, KERNELS, SLOPE, Branch, Vocoder

#: Pieces of each stage; its samples are 8, 64, 128, 256 times the frames, and a piece is longer than REACH.
ROWS = (1, 1, 4, 4)
#: Samples that a branch sees to either side: its widest kernel at each dilation, and once more plain after each.
REACH = sum((max(KERNELS) // 2) * (dilation + 1) for dilation in DILATIONS)


def in_rows(x: Tensor, rows: int) -> Tensor:
    """[b, c, 1, n] -> [b, c, rows, n / rows + 2 REACH]: pieces with what lies around them."""
    piece = x.shape[3] // rows
    starts = [0, *(row * piece - REACH for row in range(1, rows - 1)), (rows - 1) * piece - 2 * REACH]
    return torch.cat([x[..., start : start + piece + 2 * REACH] for start in starts], 2)


def in_line(x: Tensor, rows: int) -> Tensor:
    """The pieces of `in_rows` without their surroundings, [b, c, 1, n]."""
    piece = x.shape[3] - 2 * REACH
    offsets = [0, *[REACH] * (rows - 2), 2 * REACH]
    parts = [x[:, :, row : row + 1, offset : offset + piece] for row, offset in enumerate(offsets)]
    return torch.cat(parts, 3)


def _conv(conv: nn.Conv1d) -> nn.Conv2d:
    """The same convolution of [b, c, 1, n]."""
    size, dilation, padding = conv.kernel_size[0], conv.dilation[0], conv.padding[0]
    flat = nn.Conv2d(
        conv.in_channels, conv.out_channels, (1, size), padding=(0, int(padding)), dilation=(1, dilation),
        bias=conv.bias is not None,
    )  # fmt: skip
    flat.weight.data = conv.weight.detach()[:, :, None].clone()
    if conv.bias is not None and flat.bias is not None:
        flat.bias.data = conv.bias.detach().clone()
    return flat


class FlatUpsampling(nn.Module):
    """[b, c, 1, n] -> [b, out, 1, n * stride]."""

    def __init__(self, up: nn.ConvTranspose1d) -> None:
        super().__init__()
        self.stride, self.out = up.stride[0], up.out_channels
        half = self.stride // 2
        assert up.kernel_size[0] == 2 * self.stride and up.padding[0] == half and up.bias is not None
        weight = up.weight.detach().permute(1, 0, 2)  # [out, in, 2 * stride]
        # Result s i + p takes input i - d with tap p + half + s d: d = 1, 0 for the first half; 0, -1 for the second.
        early = [weight[:, :, [p + half + self.stride, p + half]] for p in range(half)]
        late = [weight[:, :, [p + half, p + half - self.stride]] for p in range(half, self.stride)]
        self.early, self.late = (self._taps(torch.stack(each, 1), up.bias) for each in (early, late))

    @staticmethod
    def _taps(weight: Tensor, bias: Tensor) -> nn.Conv2d:
        """weight [out, places, in, 2]."""
        out, places, channels, _ = weight.shape
        conv = nn.Conv2d(channels, out * places, (1, 2))
        conv.weight.data = weight.flatten(0, 1)[:, :, None].clone()
        assert conv.bias is not None
        conv.bias.data = bias.detach().repeat_interleave(places)
        return conv

    def forward(self, x: Tensor) -> Tensor:
        half = self.stride // 2
        parts = [self.early(F.pad(x, (1, 0))), self.late(F.pad(x, (0, 1)))]
        # [b, out * half, 1, n] each -> [b, out, n, stride]
        blocks = torch.cat([part.unflatten(1, (self.out, half)).squeeze(3) for part in parts], 2)
        return blocks.transpose(2, 3).flatten(2)[:, :, None]


class FlatBranch(nn.Module):
    """Residual convolutions of one kernel size."""

    def __init__(self, branch: Branch) -> None:
        super().__init__()
        self.first = nn.ModuleList(_conv(conv) for conv in branch.convs1)  # type: ignore[arg-type]
        self.second = nn.ModuleList(_conv(conv) for conv in branch.convs2)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        for first, second in zip(self.first, self.second, strict=True):
            x = x + second(F.leaky_relu(first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class FlatVocoder(nn.Module):
    """Frames [b, w, n], n >= LEAST_FRAMES (fewer do not fill the rows), and a speaker [b, s] -> sound [b, 256 * n]."""

    def __init__(self, vocoder: Vocoder) -> None:
        super().__init__()
        self.conv_pre, self.conv_post = _conv(vocoder.conv_pre), _conv(vocoder.conv_post)
        self.cond_layer, self.conds = vocoder.cond_layer, vocoder.conds
        self.ups = nn.ModuleList(FlatUpsampling(up) for up in vocoder.ups)  # type: ignore[arg-type]
        self.branches = nn.ModuleList(FlatBranch(branch) for branch in vocoder.resblocks)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, speaker: Tensor) -> Tensor:
        speaker = speaker[:, :, None]
        x = self.conv_pre(frames[:, :, None]) + self.cond_layer(speaker)[:, :, None]
        for index, (up, told) in enumerate(zip(self.ups, self.conds, strict=True)):
            x = up(F.leaky_relu(x, SLOPE)) + told(speaker)[:, :, None]
            rows = ROWS[index]
            x = in_rows(x, rows) if rows > 1 else x
            first, *others = self.branches[index * len(KERNELS) : (index + 1) * len(KERNELS)]
            total = first(x)
            for branch in others:
                total = total + branch(x)
            x = in_line(total, rows) if rows > 1 else total
            x = x * (1 / len(KERNELS))
        return torch.tanh(self.conv_post(F.leaky_relu(x)))[:, 0, 0]
