"""A voice from a recording: what the GPT and the vocoder are told of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from avatar_runtime.contracts import SPEAKING_RATE, AvatarError, Code
from avatar_runtime.xtts.bundle import XttsBundle
from avatar_runtime.xtts.graphs import AUDIO, CONDITIONING_RATE, LATENTS, SPEAKER, SPEAKER_RATE
from avatar_runtime.xtts.voices import Voice, pack

Floats = NDArray[np.float32]
SHORTEST_SECONDS = 0.33  # of a passage that still counts, as in coqui's get_gpt_cond_latents


class Cloner:
    """XTTS's ears, with the exported bundle in `folder`."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        bundle = XttsBundle(folder, threads)
        self._sizes, self._checkpoint = bundle.sizes, bundle.checkpoint
        self._conditioning, self._speaker = bundle.session("conditioning"), bundle.session("speaker")

    def latents(self, audio: Floats) -> bytes:
        """audio f32 [n], 24 kHz mono, checked and trimmed (`voices.reference`) -> LATENTS, see `voices.pack`.

        The mean over passages of the first `reference_seconds`; the speaker hears all of it.
        """
        if audio.ndim != 1 or len(audio) < SPEAKING_RATE * SHORTEST_SECONDS or not np.isfinite(audio).all():
            raise AvatarError(Code.INVALID_AUDIO, "The recording is too short to tell a voice from.")
        return pack(self.voice(audio.astype(np.float32)), self._checkpoint)

    def voice(self, audio: Floats) -> Voice:
        """The same as arrays."""
        heard = soxr.resample(audio, SPEAKING_RATE, CONDITIONING_RATE, "VHQ").astype(np.float32)
        heard = heard[: self._sizes.reference_seconds * CONDITIONING_RATE]
        step = self._sizes.chunk_seconds * CONDITIONING_RATE
        passages = [heard[at : at + step] for at in range(0, len(heard), step)]
        passages = [each for each in passages if len(each) >= SHORTEST_SECONDS * CONDITIONING_RATE]
        latents = [self._conditioning.run([LATENTS], {AUDIO: passage[None]})[0][0] for passage in passages]
        whole = soxr.resample(audio, SPEAKING_RATE, SPEAKER_RATE, "VHQ").astype(np.float32)
        speaker = self._speaker.run([SPEAKER], {AUDIO: whole[None]})[0][0]
        return Voice(np.mean(latents, 0, dtype=np.float32), speaker)
