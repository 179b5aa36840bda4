"""A portrait that LivePortrait moves: face motion in, I420 frames of its view out."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.face import geometry
from avatar_runtime.face.landmarks import Face
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.liveportrait import opening, ratios
from avatar_runtime.liveportrait.control import Source, controlled
from avatar_runtime.liveportrait.framing import cut, frame
from avatar_runtime.liveportrait.graphs import CANONICAL, EXPRESSION, POSE, SCALE, SOURCE, TRANSLATION
from avatar_runtime.liveportrait.keypoints import Floats
from avatar_runtime.liveportrait.networks import Networks
from avatar_runtime.liveportrait.pasting import Paste

Bytes = NDArray[np.uint8]
Retarget = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]


class Portrait:
    """One portrait, ready to move; what its networks hold of it goes with it."""

    def __init__(self, pixels: Bytes, face: Face, networks: Networks, retarget: Retarget) -> None:
        """pixels: RGB u8 [height, width, 3]."""
        framing = frame((pixels.shape[1], pixels.shape[0]), face)
        view, _ = geometry.crop(pixels, face)
        self.paste = Paste(view, framing)
        self._networks, self._retarget = networks, retarget
        self._held = networks.source(cut(pixels, framing, view))
        numbers = {name: np.asarray(self._held[name][0], np.float32) for name in (CANONICAL, EXPRESSION, SOURCE, POSE)}
        self._source = Source(
            canonical=numbers[CANONICAL],
            expression=numbers[EXPRESSION],
            keypoints=numbers[SOURCE],
            pose=numbers[POSE],
            translation=np.asarray(self._held[TRANSLATION][0], np.float32),
            scale=float(self._held[SCALE][0, 0]),
            shift=framing.shift,
        )
        self._eyes, self._lips = ratios.eyes(face.landmarks), ratios.lips(face.landmarks)
        self._still = np.zeros((1, *self._source.keypoints.shape), np.float32)
        self._still = self._retargeted(rest()[None])

    def _retargeted(self, motion: Floats) -> Floats:
        """What lids and lips add to the keypoints, [k, 21, 3]: nothing in the motion of rest."""
        eyes, lips = opening.eyes(motion, self._eyes), opening.lips(motion, self._lips)
        lids, mouth = self._retarget(self._source.keypoints, eyes, lips)
        return np.asarray(lids + mouth - self._still, np.float32)

    def driven(self, motion: Floats) -> Floats:
        """motion f32 [k, 58] -> DRIVEN f32 [k, 21, 3]."""
        return controlled(motion, self._source, opening.winks(motion)) + self._retargeted(motion)

    def i420(self, motion: Floats) -> Bytes:
        """motion f32 [k, 58] -> planar frames u8 [k, 768, 512]."""
        return self.paste(self._networks.frames(self._held, self.driven(motion)))

    def rgb(self, motion: Floats) -> Bytes:
        """motion f32 [k, 58] -> frames u8 [k, 512, 512, 3]."""
        return np.stack([cv2.cvtColor(each, cv2.COLOR_YUV2RGB_I420) for each in self.i420(motion)])
