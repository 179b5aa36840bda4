"""The three small networks on keypoints: stitching, and how far eyes and lips are open."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from avatar_runtime.liveportrait.graphs import KEYPOINTS

POINTS = 3 * KEYPOINTS


class KeypointMlp(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, inputs: int, hidden: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        sizes = (inputs, *hidden, outputs)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, *parts: Tensor) -> Tensor:
        return self.mlp(torch.cat([part.flatten(1) for part in parts], 1))


class Retargeting(nn.Module):
    """Source keypoints [b, 21, 3], beside what is wanted, to corrections of the driven ones."""

    def __init__(self) -> None:
        super().__init__()
        self.stitching = KeypointMlp(2 * POINTS, (128, 128, 64), POINTS + 2)
        self.lip = KeypointMlp(POINTS + 2, (128, 128, 64), POINTS)
        self.eye = KeypointMlp(POINTS + 3, (256, 256, 128, 128, 64), POINTS)

    def stitch(self, source: Tensor, driven: Tensor) -> Tensor:
        """`driven` [b, 21, 3] moved so that what the crop's border shows (shoulders, hair) stays where it is."""
        delta = self.stitching(source, driven)
        return driven + delta[:, :POINTS].unflatten(1, (KEYPOINTS, 3)) + _flat(delta[:, POINTS:])

    def open_eyes(self, source: Tensor, ratios: Tensor) -> Tensor:
        """The correction [b, 21, 3] for eyes as far open as `ratios` [b, 3] says: left and right now, and wanted."""
        return self.eye(source, ratios).unflatten(1, (KEYPOINTS, 3))

    def open_lips(self, source: Tensor, ratios: Tensor) -> Tensor:
        """The correction [b, 21, 3] for lips as far open as `ratios` [b, 2] says: now, and wanted."""
        return self.lip(source, ratios).unflatten(1, (KEYPOINTS, 3))


def _flat(xy: Tensor) -> Tensor:
    """A step [b, 2] in x and y for every keypoint -> [b, 1, 3]."""
    return torch.nn.functional.pad(xy, (0, 1))[:, None]
