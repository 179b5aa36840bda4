"""G, the generator: a moved volume to a picture, normalised by SPADE (Park et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from export.liveportrait.blocks import SpectralConv2d
from export.liveportrait.widths import Widths

SLOPE = 0.2  # of the leaky ReLUs


class Spade(nn.Module):
    """Instance norm whose scale and offset are convolved from `label`."""

    def __init__(self, channels: int, label: int, hidden: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(label, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        times = x.shape[-1] // label.shape[-1]
        shared = self.mlp_shared(F.interpolate(label, scale_factor=times) if times > 1 else label)
        return F.instance_norm(x) * (1 + self.mlp_gamma(shared)) + self.mlp_beta(shared)


class SpadeBlock(nn.Module):
    """A residual block of two SPADE-normalised convolutions; a third where the number of channels changes."""

    def __init__(self, channels: int, out: int, label: int, hidden: int) -> None:
        super().__init__()
        middle = min(channels, out)
        self.conv_0 = SpectralConv2d(channels, middle, 3)
        self.conv_1 = SpectralConv2d(middle, out, 3)
        self.norm_0 = Spade(channels, label, hidden)
        self.norm_1 = Spade(middle, label, hidden)
        self.learned = channels != out
        if self.learned:
            self.conv_s = SpectralConv2d(channels, out, 1, bias=False)
            self.norm_s = Spade(channels, label, hidden)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        y = self.conv_0(F.leaky_relu(self.norm_0(x, label), SLOPE))
        y = self.conv_1(F.leaky_relu(self.norm_1(y, label), SLOPE))
        return y + (self.conv_s(self.norm_s(x, label)) if self.learned else x)


class Generator(nn.Module):
    """[b, encoded, 64, 64] -> [b, 3, 512, 512] RGB 0..1."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        label, wide, hidden = widths.encoded, 2 * widths.encoded, widths.spade
        self.fc = nn.Conv2d(label, wide, 3, padding=1)
        self.middle = [f"G_middle_{i}" for i in range(widths.middle_blocks)]
        for name in self.middle:
            self.add_module(name, SpadeBlock(wide, wide, label, hidden))
        self.up_0 = SpadeBlock(wide, label, label, hidden)
        self.up_1 = SpadeBlock(label, widths.base, label, hidden)
        self.conv_img = nn.Sequential(nn.Conv2d(widths.base, 3 * 2 * 2, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, label: Tensor) -> Tensor:
        x = self.fc(label)
        for name in self.middle:
            x = self.get_submodule(name)(x, label)
        for block in (self.up_0, self.up_1):
            x = block(F.interpolate(x, scale_factor=2), label)
        return self.conv_img(F.leaky_relu(x, SLOPE)).sigmoid()
