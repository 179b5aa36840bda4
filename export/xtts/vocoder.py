"""The vocoder: the GPT's hidden states to sound at 24 kHz, by HiFi-GAN (Kong et al. 2020) told of the speaker."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.xtts.config import Config

KERNELS, DILATIONS = (3, 7, 11), (1, 3, 5)
STRIDES, STRIDE_KERNELS = (8, 8, 2, 2), (16, 16, 4, 4)
SLOPE = 0.1


class Branch(nn.Module):
    """Residual convolutions of one kernel size."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=each, padding=(kernel - 1) * each // 2) for each in DILATIONS
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in DILATIONS)

    def forward(self, x: Tensor) -> Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = x + second(F.leaky_relu(first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class Vocoder(nn.Module):
    """Frames [b, w, n] of 256 samples and a speaker [b, s] -> sound [b, 256 * n], -1..1. Weight norms are folded."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.vocoder
        self.conv_pre = nn.Conv1d(config.width, channels, 7, padding=3)
        self.cond_layer = nn.Conv1d(config.speaker, channels, 1)
        self.ups, self.conds, self.resblocks = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for stride, kernel in zip(STRIDES, STRIDE_KERNELS, strict=True):
            up = nn.ConvTranspose1d(channels, channels // 2, kernel, stride, padding=(kernel - stride) // 2)
            self.ups.append(up)
            channels //= 2
            self.conds.append(nn.Conv1d(config.speaker, channels, 1))
            self.resblocks.extend(Branch(channels, size) for size in KERNELS)
        self.conv_post = nn.Conv1d(channels, 1, 7, padding=3, bias=False)

    def forward(self, frames: Tensor, speaker: Tensor) -> Tensor:
        speaker = speaker[:, :, None]
        x = self.conv_pre(frames) + self.cond_layer(speaker)
        for index, (up, told) in enumerate(zip(self.ups, self.conds, strict=True)):
            x = up(F.leaky_relu(x, SLOPE)) + told(speaker)
            branches = self.resblocks[index * len(KERNELS) : (index + 1) * len(KERNELS)]
            x = torch.stack([branch(x) for branch in branches]).sum(0) / len(KERNELS)
        return torch.tanh(self.conv_post(F.leaky_relu(x)))[:, 0]
