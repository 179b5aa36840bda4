"""M, the motion extractor: keypoints, head pose and expression of a face, by ConvNeXt V2 (Woo et al. 2023)."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avatar_runtime.liveportrait.graphs import KEYPOINTS
from export.liveportrait.widths import Widths

BINS = 66  # of 3 degrees each, the middle of the first at -97.5
EPSILON = 1e-6


class Motion(NamedTuple):
    """Everything M says of a face: keypoints and expression [b, 21, 3], pose [b, 3] in degrees (pitch, yaw, roll)."""

    canonical: Tensor
    pose: Tensor
    translation: Tensor  # [b, 3]
    expression: Tensor
    scale: Tensor  # [b, 1]


class ChannelNorm(nn.Module):
    """Layer norm over the channels of [b, c, h, w]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, EPSILON)
        return x.permute(0, 3, 1, 2)


class ResponseNorm(nn.Module):
    """Global response normalisation of [b, h, w, c] (ConvNeXt V2, equation 1 to 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        response = x.square().sum((1, 2), keepdim=True).sqrt()
        return self.gamma * (x * (response / (response.mean(-1, keepdim=True) + 1e-6))) + self.beta + x


class Block(nn.Module):
    """A ConvNeXt V2 block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, EPSILON)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.grn = ResponseNorm(4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.pwconv2(self.grn(F.gelu(self.pwconv1(y))))
        return x + y.permute(0, 3, 1, 2)


class Detector(nn.Module):
    """The backbone with its seven heads."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        channels = widths.motion_channels
        stem = nn.Sequential(nn.Conv2d(3, channels[0], 4, stride=4), ChannelNorm(channels[0]))
        halvings = [
            nn.Sequential(ChannelNorm(before), nn.Conv2d(before, after, 2, stride=2))
            for before, after in itertools.pairwise(channels)
        ]
        self.downsample_layers = nn.ModuleList([stem, *halvings])
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(wide) for _ in range(count)))
            for wide, count in zip(channels, widths.motion_blocks, strict=True)
        )
        self.norm = nn.LayerNorm(channels[-1], EPSILON)
        self.fc_kp = nn.Linear(channels[-1], 3 * KEYPOINTS)
        self.fc_scale = nn.Linear(channels[-1], 1)
        self.fc_pitch = nn.Linear(channels[-1], BINS)
        self.fc_yaw = nn.Linear(channels[-1], BINS)
        self.fc_roll = nn.Linear(channels[-1], BINS)
        self.fc_t = nn.Linear(channels[-1], 3)
        self.fc_exp = nn.Linear(channels[-1], 3 * KEYPOINTS)

    def forward(self, picture: Tensor) -> Motion:
        x = picture
        for halve, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(halve(x))
        x = self.norm(x.mean((-2, -1)))
        return Motion(
            canonical=self.fc_kp(x).unflatten(1, (KEYPOINTS, 3)),
            pose=torch.stack([degrees(head(x)) for head in (self.fc_pitch, self.fc_yaw, self.fc_roll)], 1),
            translation=self.fc_t(x),
            expression=self.fc_exp(x).unflatten(1, (KEYPOINTS, 3)),
            scale=self.fc_scale(x),
        )


class MotionExtractor(nn.Module):
    """[b, 3, 256, 256] RGB 0..1 -> Motion."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.detector = Detector(widths)

    def forward(self, picture: Tensor) -> Motion:
        return self.detector(picture)


def degrees(logits: Tensor) -> Tensor:
    """Logits [b, 66] of an angle's bins -> its mean [b] in degrees."""
    index = torch.arange(BINS, dtype=logits.dtype, device=logits.device)
    return (logits.softmax(1) * index).sum(1) * 3 - 97.5


def rotation(pose: Tensor) -> Tensor:
    """Pitch, yaw, roll in degrees [b, 3] -> matrices [b, 3, 3] that rows of keypoints are multiplied with."""
    (cx, cy, cz), (sx, sy, sz) = (f(torch.deg2rad(pose)).unbind(1) for f in (torch.cos, torch.sin))
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]  # Rz @ Ry @ Rx
    return torch.stack([torch.stack(row, 1) for row in rows], 1).transpose(1, 2)


def keypoints(motion: Motion) -> Tensor:
    """The keypoints [b, 21, 3] that a motion makes: scale * (canonical @ R + expression) + (t_x, t_y, 0)."""
    flat = motion.translation * motion.translation.new_tensor([1.0, 1.0, 0.0])
    turned = motion.canonical @ rotation(motion.pose) + motion.expression
    return motion.scale[:, :, None] * turned + flat[:, None]
