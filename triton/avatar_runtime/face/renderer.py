"""The `render` role: portraits known by the hash of their picture, and the streams that move them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import MIN_FACE_PIXELS, AvatarError, Code
from avatar_runtime.face.landmarks import Face, FaceFinder, Floats
from avatar_runtime.face.meshwarp import checked
from avatar_runtime.face.picture import decode

PORTRAITS = 8  # kept ready: about 15 MB each for a warp; for LivePortrait 5 MB, and 5 to 9 MB on the device
SECOND_FACE = 0.4  # a second face at least this wide, as a share of the widest, makes the picture ambiguous
FORMATS = ("i420", "rgb")


def the_face(faces: list[Face]) -> Face:
    """The one face that a portrait shows. Raises `no_face`, `several_faces`, `face_too_small`."""
    if not faces:
        raise AvatarError(Code.NO_FACE, "No face was found in the picture: choose one that shows it from the front.")
    first = faces[0]
    if len(faces) > 1 and faces[1].width >= SECOND_FACE * first.width:
        raise AvatarError(Code.SEVERAL_FACES, "The picture shows several faces: crop it to one.")
    if first.width < MIN_FACE_PIXELS:
        raise AvatarError(
            Code.FACE_TOO_SMALL,
            f"The face is only {first.width:.0f} pixels wide; at least {MIN_FACE_PIXELS} are needed.",
        )
    return first


class Animated(Protocol):
    """A portrait that is ready to move. `motion` is f32 [k, 58], as `checked` returns it."""

    def i420(self, motion: Floats) -> NDArray[np.uint8]:
        """Planar frames u8 [k, 768, 512]."""

    def rgb(self, motion: Floats) -> NDArray[np.uint8]:
        """Frames u8 [k, 512, 512, 3]."""


P = TypeVar("P", bound=Animated)


class Renderer(Generic[P]):
    """Portraits by SHA-256, the least recently used forgotten first."""

    def __init__(self, models: Path, make: Callable[[NDArray[np.uint8], Face], P], limit: int = PORTRAITS) -> None:
        """`models` holds the networks of `landmarks.FILES`; at most `limit` portraits are kept.

        make: RGB uint8 [height, width, 3] and the face in it -> the portrait, with whatever it holds on a device.
        """
        cv2.setNumThreads(1)
        self._limit = limit
        self._make = make
        self._finder = FaceFinder(models)
        self._portraits: OrderedDict[str, P] = OrderedDict()

    def portrait(self, sha256: str = "", picture: bytes | None = None) -> P:
        """The portrait of an encoded picture, or of one seen before.

        Raises `unknown_portrait` when only a hash is given and it is not known, and what is wrong with a picture.
        """
        if picture is not None:
            digest = hashlib.sha256(picture).hexdigest()
            if sha256 and sha256.lower() != digest:
                raise AvatarError(Code.INVALID_REQUEST, "PORTRAIT_SHA256 is not the hash of PORTRAIT.")
        elif sha256:
            digest = sha256.lower()
        else:
            raise AvatarError(Code.INVALID_REQUEST, "The first request needs PORTRAIT or PORTRAIT_SHA256.")
        found = self._portraits.pop(digest, None)
        if found is None:
            if picture is None:
                raise AvatarError(Code.UNKNOWN_PORTRAIT, "The server does not have this portrait: send the picture.")
            pixels = decode(picture)
            found = self._make(pixels, the_face(self._finder.find(pixels)))
        self._portraits[digest] = found
        while len(self._portraits) > self._limit:
            self._portraits.popitem(last=False)
        return found


class Stream:
    """One session's frames: which portrait moves, and in which format frames leave."""

    def __init__(self) -> None:
        self._portrait: Animated | None = None
        self._format = "i420"

    def open(self, portrait: Animated, output: str = "") -> None:
        """Sets the portrait and the format, "i420" or "rgb". Raises `invalid_request`."""
        if output and output not in FORMATS:
            raise AvatarError(Code.INVALID_REQUEST, "FORMAT must be i420 or rgb.")
        self._portrait, self._format = portrait, output or "i420"

    def frames(self, motion: NDArray[np.float32]) -> NDArray[np.uint8]:
        """MOTION f32 [k, 58] -> u8 [k, 768, 512] I420, or [k, 512, 512, 3] RGB. Raises `invalid_request`."""
        if self._portrait is None:
            raise AvatarError(Code.INVALID_REQUEST, "This sequence has no portrait: its first request must name one.")
        motion = checked(motion)
        return self._portrait.rgb(motion) if self._format == "rgb" else self._portrait.i420(motion)
