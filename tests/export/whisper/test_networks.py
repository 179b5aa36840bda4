"""The networks' own parts beside what torch computes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from export.whisper.config import Config
from export.whisper.model import Whisper

Cache = list[tuple[torch.Tensor, torch.Tensor]]


def nothing(model: Whisper, rows: int = 1) -> Cache:
    config = model.config
    empty = torch.zeros(rows, config.decoder_heads, 1, config.width // config.decoder_heads)
    return [(empty, empty)] * config.decoder_layers


def test_attention_is_torchs(model: Whisper) -> None:
    layer, x = model.encoder.layers[0], torch.randn(2, 9, model.config.width)
    normal = layer.self_attn_layer_norm(x)
    k, v = layer.self_attn.memory(normal)
    q = layer.self_attn.queries(normal) * layer.self_attn.head**0.5  # torch scales by itself
    x = x + layer.self_attn.joined(F.scaled_dot_product_attention(q, k, v))
    wanted = x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))
    assert torch.allclose(layer(x - layer.self_attn.joined(F.scaled_dot_product_attention(q, k, v))), wanted, atol=1e-5)


@pytest.mark.parametrize(("frames", "states"), [(2, 1), (3, 2), (411, 206), (3000, 1500)])
def test_any_length_up_to_thirty_seconds(model: Whisper, frames: int, states: int) -> None:
    assert model.encoder(torch.randn(1, model.config.bins, frames)).shape == (1, states, model.config.width)


def test_a_step_is_a_part_of_the_whole(model: Whisper) -> None:
    """Tokens one by one with a cache, and all at once: the same states, whatever lies behind the cache."""
    decoder = model.decoder
    tokens, cross = torch.randint(0, 256, (1, 9)), model.decoder.cross(torch.randn(1, 20, model.config.width))
    heard, zero = torch.tensor([20]), torch.tensor([0])
    wanted, _, _, wanted_shares = decoder.step(tokens, zero, heard, nothing(model), cross)
    _, keys, values, _ = decoder.step(tokens[:, :4], zero, heard, nothing(model), cross)
    for index in range(4, 9):
        rubbish = torch.full_like(keys[:, :, :, :3], 1e3)
        past = [*zip(torch.cat([keys, rubbish], 3), torch.cat([values, rubbish], 3), strict=True)]
        state, k, v, shares = decoder.step(tokens[:, index : index + 1], torch.tensor([index]), heard, past, cross)
        assert torch.allclose(state[:, 0], wanted[:, index], atol=1e-4)
        assert torch.allclose(shares[1][:, :, 0], wanted_shares[1][:, :, index], atol=1e-5)
        keys, values = torch.cat([keys, k], 3), torch.cat([values, v], 3)


def test_rows_of_a_batch_do_not_hear_one_another(model: Whisper) -> None:
    """Sounds and texts of different lengths in one run; what lies behind either length does not count."""
    decoder = model.decoder
    states = torch.randn(2, 20, model.config.width)
    states[1, 13:] = 50
    tokens, lengths, heard = torch.randint(0, 256, (2, 1)), torch.tensor([6, 3]), torch.tensor([20, 13])
    shape = nothing(model)[0][0].shape
    past = [
        (torch.randn(2, shape[1], 6, shape[3]), torch.randn(2, shape[1], 6, shape[3]))
        for _ in range(model.config.decoder_layers)
    ]
    together, *_ = decoder.step(tokens, lengths, heard, past, decoder.cross(states))
    for row, length, sound in ((0, 6, 20), (1, 3, 13)):
        one = [(k[row : row + 1, :, :length], v[row : row + 1, :, :length]) for k, v in past]
        cross = decoder.cross(states[row : row + 1, :sound])
        alone, *_ = decoder.step(tokens[row : row + 1], lengths[row : row + 1], heard[row : row + 1], one, cross)
        assert torch.allclose(alone[0], together[row], atol=1e-5)


SIZES = {  # millions of parameters, as OpenAI's model card rounds them
    "tiny": (Config(80, 384, 4, 6, 1536, 4, 6, 1536), 37.8),
    "base": (Config(), 72.6),
    "small": (Config(80, 768, 12, 12, 3072, 12, 12, 3072), 241.7),
    "large-v3": (Config(128, 1280, 32, 20, 5120, 32, 20, 5120, 51866), 1543.5),
    "turbo": (Config(128, 1280, 32, 20, 5120, 4, 20, 5120, 51866), 808.9),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_the_published_ones(name: str) -> None:
    config, millions = SIZES[name]
    with torch.device("meta"):
        model = Whisper(config)
    assert round(sum(each.numel() for each in model.parameters()) / 1e6, 1) == millions
