"""How wide and deep the networks are: as published, or narrow for tests that run in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Widths:
    """Sizes of every network; the defaults are those of the published checkpoints (src/config/models.yaml)."""

    base: int = 64  # channels of the first convolution of F; the generator's last
    volume_channels: int = 32
    volume_depth: int = 16
    volume_blocks: int = 6  # residual blocks on the volume
    motion_channels: tuple[int, ...] = (96, 192, 384, 768)  # ConvNeXt V2 tiny
    motion_blocks: tuple[int, ...] = (3, 3, 9, 3)
    compressed: int = 4  # channels of the volume that dense motion sees
    dense: int = 32  # channels of the hourglass's outermost level
    dense_most: int = 1024
    dense_levels: int = 5
    spade: int = 128  # hidden channels of a SPADE layer
    middle_blocks: int = 6  # of the generator; the names G_middle_0... need all of them

    @property
    def volume(self) -> int:
        """Channels of the volume with its depth folded into them."""
        return self.volume_channels * self.volume_depth

    @property
    def encoded(self) -> int:
        """Channels after the two downsamplings of F, and of what the generator is told."""
        return min(self.volume, self.base * 4)


PUBLISHED = Widths()


def narrow(divisor: int) -> Widths:
    """The same networks with about 1/`divisor` of the channels; 1 is as published."""
    if divisor < 1 or divisor > 16:
        raise ValueError("The width's divisor must be 1 to 16.")
    if divisor == 1:
        return PUBLISHED
    return replace(
        PUBLISHED,
        base=64 // divisor,
        volume_channels=64 // divisor,  # so that the volume holds what the encoder made
        volume_depth=4,
        volume_blocks=1,
        motion_channels=tuple(channels // divisor for channels in PUBLISHED.motion_channels),
        motion_blocks=(1, 1, 1, 1),
        compressed=1,
        dense=max(2, 32 // divisor),
        dense_most=1024 // divisor,
        spade=max(16, 128 // divisor),
    )
