"""W, the warping module: where keypoints went, to how every part of the volume moves."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avatar_runtime.liveportrait.graphs import KEYPOINTS
from export.liveportrait.blocks import ConvBlock2d, ConvBlock3d
from export.liveportrait.sampling import sample_volume, shifts
from export.liveportrait.widths import Widths
from export.liveportrait.zeros import framed

VARIANCE = 0.01  # of a keypoint's heat, in units of -1..1
MOTIONS = KEYPOINTS + 1  # the background stays; each keypoint moves its surroundings along


class Encoder(nn.Module):
    """The way down of an hourglass: every level's output, the input first."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        wide = [min(widths.dense_most, widths.dense * 2**level) for level in range(widths.dense_levels + 1)]
        wide[0] = channels
        self.down_blocks = nn.ModuleList(
            ConvBlock3d(before, after, pooled=True) for before, after in itertools.pairwise(wide)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        levels = [x]
        for block in self.down_blocks:
            levels.append(block(levels[-1]))
        return levels


class Decoder(nn.Module):
    """The way up, each level beside what the way down left there."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        blocks = []
        for level in reversed(range(widths.dense_levels)):
            below = min(widths.dense_most, widths.dense * 2 ** (level + 1))
            beside = 1 if level == widths.dense_levels - 1 else 2
            blocks.append(ConvBlock3d(beside * below, min(widths.dense_most, widths.dense * 2**level), doubled=True))
        self.up_blocks = nn.ModuleList(blocks)
        self.out_filters = widths.dense + channels
        self.conv = nn.Conv3d(self.out_filters, self.out_filters, 3, padding=1)
        self.norm = nn.BatchNorm3d(self.out_filters)

    def forward(self, levels: list[Tensor]) -> Tensor:
        x = levels[-1]
        for block, beside in zip(self.up_blocks, reversed(levels[:-1]), strict=True):
            x = torch.cat([block(x), beside], 1)
        return F.relu(self.norm(self.conv(x)))


class Hourglass(nn.Module):
    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        self.encoder = Encoder(channels, widths)
        self.decoder = Decoder(channels, widths)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def axes(depth: int, height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The coordinates of a volume's cells along x, y, z: -1..1, both ends included."""
    return tuple(
        torch.arange(size, dtype=like.dtype, device=like.device) * (2 / (size - 1)) - 1
        for size in (width, height, depth)
    )  # type: ignore[return-value]


def heat(points: Tensor, depth: int, height: int, width: int) -> Tensor:
    """A Gaussian around each point [b, k, 3] -> [b, k, depth, height, width]; the product of one for each axis."""
    x, y, z = (
        torch.exp(-0.5 / VARIANCE * (axis - points[..., i, None]).square())
        for i, axis in enumerate(axes(depth, height, width, points))
    )
    return z[..., :, None, None] * (y[..., :, None] * x[..., None, :])[..., None, :, :]


class DenseMotion(nn.Module):
    """From keypoints to the place [b, d, h, w, 3] each cell is taken from, and how far it is seen [b, 1, h, w]."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.hourglass = Hourglass(MOTIONS * (widths.compressed + 1), widths)
        out = self.hourglass.decoder.out_filters
        self.mask = nn.Conv3d(out, MOTIONS, 7, padding=3)
        self.compress = nn.Conv3d(widths.volume_channels, widths.compressed, 1)
        self.norm = nn.BatchNorm3d(widths.compressed)
        self.occlusion = nn.Conv2d(out * widths.volume_depth, 1, 7, padding=3)

    def compressed(self, feature: Tensor) -> Tensor:
        """The few channels of the volume that dense motion looks at; they depend on the picture alone."""
        return F.relu(self.norm(self.compress(feature)))

    def moved(self, compressed: Tensor, source: Tensor, driven: Tensor) -> Tensor:
        """What each motion alone would make of the volume, beside its heat: [b, 22 * (1 + c), d, h, w].

        Each of these motions only moves the volume, so it is read along one axis after the other.
        """
        batch, channels, depth, height, width = compressed.shape
        step = F.pad(source - driven, (0, 0, 1, 0))  # [b, 22, 3], the background's first
        along_x, along_y, along_z = (
            shifts(step[..., i], size) for i, size in enumerate((width, height, depth))
        )  # [b, 22, size, size]
        x = compressed.to(step.dtype).reshape(batch, 1, channels * depth * height, width)
        x = (x @ along_x.transpose(-1, -2)).reshape(batch, MOTIONS, channels * depth, height, width)
        x = (along_y[:, :, None] @ x).reshape(batch, MOTIONS, channels, depth, height * width)
        x = (along_z[:, :, None] @ x).reshape(batch, MOTIONS, channels, depth, height, width)
        size = (depth, height, width)
        heats = framed(heat(driven, *size) - heat(source, *size), 1, 1)
        return torch.cat([heats[:, :, None], x], 2).flatten(1, 2)

    def place(self, share: Tensor, source: Tensor, driven: Tensor) -> Tensor:
        """Where each cell is taken from [b, d, h, w, 3]: its own place, plus the mean of the keypoints' steps.

        `share` [b, d, 22, h, w]: how much each motion has a say in a cell.
        """
        x, y, z = axes(share.shape[1], *share.shape[3:], source)
        own = torch.stack(torch.broadcast_tensors(x, y[:, None], z[:, None, None]), -1)
        step = (source - driven).transpose(1, 2)  # [b, 3, 21]
        moved = step[:, None] @ share[:, :, 1:].flatten(3)  # [b, d, 3, h * w]
        return own + moved.unflatten(3, share.shape[3:]).permute(0, 1, 3, 4, 2)

    def forward(self, compressed: Tensor, source: Tensor, driven: Tensor) -> tuple[Tensor, Tensor]:
        found = self.hourglass(self.moved(compressed, source, driven))
        share = self.mask(found).softmax(1).transpose(1, 2)
        seen = torch.sigmoid(self.occlusion(found.flatten(1, 2)))
        return self.place(share, source, driven), seen


class WarpingModule(nn.Module):
    """The volume, moved from `source` to `driven` keypoints [b, 21, 3] -> [b, encoded, 64, 64]."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.dense_motion_network = DenseMotion(widths)
        self.third = ConvBlock2d(widths.volume, widths.base * 4, leaky=True)
        self.fourth = nn.Conv2d(widths.base * 4, widths.base * 4, 1)

    def forward(self, feature: Tensor, compressed: Tensor, source: Tensor, driven: Tensor) -> Tensor:
        place, seen = self.dense_motion_network(compressed, source, driven)
        return self.moved(feature, place, seen)

    def moved(self, feature: Tensor, place: Tensor, seen: Tensor) -> Tensor:
        """The volume read at `place` [b, d, h, w, 3], as far as it is `seen`. Coordinates stay f32: f16 shows."""
        taken = sample_volume(feature.to(place.dtype), place).to(feature.dtype)
        return self.fourth(self.third(taken.flatten(1, 2))) * seen.to(feature.dtype)
