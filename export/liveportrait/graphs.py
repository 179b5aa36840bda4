"""The three graphs that are exported (see `avatar_runtime.liveportrait.graphs`), as PyTorch modules.

In half precision the networks' weights and activations are f16, except where it shows: the motion extractor, all
keypoints and coordinates, sampling, the sums of instance norms and the last colours stay f32. The casts stand in the
graph, so its precision is its own, whoever runs it.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from export.liveportrait.inference import FastGenerator, VolumeExtractor, Warp, i420
from export.liveportrait.model import LivePortrait
from export.liveportrait.motion import keypoints


class Source(nn.Module):
    """Everything that depends on the picture alone."""

    def __init__(self, model: LivePortrait, half: bool = False) -> None:
        super().__init__()
        self.dtype = torch.float16 if half else torch.float32
        dense = copy.deepcopy(model.warping.dense_motion_network)
        self.appearance = VolumeExtractor(copy.deepcopy(model.appearance)).to(self.dtype)
        self.compress = nn.Sequential(dense.compress, dense.norm, nn.ReLU()).to(self.dtype)
        self.motion = model.motion

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        rgb = picture.permute(0, 3, 1, 2).float() / 255
        feature = self.appearance(rgb.to(self.dtype))
        found = self.motion(rgb)
        return (
            feature,
            self.compress(feature),
            found.canonical,
            found.pose,
            found.expression,
            found.translation,
            found.scale,
            keypoints(found),
        )


class Frame(nn.Module):
    """One frame for each row of `driven`: stitching, warp, generator, colours."""

    def __init__(self, model: LivePortrait, half: bool = False) -> None:
        super().__init__()
        dtype = torch.float16 if half else torch.float32
        self.retargeting = model.retargeting
        self.warp = Warp(copy.deepcopy(model.warping), model.widths.volume_depth).to(dtype)
        self.generator = FastGenerator(copy.deepcopy(model.generator)).to(dtype)

    def forward(self, feature: Tensor, compressed: Tensor, source: Tensor, driven: Tensor) -> tuple[Tensor, Tensor]:
        """The frames, and the RGB f32 0..1 [b, 3, 512, 512] they are made of, which is exported to be compared."""
        stitched = self.retargeting.stitch(source, driven)
        picture = self.generator(self.warp(feature, compressed, source, stitched))
        return i420(picture), picture


class Retarget(nn.Module):
    """How keypoints follow eyes and lips that open and close."""

    def __init__(self, model: LivePortrait) -> None:
        super().__init__()
        self.retargeting = model.retargeting

    def forward(self, source: Tensor, eyes: Tensor, lips: Tensor) -> tuple[Tensor, Tensor]:
        return self.retargeting.open_eyes(source, eyes), self.retargeting.open_lips(source, lips)
