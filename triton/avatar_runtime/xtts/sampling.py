"""Which code comes next: repetition penalty, temperature, top-k and top-p, in the order of transformers' generation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """XTTS's own settings; `temperature` 0 takes the likeliest code."""

    temperature: float = 0.75
    repetition_penalty: float = 10.0
    top_k: int = 50
    top_p: float = 0.85


def choose(logits: Floats, seen: NDArray[np.bool_], how: Sampling, random: np.random.Generator) -> int:
    """logits f32 [codes], seen bool [codes] (codes that were there before) -> the next code."""
    penalised = np.where(logits < 0, logits * how.repetition_penalty, logits / how.repetition_penalty)
    scores = np.where(seen, penalised, logits)
    if how.temperature <= 0:
        return int(scores.argmax())
    best = np.argsort(-scores, kind="stable")[: how.top_k]
    weights = scores[best].astype(np.float64) / how.temperature
    weights = np.exp(weights - weights[0])
    share = weights / weights.sum()
    # The fewest of the likeliest that make up top_p: one is kept while those before it do not suffice.
    kept = np.cumsum(share) - share < how.top_p
    kept[0] = True
    total = np.cumsum(share[kept])
    return int(best[kept][np.searchsorted(total, random.random() * total[-1], side="right")])
