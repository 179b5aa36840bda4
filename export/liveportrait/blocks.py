"""Convolution blocks that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvBlock2d(nn.Module):
    """3x3 convolution, batch norm, ReLU (or leaky ReLU 0.01); `pooled` halves both sides afterwards."""

    def __init__(self, channels: int, out: int, pooled: bool = False, leaky: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, padding=1)
        self.norm = nn.BatchNorm2d(out)
        self.pooled, self.leaky = pooled, leaky

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        x = F.leaky_relu(x) if self.leaky else F.relu(x)
        return F.avg_pool2d(x, 2) if self.pooled else x


class ConvBlock3d(nn.Module):
    """3x3x3 convolution, batch norm, ReLU; height and width are halved afterwards or doubled before."""

    def __init__(self, channels: int, out: int, pooled: bool = False, doubled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, out, 3, padding=1)
        self.norm = nn.BatchNorm3d(out)
        self.pooled, self.doubled = pooled, doubled

    def forward(self, x: Tensor) -> Tensor:
        if self.doubled:
            x = F.interpolate(x, scale_factor=(1, 2, 2))
        x = F.relu(self.norm(self.conv(x)))
        return F.avg_pool3d(x, (1, 2, 2)) if self.pooled else x


class ResidualBlock3d(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x))))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm3d(channels)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class SpectralConv2d(nn.Module):
    """A convolution whose weight is divided by its largest singular value (Miyato et al. 2018).

    The checkpoint holds what torch's `spectral_norm` keeps: the raw weight and both singular vectors u [out],
    v [in * k * k]; at inference sigma = u^T W v, without further power iterations.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, channels: int, out: int, size: int, bias: bool = True) -> None:
        super().__init__()
        self.padding = size // 2
        self.bias = nn.Parameter(torch.zeros(out)) if bias else None
        self.weight_orig = nn.Parameter(torch.empty(out, channels, size, size))
        nn.init.kaiming_uniform_(self.weight_orig, a=5**0.5)
        self.register_buffer("weight_u", F.normalize(torch.ones(out), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.ones(channels * size * size), dim=0))
        self.iterate(8)

    @torch.no_grad()
    def iterate(self, steps: int) -> None:
        """Power iterations towards the singular vectors of the present weight."""
        matrix = self.weight_orig.flatten(1)
        for _ in range(steps):
            self.weight_v.copy_(F.normalize(matrix.T @ self.weight_u, dim=0))
            self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0))

    @property
    def weight(self) -> Tensor:
        return self.weight_orig / (self.weight_u @ (self.weight_orig.flatten(1) @ self.weight_v))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, padding=self.padding)
