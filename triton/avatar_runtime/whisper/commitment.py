"""Which of the words heard so far are certain, while more is being said.

Two rules. *AlignAtt* (Papi et al. 2023, "AlignAtt: Using Attention-based Audio-Translation Alignments as a Guide for
Simultaneous Speech Translation"): a token is certain when the decoder, choosing it, did not look at the newest sound.
*LocalAgreement* (Liu et al. 2020; Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System"): a token
is certain when two looks in a row agree on it and on all before it.
"""

from __future__ import annotations

import numpy as np

from avatar_runtime.whisper.decoding import Array


def agreed(before: list[int], now: list[int]) -> int:
    """LocalAgreement: how many tokens two hypotheses have in common at their beginning."""
    for index, (one, other) in enumerate(zip(before, now, strict=False)):
        if one != other:
            return index
    return min(len(before), len(now))


def settled(attention: list[Array], positions: int, margin: int) -> int:
    """AlignAtt: how many tokens were chosen before the first that looked at the last `margin` of `positions`.

    `attention` holds [heads, 1, t] for each token; the heads look where most of them look on the average.
    """
    for index, weights in enumerate(attention):
        if int(np.argmax(weights[:, 0, :positions].mean(axis=0))) >= positions - margin:
            return index
    return len(attention)
