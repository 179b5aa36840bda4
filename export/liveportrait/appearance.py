"""F, the appearance extractor: a picture to a feature volume."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from export.liveportrait.blocks import ConvBlock2d, ResidualBlock3d
from export.liveportrait.widths import Widths


class AppearanceExtractor(nn.Module):
    """[b, 3, 256, 256] RGB 0..1 -> [b, channels, depth, 64, 64]."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.shape = (widths.volume_channels, widths.volume_depth)
        middle = min(widths.volume, widths.base * 2)
        self.first = ConvBlock2d(3, widths.base)
        self.down_blocks = nn.ModuleList(
            [ConvBlock2d(widths.base, middle, pooled=True), ConvBlock2d(middle, widths.encoded, pooled=True)]
        )
        self.second = nn.Conv2d(widths.encoded, widths.volume, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{i}", ResidualBlock3d(widths.volume_channels)) for i in range(widths.volume_blocks))
        )

    def forward(self, picture: Tensor) -> Tensor:
        x = self.first(picture)
        for block in self.down_blocks:
            x = block(x)
        return self.resblocks_3d(self.second(x).unflatten(1, self.shape))
