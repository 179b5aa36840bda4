"""Whisper (Radford et al. 2022): an encoder of log-mel frames, a decoder of text with a cache."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.whisper.config import Config


class Attention(nn.Module):
    """Queries, keys and values of several heads; the keys have no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.head = heads, width // heads
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def queries(self, x: Tensor) -> Tensor:
        """x [b, n, w] -> [b, h, n, w / h], scaled already: half precision has no room for large products."""
        return self._split(self.q_proj(x) * self.head**-0.5)

    def memory(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [b, n, w] -> keys and values [b, h, n, w / h]."""
        return self._split(self.k_proj(x)), self._split(self.v_proj(x))

    def joined(self, heads: Tensor) -> Tensor:
        """[b, h, n, w / h] -> [b, n, w]."""
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, self.head)).transpose(1, 2)


def _shares(scores: Tensor) -> Tensor:
    return scores.float().softmax(-1)


class EncoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        attention, normal = self.self_attn, self.self_attn_layer_norm(x)
        k, v = attention.memory(normal)
        shares = _shares(attention.queries(normal) @ k.transpose(2, 3)).to(v.dtype)
        x = x + attention.joined(shares @ v)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class Encoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(config.bins, config.width, 3, padding=1)
        self.conv2 = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.positions, config.width)
        self.layers = nn.ModuleList(
            EncoderLayer(config.width, config.encoder_heads, config.encoder_inner) for _ in range(config.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(config.width)

    def forward(self, mel: Tensor) -> Tensor:
        """mel f32 [b, bins, n] -> states [b, ceil(n / 2), w]; shorter than 30 s, the positions end earlier."""
        x = F.gelu(self.conv1(mel.to(self.conv1.weight.dtype)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.layer_norm(x)


class DecoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.encoder_attn = Attention(width, heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor], cross: tuple[Tensor, Tensor], masks: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [b, m, w]; past [b, h, p, w / h] and cross [b, h, t, w / h] keys and values; masks as `Decoder.step` makes
        them -> (x, new keys and values [b, h, m, w / h], f32 shares of the sound [b, h, m, t]).
        """
        hidden, causal, deaf = masks
        attention, normal = self.self_attn, self.self_attn_layer_norm(x)
        q, (k, v) = attention.queries(normal), attention.memory(normal)
        # Past and new are kept apart, so that the cache is read where it lies and never copied.
        before = (q @ past[0].transpose(2, 3)).float() + hidden
        among = (q @ k.transpose(2, 3)).float() + causal
        length = past[0].shape[2]
        shares = _shares(torch.cat([before, among], 3)).to(v.dtype)
        x = x + attention.joined(shares[..., :length] @ past[1] + shares[..., length:] @ v)
        attention = self.encoder_attn
        q = attention.queries(self.encoder_attn_layer_norm(x))
        heard = _shares((q @ cross[0].transpose(2, 3)).float() + deaf)
        x = x + attention.joined(heard.to(v.dtype) @ cross[1])
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x)))), k, v, heard


class Decoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.tokens, config.width)
        self.embed_positions = nn.Embedding(config.length, config.width)
        self.layers = nn.ModuleList(
            DecoderLayer(config.width, config.decoder_heads, config.decoder_inner) for _ in range(config.decoder_layers)
        )
        self.layer_norm = nn.LayerNorm(config.width)

    def cross(self, states: Tensor) -> list[tuple[Tensor, Tensor]]:
        """states [b, t, w] -> keys and values [b, h, t, w / h] for each layer."""
        return [layer.encoder_attn.memory(states) for layer in self.layers]

    def step(
        self,
        tokens: Tensor,
        lengths: Tensor,
        heard: Tensor,
        past: list[tuple[Tensor, Tensor]],
        cross: list[tuple[Tensor, Tensor]],
    ) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """tokens [b, m]; lengths [b] of each row's past, heard [b] of its states; past and cross of each layer.

        -> (states [b, m, w], new keys and values [layers, b, h, m, w / h], shares [b, h, m, t] of each layer).
        """
        new, lowest = tokens.shape[1], torch.finfo(torch.float32).min
        hidden = (torch.arange(past[0][0].shape[2], device=tokens.device) >= lengths[:, None]).float() * lowest
        deaf = (torch.arange(cross[0][0].shape[2], device=tokens.device) >= heard[:, None]).float() * lowest
        causal = torch.ones(new, new, device=tokens.device).triu(1) * lowest
        masks = hidden[:, None, None], causal, deaf[:, None, None]
        places = lengths[:, None] + torch.arange(new, device=tokens.device)
        x = self.embed_tokens(tokens).to(self.embed_positions.weight.dtype) + self.embed_positions(places)
        keys, values, shares = [], [], []
        for layer, before, sound in zip(self.layers, past, cross, strict=True):
            x, k, v, share = layer(x, before, sound, masks)
            keys.append(k)
            values.append(v)
            shares.append(share)
        return self.layer_norm(x), torch.stack(keys), torch.stack(values), shares

    def logits(self, states: Tensor) -> Tensor:
        """states [b, m, w] -> [b, m, v]: the table of tokens is the projection, too."""
        return states @ self.embed_tokens.weight.T


class Whisper(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = nn.Module()
        self.model.encoder = Encoder(config)
        self.model.decoder = Decoder(config)
        self.eval().requires_grad_(False)

    @property
    def encoder(self) -> Encoder:
        return self.model.encoder  # type: ignore[return-value]

    @property
    def decoder(self) -> Decoder:
        return self.model.decoder  # type: ignore[return-value]


def seeded(config: Config, seed: int = 0) -> Whisper:
    """Networks with random weights, lively enough that tokens differ and a mistake anywhere shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Whisper(config)
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.05)
        # The table is the projection, too: with large entries a token would be followed by itself for ever.
        model.decoder.embed_tokens.weight.normal_(0, config.width**-0.5)
        model.decoder.embed_positions.weight.normal_(0, 1)
        model.encoder.embed_positions.weight.normal_(0, 0.5)
    return model
