"""3-D convolutions as 2-D ones: runtimes have fast kernels for these, and for those they have not.

A volume is kept as its slices, [b * depth, c, h, w]. A convolution of depth k is one 2-D convolution with k times the
filters; output slice d is the sum of k of its parts, taken from the slices around d.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.liveportrait.blocks import ConvBlock3d, ResidualBlock3d
from export.liveportrait.zeros import framed

LANES = 16  # channels are padded to a multiple: ONNX Runtime's blocked convolutions take nothing else


def padded(channels: int) -> int:
    return -(-channels // LANES) * LANES if channels > LANES else channels


def slices(volume: Tensor) -> Tensor:
    """[b, c, d, h, w] -> [b * d, c, h, w]."""
    return volume.transpose(1, 2).flatten(0, 1)


def folded(conv: nn.Conv3d, norm: nn.BatchNorm3d | None) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch norm after it."""
    assert conv.bias is not None
    if norm is None:
        return conv.weight, conv.bias
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale.view(-1, *([1] * (conv.weight.ndim - 1)))
    return weight, (conv.bias - norm.running_mean) * scale + norm.bias


class SliceConv(nn.Module):
    """[b * depth, c, h, w] -> [b * depth, out, h, w], as the 3-D convolution `conv` (and `norm`) does it.

    `inputs` and `outputs` are the numbers of channels with padding; padding channels hold zeros.
    """

    def __init__(self, conv: nn.Conv3d, norm: nn.BatchNorm3d | None, depth: int, pad: bool = False) -> None:
        super().__init__()
        weight, bias = folded(conv, norm)
        out, channels, taps = weight.shape[:3]
        inputs, outputs = (padded(channels), padded(out)) if pad else (channels, out)
        wide = weight.new_zeros(taps, outputs, inputs, *weight.shape[3:])
        wide[:, :out, :channels] = weight.permute(2, 0, 1, 3, 4)
        self.weight = nn.Parameter(wide.flatten(0, 1), requires_grad=False)
        full = bias.new_zeros(outputs)
        full[:out] = bias
        self.bias = nn.Parameter(full.view(-1, 1, 1), requires_grad=False)
        self.depth, self.taps, self.outputs = depth, taps, outputs

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(x, self.weight, padding=self.taps // 2)
        around = self.taps // 2
        y = y.view(-1, self.depth, self.taps, self.outputs, *x.shape[2:])
        total = y[:, :, around] + self.bias
        for tap in range(self.taps):
            before, after = max(0, around - tap), max(0, tap - around)
            if before or after:
                total = total + framed(y[:, after : self.depth - before, tap], 1, before, after)
        return total.flatten(0, 1)


class SliceBlock(nn.Module):
    """A ConvBlock3d on slices."""

    def __init__(self, block: ConvBlock3d, depth: int, pad: bool = False) -> None:
        super().__init__()
        self.conv = SliceConv(block.conv, block.norm, depth, pad)
        self.pooled, self.doubled = block.pooled, block.doubled

    def forward(self, x: Tensor) -> Tensor:
        if self.doubled:
            x = F.interpolate(x, scale_factor=2)
        x = F.relu(self.conv(x))
        return F.avg_pool2d(x, 2) if self.pooled else x


class SliceResidual(nn.Module):
    """A ResidualBlock3d on slices."""

    def __init__(self, block: ResidualBlock3d, depth: int) -> None:
        super().__init__()
        norm = block.norm1
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        self.scale = nn.Parameter(scale.view(-1, 1, 1), requires_grad=False)
        self.shift = nn.Parameter((norm.bias - norm.running_mean * scale).view(-1, 1, 1), requires_grad=False)
        self.conv1 = SliceConv(block.conv1, block.norm2, depth)
        self.conv2 = SliceConv(block.conv2, None, depth)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x * self.scale + self.shift))))
