"""How a voice is heard: mel spectrogram, attention, perceiver -> latents; and the speaker encoder -> d-vector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avatar_runtime.xtts.graphs import CONDITIONING_LATENTS, CONDITIONING_RATE, SPEAKER_RATE
from export.xtts.config import Config


class Spectrum(nn.Module):
    """Power spectrum by convolution with windowed cosines and sines: audio [b, n] -> [b, bins, frames].

    What torch.stft does with `center=True` (reflected edges), without an operator that runtimes lack.
    """

    def __init__(self, size: int, hop: int, window: Tensor) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        padded = F.pad(window, ((size - len(window)) // 2, size - len(window) - (size - len(window)) // 2))
        bins = size // 2 + 1
        angle = 2 * math.pi / size * torch.arange(bins, dtype=torch.float64)[:, None] * torch.arange(size)
        basis = torch.cat([angle.cos(), -angle.sin()]) * padded.double()
        self.register_buffer("basis", basis.float()[:, None], persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        edge = self.size // 2
        x = F.pad(audio[:, None], (edge, edge), "reflect")
        real, imaginary = F.conv1d(x, self.basis, stride=self.hop).chunk(2, 1)  # type: ignore[arg-type]
        return real.square() + imaginary.square()


def mel_filters(bins: int, mels: int, rate: int, highest: float, slaney: bool) -> Tensor:
    """Triangles [mels, bins] on the HTK mel scale, as torchaudio's melscale_fbanks; `slaney`: each of the same area."""
    frequencies = torch.linspace(0, rate // 2, bins, dtype=torch.float64)
    top = 2595 * math.log10(1 + highest / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, mels + 2, dtype=torch.float64) / 2595) - 1)
    width = edges.diff()
    slopes = edges[:, None] - frequencies
    filters = torch.minimum(-slopes[:-2] / width[:-1, None], slopes[2:] / width[1:, None]).clamp(min=0)
    if slaney:
        filters = filters * (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters.float()


class AttentionBlock(nn.Module):
    """Group norm, attention, and the *normalised* input beside it (tortoise's block as XTTS uses it)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        groups = 32 if width > 64 else 16
        self.norm = nn.GroupNorm(groups, width)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        batch, width, length = x.shape
        q, k, v = self.qkv(normed).reshape(batch, self.heads, 3, width // self.heads, length).unbind(2)
        share = (q.transpose(2, 3) @ k / math.sqrt(width // self.heads)).softmax(3)
        heard = v @ share.transpose(2, 3)
        return normed + self.proj_out(heard.reshape(batch, width, length))


class ConditioningEncoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.init = nn.Conv1d(80, config.width, 1)
        blocks = (AttentionBlock(config.width, config.heads) for _ in range(config.conditioning_blocks))
        self.attn = nn.Sequential(*blocks)

    def forward(self, mel: Tensor) -> Tensor:
        return self.attn(self.init(mel))


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1) * math.sqrt(x.shape[-1]) * self.gamma


class GatedGelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x, gate = x.chunk(2, -1)
        return x * F.gelu(gate)


class CrossAttention(nn.Module):
    """Queries look at themselves and at what was heard."""

    def __init__(self, width: int, heads: int, head: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, heads * head, bias=False)
        self.to_kv = nn.Linear(width, 2 * heads * head, bias=False)
        self.to_out = nn.Linear(heads * head, width, bias=False)

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        k, v = self.to_kv(torch.cat([x, heard], 1)).chunk(2, -1)
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.to_q(x), k, v))
        share = (q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])).softmax(3)
        return self.to_out((share @ v).transpose(1, 2).flatten(2))


class Perceiver(nn.Module):
    """Any number of frames [b, n, w] -> 32 latents [b, 32, w]."""

    def __init__(self, config: Config, depth: int = 2) -> None:
        super().__init__()
        width, inner = config.width, int(config.width * 4 * 2 / 3)
        self.latents = nn.Parameter(torch.randn(CONDITIONING_LATENTS, width) * 0.02)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    CrossAttention(width, config.perceiver_heads, config.perceiver_head),
                    nn.Sequential(nn.Linear(width, 2 * inner), GatedGelu(), nn.Linear(inner, width)),
                ]
            )
            for _ in range(depth)
        )
        self.norm = RmsNorm(width)

    def forward(self, heard: Tensor) -> Tensor:
        x = self.latents.expand(heard.shape[0], -1, -1)
        for attend, feed in self.layers:  # type: ignore[misc]
            x = attend(x, heard) + x
            x = feed(x) + x
        return self.norm(x)


class Excitation(nn.Module):
    """Squeeze and excitation (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 8), nn.ReLU(), nn.Linear(channels // 8, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.se = Excitation(channels)
        self.downsample = None
        if stride != 1 or inputs != channels:
            shortcut = nn.Conv2d(inputs, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(F.relu(self.conv1(x)))
        y = self.se(self.bn2(self.conv2(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class SpeakerEncoder(nn.Module):
    """H/ASP (Heo et al. 2020): audio [b, n] at 16 kHz -> d-vector [b, speaker], of length 1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        first, *_, last = config.speaker_filters
        self.spectrum = Spectrum(512, 160, torch.hamming_window(400))
        self.register_buffer(
            "mel", mel_filters(257, 64, SPEAKER_RATE, SPEAKER_RATE / 2, slaney=False), persistent=False
        )
        self.conv1 = nn.Conv2d(1, first, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(first)
        channels = first
        for index, (wide, blocks) in enumerate(zip(config.speaker_filters, config.speaker_blocks, strict=True), 1):
            layer = [ResidualBlock(channels, wide, 1 if index == 1 else 2)]
            layer += [ResidualBlock(wide, wide, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{index}", nn.Sequential(*layer))
            channels = wide
        flat = last * 64 // 8
        self.attention = nn.Sequential(
            nn.Conv1d(flat, 128, 1), nn.ReLU(), nn.BatchNorm1d(128), nn.Conv1d(128, flat, 1), nn.Softmax(2)
        )
        self.fc = nn.Linear(2 * flat, config.speaker)

    def forward(self, audio: Tensor) -> Tensor:
        before = F.pad(audio[:, None], (1, 0), "reflect")[:, 0, :-1]
        mel = self.mel @ self.spectrum(audio - 0.97 * before)  # type: ignore[operator]
        x = (mel + 1e-6).log()
        x = F.instance_norm(x)[:, None]
        x = self.bn1(F.relu(self.conv1(x)))
        for index in range(1, 5):
            x = self.get_submodule(f"layer{index}")(x)
        x = x.flatten(1, 2)
        share = self.attention(x)
        mean = (x * share).sum(2)
        deviation = ((x.square() * share).sum(2) - mean.square()).clamp(min=1e-5).sqrt()
        return F.normalize(self.fc(torch.cat([mean, deviation], 1)))


class Conditioning(nn.Module):
    """Audio [b, n] at 22.05 kHz, a few seconds -> latents [b, 32, w]."""

    def __init__(self, encoder: ConditioningEncoder, perceiver: Perceiver, mel_norms: Tensor) -> None:
        super().__init__()
        self.spectrum = Spectrum(2048, 256, torch.hann_window(1024))
        self.register_buffer("mel", mel_filters(1025, 80, CONDITIONING_RATE, 8000.0, slaney=True), persistent=False)
        self.encoder, self.perceiver = encoder, perceiver
        self.register_buffer("norms", mel_norms.view(1, -1, 1), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        mel = (self.mel @ self.spectrum(audio)).clamp(min=1e-5).log() / self.norms  # type: ignore[operator]
        return self.perceiver(self.encoder(mel).transpose(1, 2))
