"""The networks' own parts beside what the field's libraries compute."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from export.xtts.conditioning import Spectrum, mel_filters
from export.xtts.config import Config
from export.xtts.flat import FlatVocoder
from export.xtts.model import Xtts


@pytest.mark.parametrize(("size", "hop", "width"), [(2048, 256, 1024), (512, 160, 400)])
def test_the_spectrum_is_torchs(size: int, hop: int, width: int) -> None:
    audio, window = torch.randn(2, 9000), torch.hann_window(width)
    found = Spectrum(size, hop, window)(audio)
    wanted = torch.stft(audio, size, hop, width, window, center=True, return_complex=True).abs().square()
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.max()))


def test_mel_filters_are_triangles_of_one_height_or_one_area() -> None:
    plain, slaney = (mel_filters(1025, 80, 22_050, 8000, each) for each in (False, True))
    assert plain.shape == (80, 1025) and float(plain.max()) <= 1
    top = 2595 * math.log10(1 + 8000 / 700)
    centres = 700 * (10 ** (np.linspace(0, top, 82)[1:-1] / 2595) - 1)
    peaks = plain.argmax(1).numpy() * 11_025 / 1024
    assert np.abs(peaks - centres).max() < 11_025 / 1024
    areas = slaney[20:].sum(1) * 11_025 / 1024
    assert torch.allclose(areas, torch.ones(60), atol=0.1)


def test_a_step_is_a_part_of_the_whole(model: Xtts) -> None:
    """Codes one by one with a cache, and all at once: the same hidden states, whatever lies behind the cache."""
    gpt, config = model.gpt, model.config
    latents, text = torch.randn(1, 32, config.width), torch.randint(2, 30, (1, 7))
    codes = torch.randint(0, 1000, (9,))
    prefix = gpt.prefix(latents, text)
    spoken = (gpt.mel_embedding.weight[codes] + gpt.mel_pos_embedding.emb.weight[1:10])[None]
    head = config.width // config.heads
    empty = [(torch.zeros(1, config.heads, 1, head),) * 2] * config.layers
    _, wanted, _, _ = gpt.step(torch.cat([prefix, spoken], 1), torch.zeros(1, dtype=torch.long), empty)
    _, state, keys, values = gpt.step(prefix, torch.zeros(1, dtype=torch.long), empty)
    for index in range(9):
        length = torch.tensor([keys.shape[3]])
        rubbish = torch.full((config.layers, 1, config.heads, 4, head), 1e3)
        past = [*zip(torch.cat([keys, rubbish], 3), torch.cat([values, rubbish], 3), strict=True)]
        _, state, k, v = gpt.step(spoken[:, index : index + 1], length, past)
        keys, values = torch.cat([keys, k], 3), torch.cat([values, v], 3)
    assert torch.allclose(state, wanted, atol=1e-4)


def test_rows_of_a_batch_do_not_hear_one_another(model: Xtts) -> None:
    gpt, config = model.gpt, model.config
    head = config.width // config.heads
    past = [tuple(torch.randn(2, config.heads, 6, head) for _ in range(2)) for _ in range(config.layers)]
    embeds, lengths = torch.randn(2, 1, config.width), torch.tensor([6, 3])
    together, *_ = gpt.step(embeds, lengths, past)
    for row in range(2):
        one = [(k[row : row + 1], v[row : row + 1]) for k, v in past]
        alone, *_ = gpt.step(embeds[row : row + 1], lengths[row : row + 1], one)
        assert torch.allclose(alone[0], together[row], atol=1e-5)
    # and what lies behind a row's length does not count
    past[0][0][1, :, 3:] = 100
    again, *_ = gpt.step(embeds, lengths, past)
    assert torch.allclose(again, together, atol=1e-5)


def test_attention_is_torchs(model: Xtts) -> None:
    layer, config = model.gpt.gpt.h[0].attn, model.config
    x, head = torch.randn(1, 5, config.width), config.width // config.heads
    nothing = torch.zeros(1, config.heads, 1, head)
    lowest = torch.finfo(torch.float32).min
    hidden, causal = torch.full((1, 1, 1, 1), lowest), torch.ones(5, 5).triu(1) * lowest
    found, k, v = layer(x, nothing, nothing, hidden, causal)
    q = layer.c_attn(x)[..., : config.width].reshape(1, 5, config.heads, head).transpose(1, 2)
    wanted = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
    assert torch.allclose(found, layer.c_proj(wanted), atol=1e-5)


def test_a_speaker_has_length_one(model: Xtts) -> None:
    found = model.hifigan_decoder.speaker_encoder(torch.randn(2, 20_000))
    assert torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)


def test_sizes_are_the_published_ones() -> None:
    with torch.device("meta"):
        model = Xtts(Config())
    millions = {
        "gpt": round(sum(each.numel() for each in model.gpt.gpt.parameters()) / 1e6, 1),
        "vocoder": round(sum(each.numel() for each in model.hifigan_decoder.waveform_decoder.parameters()) / 1e6, 1),
    }
    assert millions == {"gpt": 377.9, "vocoder": 17.8}


@pytest.mark.parametrize("frames", [2, 3, 7, 40])
def test_the_flat_vocoder_is_the_vocoder(model: Xtts, frames: int) -> None:
    """2-D convolutions in rows, upsampling by two taps: the same sound, at the joints of the rows too."""
    plain = model.hifigan_decoder.waveform_decoder
    given = torch.randn(2, model.config.width, frames), torch.randn(2, model.config.speaker)
    wanted = plain(*given)
    assert (FlatVocoder(plain)(*given) - wanted).abs().max() < 1e-4 * wanted.abs().max()
