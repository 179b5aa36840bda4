"""The official modules beside ours, for measurements: from a checkout that its user fetched, with our weights in them.

Nothing of it is part of Antlitz. `root` is a checkout of KwaiVGI/LivePortrait; sizes are its src/config/models.yaml's.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from avatar_runtime.liveportrait.graphs import COMPRESSED, DRIVEN, FEATURE, IMAGE, KEYPOINTS, SOURCE
from export.liveportrait.model import LivePortrait
from export.liveportrait.parity import example
from export.liveportrait.retargeting import POINTS
from export.liveportrait.widths import PUBLISHED

DENSE = {"block_expansion": 32, "max_features": 1024, "num_blocks": 5, "reshape_depth": 16, "compress": 4}
SIZES = {"block_expansion": 64, "max_features": 512, "num_down_blocks": 2}


class Reference(nn.Module):
    """The official F, M, W, G and stitching network with the weights of `model`, which is as wide as published."""

    def __init__(self, root: Path, model: LivePortrait) -> None:
        super().__init__()
        if model.widths != PUBLISHED:
            raise ValueError("The official modules have one width: leave out --width.")
        if not (root / "src" / "modules" / "warping_network.py").is_file():
            raise ValueError(f"{root} is not a checkout of KwaiVGI/LivePortrait.")
        sys.path.insert(0, str(root))
        try:
            modules = {
                name: import_module(f"src.modules.{name}")
                for name in (
                    "appearance_feature_extractor",
                    "motion_extractor",
                    "warping_network",
                    "spade_generator",
                    "stitching_retargeting_network",
                )
            }
        finally:
            sys.path.remove(str(root))
        self.f = modules["appearance_feature_extractor"].AppearanceFeatureExtractor(
            image_channel=3, reshape_channel=32, reshape_depth=16, num_resblocks=6, **SIZES
        )
        self.m = modules["motion_extractor"].MotionExtractor(num_kp=KEYPOINTS, backbone="convnextv2_tiny")
        self.w = modules["warping_network"].WarpingNetwork(
            num_kp=KEYPOINTS, reshape_channel=32, estimate_occlusion_map=True, dense_motion_params=DENSE, **SIZES
        )
        self.g = modules["spade_generator"].SPADEDecoder(upscale=2, **SIZES)
        self.s = modules["stitching_retargeting_network"].StitchingRetargetingNetwork(
            input_size=2 * POINTS, hidden_sizes=[128, 128, 64], output_size=POINTS + 2
        )
        for mine, theirs in (
            (model.appearance, self.f),
            (model.motion, self.m),
            (model.warping, self.w),
            (model.generator, self.g),
            (model.retargeting.stitching, self.s),
        ):
            theirs.load_state_dict(mine.state_dict())  # strict: the names are the published ones
        self.eval().requires_grad_(False)

    def forward(self, feature: Tensor, source: Tensor, driven: Tensor) -> Tensor:
        """One frame as the official wrapper makes it: stitching, warp, decode -> RGB [b, 3, 512, 512], 0..1."""
        delta = self.s(torch.cat([source.flatten(1), driven.flatten(1)], 1))
        moved = driven + delta[:, :POINTS].view(-1, KEYPOINTS, 3)
        moved = torch.cat([moved[..., :2] + delta[:, None, POINTS:], moved[..., 2:]], -1)
        return self.g(self.w(feature, kp_source=source, kp_driving=moved)["out"])  # type: ignore[no-any-return]


def relative(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).abs().max() / wanted.abs().max())


@torch.inference_mode()
def parity(reference: Reference, model: LivePortrait) -> dict[str, float]:
    """The largest difference of each of our networks from the official one, relative to its largest output."""
    given = example(model, 1)
    rgb = given[IMAGE].permute(0, 3, 1, 2).float() / 255
    feature, source, driven = given[FEATURE], given[SOURCE], given[DRIVEN]
    theirs, mine = reference.m(rgb), model.motion(rgb)
    label = reference.w(feature, kp_source=source, kp_driving=driven)["out"]
    stitched = reference.s(torch.cat([source.flatten(1), driven.flatten(1)], 1))
    frame = model.generator(model.warping(feature, given[COMPRESSED], source, model.retargeting.stitch(source, driven)))
    return {
        "F": relative(model.appearance(rgb), reference.f(rgb)),
        "M keypoints": relative(mine.canonical.flatten(1), theirs["kp"]),
        "M expression": relative(mine.expression.flatten(1), theirs["exp"]),
        "W": relative(model.warping(feature, given[COMPRESSED], source, driven), label),
        "G": relative(model.generator(label), reference.g(label)),
        "stitching": relative(model.retargeting.stitching(source, driven), stitched),
        "source to frame": relative(frame, reference(reference.f(rgb), source, driven)),
    }
