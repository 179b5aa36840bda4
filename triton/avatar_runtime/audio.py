"""Checks on audio that comes from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import LISTENING_RATE, MAX_UTTERANCE_SECONDS, AvatarError, Code


def checked(
    audio: NDArray[Any],
    rate: int = LISTENING_RATE,
    limit: float = MAX_UTTERANCE_SECONDS,
    already: int = 0,
    allow_empty: bool = False,
) -> NDArray[np.float32]:
    """`audio` as one float32 channel [n], full scale -1..1.

    `already` samples came before it; together they may last `limit` seconds at `rate` Hz. Raises `invalid_audio`.
    """
    if audio.dtype.kind != "f":
        raise AvatarError(Code.INVALID_AUDIO, "Audio must be floating-point samples between -1 and 1.")
    samples = np.asarray(audio, dtype=np.float32).reshape(-1)
    if samples.size == 0 and not allow_empty:
        raise AvatarError(Code.INVALID_AUDIO, "The audio is empty: record at least a moment of sound.")
    if samples.size + already > limit * rate:
        raise AvatarError(
            Code.INVALID_AUDIO, f"The audio is longer than {limit / 60:g} minutes: send it in shorter parts."
        )
    if not np.isfinite(samples).all():
        raise AvatarError(Code.INVALID_AUDIO, "The audio contains values that are not finite numbers.")
    return samples
