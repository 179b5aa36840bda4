"""The GPT that turns text into audio codes: GPT-2 (Radford et al. 2019) with learned positions for text and codes."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.xtts.config import Config


class Projection(nn.Module):
    """x @ weight + bias, the weight [in, out] as GPT-2 keeps it (transformers calls it Conv1D)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * 0.02)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """Causal self-attention over what was said before (`past`) and the new positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = Projection(width, 3 * width)
        self.c_proj = Projection(width, width)

    def forward(self, x: Tensor, past_k: Tensor, past_v: Tensor, hidden: Tensor, causal: Tensor) -> tuple[Tensor, ...]:
        """x [b, m, w]; past_k, past_v [b, h, s, w / h]; hidden f32 [b, 1, 1, s], causal f32 [m, m]: -inf where masked.

        -> (out [b, m, w], new keys and values [b, h, m, w / h]). Past and new are kept apart, so that the cache is
        read where it lies and never copied.
        """
        batch, new, width = x.shape
        q, k, v = (
            part.reshape(batch, new, self.heads, width // self.heads).transpose(1, 2)
            for part in self.c_attn(x).split(width, 2)
        )
        scale = 1 / math.sqrt(width // self.heads)
        before = q @ past_k.transpose(2, 3) * scale + hidden
        among = q @ k.transpose(2, 3) * scale + causal
        length = past_k.shape[2]
        share = torch.cat([before, among], 3).softmax(3)
        out = share[..., :length] @ past_v + share[..., length:] @ v
        return self.c_proj(out.transpose(1, 2).reshape(batch, new, width)), k, v


class Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Module()
        self.mlp.c_fc = Projection(width, 4 * width)
        self.mlp.c_proj = Projection(4 * width, width)

    def forward(self, x: Tensor, *past: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        out, k, v = self.attn(self.ln_1(x), *past)
        x = x + out
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh")), k, v


class Transformer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.h = nn.ModuleList(Layer(config.width, config.heads) for _ in range(config.layers))
        self.ln_f = nn.LayerNorm(config.width)


class Positions(nn.Module):
    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(count, width)
        nn.init.normal_(self.emb.weight, std=0.02)


class Gpt(nn.Module):
    """Embeddings, transformer and heads; `step` is what is exported."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.text_embedding = nn.Embedding(config.text_tokens, config.width)
        self.mel_embedding = nn.Embedding(config.codes, config.width)
        self.text_pos_embedding = Positions(config.text_positions, config.width)
        self.mel_pos_embedding = Positions(config.code_positions, config.width)
        self.gpt = Transformer(config)
        self.final_norm = nn.LayerNorm(config.width)
        self.text_head = nn.Linear(config.width, config.text_tokens)
        self.mel_head = nn.Linear(config.width, config.codes)
        for embedding in (self.text_embedding, self.mel_embedding):
            nn.init.normal_(embedding.weight, std=0.02)

    def prefix(self, latents: Tensor, text: Tensor) -> Tensor:
        """Latents [b, 32, w] and text ids [b, t] -> what the first code follows, [b, 32 + t + 3, w]."""
        text = F.pad(F.pad(text, (1, 0), value=self.config.start_text), (0, 1), value=self.config.stop_text)
        spoken = self.text_embedding(text) + self.text_pos_embedding.emb.weight[: text.shape[1]]
        start = self.mel_embedding.weight[self.config.start_code] + self.mel_pos_embedding.emb.weight[0]
        return torch.cat([latents, spoken, start.expand(len(text), 1, -1)], 1)

    def step(self, embeds: Tensor, lengths: Tensor, past: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, ...]:
        """embeds [b, m, w], lengths [b] of each row's past, past (keys, values) [b, h, s, w / h] of each layer.

        -> logits of the code after the last position [b, codes], its hidden state [b, w] (normalised, what the
        vocoder hears), and the new keys and values [layers, b, h, m, w / h].
        """
        new, length = embeds.shape[1], past[0][0].shape[2]
        index = torch.arange(length, device=embeds.device)
        lowest = torch.finfo(embeds.dtype).min
        hidden = (index >= lengths[:, None]).to(embeds.dtype)[:, None, None] * lowest
        causal = torch.ones(new, new, dtype=embeds.dtype, device=embeds.device).triu(1) * lowest
        x, keys, values = embeds, [], []
        for layer, (k, v) in zip(self.gpt.h, past, strict=True):
            x, k, v = layer(x, k, v, hidden, causal)
            keys.append(k)
            values.append(v)
        state = self.final_norm(self.gpt.ln_f(x[:, -1]))
        return self.mel_head(state), state, torch.stack(keys), torch.stack(values)
