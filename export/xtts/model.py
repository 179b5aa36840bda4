"""All of XTTS's networks together, and the seeded random ones that cost what trained ones cost."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.xtts.conditioning import Conditioning, ConditioningEncoder, Perceiver, SpeakerEncoder
from export.xtts.config import Config
from export.xtts.gpt import Gpt
from export.xtts.vocoder import Vocoder


class SpeakingGpt(Gpt):
    """The GPT with its ear, as the checkpoint keeps them together."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.conditioning_encoder = ConditioningEncoder(config)
        self.conditioning_perceiver = Perceiver(config)


class Decoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.waveform_decoder = Vocoder(config)
        self.speaker_encoder = SpeakerEncoder(config)


class Xtts(nn.Module):
    """Attributes are named as the checkpoint's keys begin."""

    mel_stats: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.gpt = SpeakingGpt(config)
        self.hifigan_decoder = Decoder(config)
        self.register_buffer("mel_stats", torch.ones(80))
        self.eval().requires_grad_(False)

    @property
    def conditioning(self) -> Conditioning:
        return Conditioning(self.gpt.conditioning_encoder, self.gpt.conditioning_perceiver, self.mel_stats).eval()


def seeded(config: Config, seed: int = 0) -> Xtts:
    """Networks with random weights, lively enough that codes differ and a mistake anywhere shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Xtts(config)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
                module.running_var.uniform_(0.8, 1.2)  # type: ignore[union-attr]
            elif isinstance(module, nn.LayerNorm | nn.GroupNorm):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.05)
        model.gpt.mel_head.weight.normal_(0, 3 * config.width**-0.5)
        model.mel_stats.uniform_(1.5, 2.5)
    return model
