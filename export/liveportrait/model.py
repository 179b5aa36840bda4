"""All of LivePortrait's networks together, and the seeded random ones that cost what trained ones cost."""

from __future__ import annotations

import torch
from torch import nn

from export.liveportrait.appearance import AppearanceExtractor
from export.liveportrait.generator import Generator
from export.liveportrait.motion import MotionExtractor
from export.liveportrait.retargeting import Retargeting
from export.liveportrait.warping import WarpingModule
from export.liveportrait.widths import PUBLISHED, Widths


class LivePortrait(nn.Module):
    """F, M, W, G and the three small networks."""

    def __init__(self, widths: Widths = PUBLISHED) -> None:
        super().__init__()
        self.widths = widths
        self.appearance = AppearanceExtractor(widths)
        self.motion = MotionExtractor(widths)
        self.warping = WarpingModule(widths)
        self.generator = Generator(widths)
        self.retargeting = Retargeting()
        self.eval().requires_grad_(False)


def seeded(widths: Widths = PUBLISHED, seed: int = 0) -> LivePortrait:
    """Networks with random weights and random batch-norm statistics, so that a mistake in any of them shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LivePortrait(widths)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.1)
                module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
                module.running_var.uniform_(0.8, 1.2)  # type: ignore[union-attr]
    for block in model.motion.modules():
        if type(block).__name__ == "ResponseNorm":
            block.gamma.fill_(0.1)  # type: ignore[union-attr, operator]
    return model
