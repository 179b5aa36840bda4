"""The same networks arranged for inference: equal up to rounding, with less to compute.

What is exact and saves work: batch and spectral norms are folded into weights; 3-D convolutions become 2-D ones
(`planes`); a convolution of an enlarged picture is computed before it is enlarged (`EnlargedConv`); an instance norm
does not change by nearest-neighbour enlargement, so it comes first, and a block's two norms of one input share it; the
1x1 convolution of a block's shortcut is multiplied into the one before it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avatar_runtime.contracts import FRAME_SIZE
from export.liveportrait.appearance import AppearanceExtractor
from export.liveportrait.generator import SLOPE, Generator, Spade, SpadeBlock
from export.liveportrait.planes import SliceBlock, SliceConv, SliceResidual, padded, slices
from export.liveportrait.warping import DenseMotion, Hourglass, WarpingModule
from export.liveportrait.zeros import framed


def _conv(weight: Tensor, bias: Tensor | None, padding: int = 0) -> nn.Conv2d:
    """A convolution with these weights."""
    out, channels, height, width = weight.shape
    conv = nn.Conv2d(channels, out, (height, width), padding=padding, bias=bias is not None)
    conv.weight.data = weight.detach().clone()
    if bias is not None and conv.bias is not None:
        conv.bias.data = bias.detach().clone()
    return conv


class VolumeExtractor(nn.Module):
    """F with its residual blocks on slices."""

    def __init__(self, network: AppearanceExtractor) -> None:
        super().__init__()
        self.shape = network.shape
        self.flat = nn.Sequential(network.first, *network.down_blocks, network.second)
        self.blocks = nn.Sequential(*(SliceResidual(block, network.shape[1]) for block in network.resblocks_3d))

    def forward(self, picture: Tensor) -> Tensor:
        x = slices(self.flat(picture).unflatten(1, self.shape))
        return self.blocks(x).unflatten(0, (-1, self.shape[1])).transpose(1, 2)


class SliceHourglass(nn.Module):
    """The hourglass of dense motion on slices; [b * d, padded(c), h, w] in and out."""

    def __init__(self, network: Hourglass, channels: int, depth: int) -> None:
        super().__init__()
        down, up = network.encoder.down_blocks, network.decoder.up_blocks
        self.down = nn.ModuleList(SliceBlock(block, depth, pad=index == 0) for index, block in enumerate(down))
        self.up = nn.ModuleList(SliceBlock(block, depth) for block in up)
        self.last = SliceConv(network.decoder.conv, network.decoder.norm, depth, pad=True)
        # What comes beside the last way up is padded already, and `last` pads the same channels behind them.
        self.surplus = padded(channels) - channels
        self.missing = padded(network.decoder.out_filters) - network.decoder.out_filters

    def forward(self, x: Tensor) -> Tensor:
        levels = [x]
        for block in self.down:
            levels.append(block(levels[-1]))
        y = levels[-1]
        for block, beside in zip(self.up, reversed(levels[:-1]), strict=True):
            y = torch.cat([block(y), beside], 1)
        extra = self.missing - self.surplus
        if extra < 0:
            y = y[:, :extra]
        elif extra > 0:
            y = framed(y, 1, 0, extra)
        return F.relu(self.last(y))


class SliceMotion(nn.Module):
    """Dense motion with its hourglass on slices."""

    def __init__(self, network: DenseMotion, depth: int) -> None:
        super().__init__()
        channels = network.hourglass.encoder.down_blocks[0].conv.in_channels
        self.network = network
        self.depth, self.padding = depth, padded(channels) - channels
        self.out = network.hourglass.decoder.out_filters
        self.hourglass = SliceHourglass(network.hourglass, channels, depth)
        self.mask = SliceConv(_widened(network.mask, self.out), None, depth)
        self.occlusion = network.occlusion

    def forward(self, compressed: Tensor, source: Tensor, driven: Tensor) -> tuple[Tensor, Tensor]:
        x = slices(self.network.moved(compressed, source, driven))
        found = self.hourglass(framed(x.to(self.occlusion.weight.dtype), 1, 0, self.padding))
        share = self.mask(found).to(source.dtype).unflatten(0, (-1, self.depth)).softmax(2)  # [b, d, 22, h, w]
        flat = found[:, : self.out].unflatten(0, (-1, self.depth)).transpose(1, 2).flatten(1, 2)
        return self.network.place(share, source, driven), torch.sigmoid(self.occlusion(flat))


def _widened(conv: nn.Conv3d, channels: int) -> nn.Conv3d:
    """The convolution with zero weights for the padding channels behind `channels`."""
    wide = nn.Conv3d(padded(channels), conv.out_channels, conv.kernel_size, padding=conv.padding)  # type: ignore[arg-type]
    wide.weight.data = F.pad(conv.weight.detach(), (0, 0, 0, 0, 0, 0, 0, padded(channels) - channels))
    assert conv.bias is not None and wide.bias is not None
    wide.bias.data = conv.bias.detach().clone()
    return wide


class Warp(nn.Module):
    """W with dense motion on slices."""

    def __init__(self, network: WarpingModule, depth: int) -> None:
        super().__init__()
        self.motion = SliceMotion(network.dense_motion_network, depth)
        self.network = network

    def forward(self, feature: Tensor, compressed: Tensor, source: Tensor, driven: Tensor) -> Tensor:
        return self.network.moved(feature, *self.motion(compressed, source, driven))


class EnlargedConv(nn.Module):
    """3x3 convolution of a picture enlarged `times` (nearest neighbour), computed at the picture's own size.

    In every block of times x times results only the first and last rows and columns see a neighbour's pixel; so 4
    (times = 2) or 9 (times = 4) small convolutions make them all, their taps being sums of the 3x3 kernel's.
    """

    #: which taps of three fall on the pixel before, the pixel itself, the one after: for the first place, those
    #: in the middle, the last
    ROWS = (((0,), (1, 2), ()), ((), (0, 1, 2), ()), ((), (0, 1), (2,)))

    def __init__(self, weight: Tensor, bias: Tensor, times: int) -> None:
        super().__init__()
        self.times, self.out = times, weight.shape[0]
        self.places = [0, *[1] * (times - 2), 2]
        used = sorted(set(self.places))
        self.convs = nn.ModuleDict()
        for row in used:
            for column in used:
                self.convs[f"{row}{column}"] = _conv(self._taps(weight, row, column), bias)

    def _taps(self, weight: Tensor, row: int, column: int) -> Tensor:
        def gathered(weight: Tensor, dim: int, place: int) -> Tensor:
            parts = [weight.index_select(dim, torch.tensor(t)).sum(dim, keepdim=True) for t in self.ROWS[place] if t]
            return torch.cat(parts, dim)

        return gathered(gathered(weight, 2, row), 3, column)

    def forward(self, x: Tensor) -> Tensor:
        before_after = {0: (1, 0), 1: (0, 0), 2: (0, 1)}
        made = {}
        for name, conv in self.convs.items():
            (top, bottom), (left, right) = before_after[int(name[0])], before_after[int(name[1])]
            made[name] = conv(F.pad(x, (left, right, top, bottom)))
        parts = [made[f"{row}{column}"] for row in self.places for column in self.places]
        y = torch.stack(parts, 2).flatten(1, 2)  # [b, out * times^2, h, w]
        return F.pixel_shuffle(y, self.times)


class FastSpadeBlock(nn.Module):
    """A SPADE block whose input and label are still small: both are enlarged (`by`, `times`) inside."""

    def __init__(self, block: SpadeBlock, enlarged: int, times: int) -> None:
        super().__init__()
        self.enlarged, self.learned = enlarged, block.learned
        norms = [block.norm_0, block.norm_1, *([block.norm_s] if block.learned else [])]
        weight = torch.cat([norm.mlp_shared[0].weight for norm in norms])
        bias = torch.cat([norm.mlp_shared[0].bias for norm in norms])
        self.shared = EnlargedConv(weight, bias, times) if times > 1 else _conv(weight, bias, 1)
        self.hidden = [norm.mlp_gamma.in_channels for norm in norms]
        self.gamma_0, self.beta_0 = _modulation(block.norm_0)
        self.gamma_1, self.beta_1 = _modulation(block.norm_1)
        self.conv_0 = _conv(block.conv_0.weight, block.conv_0.bias, 1)
        self.conv_1 = _conv(block.conv_1.weight, block.conv_1.bias, 1)
        if block.learned:
            self.gamma_s, beta = _modulation(block.norm_s)
            self.conv_s = _conv(block.conv_s.weight, None)
            flat = block.conv_s.weight[:, :, 0, 0]
            assert beta.bias is not None
            self.beta_s = _conv(torch.einsum("om,mihw->oihw", flat, beta.weight), flat @ beta.bias, 1)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        hidden = F.relu(self.shared(label)).split(self.hidden, 1)
        n = normalised(x)
        if self.enlarged > 1:
            n = F.interpolate(n, scale_factor=self.enlarged)
        y = self.conv_0(F.leaky_relu(n * self.gamma_0(hidden[0]) + self.beta_0(hidden[0]), SLOPE))
        y = self.conv_1(F.leaky_relu(normalised(y) * self.gamma_1(hidden[1]) + self.beta_1(hidden[1]), SLOPE))
        if not self.learned:
            return y + x
        return y + self.conv_s(n * self.gamma_s(hidden[2])) + self.beta_s(hidden[2])


def _modulation(norm: Spade) -> tuple[nn.Conv2d, nn.Conv2d]:
    """The convolutions that make 1 + gamma, and beta."""
    gamma, beta = norm.mlp_gamma, norm.mlp_beta
    assert gamma.bias is not None
    return _conv(gamma.weight, gamma.bias + 1, 1), _conv(beta.weight, beta.bias, 1)


def normalised(x: Tensor) -> Tensor:
    """Instance norm; its sums need f32 whatever the network's precision."""
    return F.instance_norm(x.float()).to(x.dtype)


class FastGenerator(nn.Module):
    """G, in FastSpadeBlocks."""

    def __init__(self, network: Generator) -> None:
        super().__init__()
        self.fc = network.fc
        middle = [network.get_submodule(name) for name in network.middle]
        self.blocks = nn.ModuleList(FastSpadeBlock(block, 1, 1) for block in middle)  # type: ignore[arg-type]
        self.blocks.append(FastSpadeBlock(network.up_0, 2, 2))
        self.blocks.append(FastSpadeBlock(network.up_1, 2, 4))
        self.conv_img = network.conv_img

    def forward(self, label: Tensor) -> Tensor:
        x = self.fc(label)
        for block in self.blocks:
            x = block(x, label)
        return self.conv_img(F.leaky_relu(x, SLOPE)).float().sigmoid()


def i420(picture: Tensor) -> Tensor:
    """RGB 0..1 [b, 3, 512, 512] -> planar I420 uint8 [b, 768, 512], BT.601, limited range (16..235, 16..240)."""
    red, green, blue = picture.unbind(1)
    luma = 16.5 + 65.481 * red + 128.553 * green + 24.966 * blue
    red, green, blue = F.avg_pool2d(picture, 2).unbind(1)
    u = 128.5 - 37.797 * red - 74.203 * green + 112.0 * blue
    v = 128.5 + 112.0 * red - 93.786 * green - 18.214 * blue
    planes = [luma, *(plane.reshape(-1, FRAME_SIZE // 4, FRAME_SIZE) for plane in (u, v))]
    return torch.cat(planes, 1).to(torch.uint8)  # cut off, after the half that rounds
