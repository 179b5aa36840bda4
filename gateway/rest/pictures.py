"""Pictures before anything decodes them: kind, size, wholeness; and whether there is one face in them to show."""

from __future__ import annotations

import re
import zlib
from typing import Final

import cv2
import numpy as np

from avatar_runtime.contracts import MAX_IMAGE_PIXELS, MIN_FACE_PIXELS, AvatarError, Code
from characters.media_types import image_type
from gateway.inference import Faces, Inference
from gateway.security.polyglots import second_nature

#: Markers inside a JPEG scan that are data: stuffed zeros, restarts, fill bytes.
_JPEG_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MAX_JPEG_SCANS: Final = 50  # progressive files have about ten
#: A face narrower than this share of the widest is somebody in the background.
BYSTANDER: Final = 1 / 3


def check_picture(image: bytes) -> bytes:
    """The picture without what follows its end; `invalid_image` unless it is a whole, still JPEG, PNG or WebP.

    Telephones put films there, and others what they like. The size, at most MAX_IMAGE_PIXELS, is read from the header,
    so a bomb is never unpacked. Blocking: it ends with decoding the picture.
    """
    readers = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
    kind = image_type(image)
    if kind is None:
        message = "This is not a picture in JPEG, PNG or WebP." if image else "The picture is empty."
        raise AvatarError(Code.INVALID_IMAGE, message)
    try:
        width, height, end = readers[kind](image)
    except IndexError as error:
        raise _truncated() from error
    if width * height > MAX_IMAGE_PIXELS:
        limit = MAX_IMAGE_PIXELS // 1_000_000
        raise AvatarError(Code.INVALID_IMAGE, f"The picture has more than {limit} megapixels.")
    if min(width, height) < MIN_FACE_PIXELS:
        raise AvatarError(Code.INVALID_IMAGE, f"The picture is smaller than {MIN_FACE_PIXELS} pixels.")
    image = image[:end]
    second = second_nature(image)
    if second is not None:
        raise AvatarError(Code.INVALID_IMAGE, f"The picture is also {second}; save it anew as a picture alone.")
    try:
        decoded = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    except cv2.error as error:
        raise AvatarError(Code.INVALID_IMAGE, "The picture is damaged.") from error
    if decoded is None:
        raise AvatarError(Code.INVALID_IMAGE, "The picture is damaged.")
    return image


def _truncated() -> AvatarError:
    return AvatarError(Code.INVALID_IMAGE, "The picture is cut off: its end is missing.")


def _animated() -> AvatarError:
    return AvatarError(Code.INVALID_IMAGE, "The picture is animated; use a still one.")


def _jpeg(image: bytes) -> tuple[int, int, int]:
    """Width, height and length, after walking all segments and scans to the end marker (ITU T.81, annex B)."""
    size = (0, 0)
    scans = 0
    at = 2
    while True:
        marker = _JPEG_NEXT_MARKER.search(image, at)
        if marker is None:
            raise _truncated()
        kind, at = image[marker.start() + 1], marker.end()
        if kind == 0xD9:
            return *size, at
        scans += kind == 0xDA
        if scans > MAX_JPEG_SCANS:  # each goes over the whole picture: time, where a bomb takes memory
            raise AvatarError(Code.INVALID_IMAGE, "The picture is stored in too many scans; save it anew.")
        if kind in _JPEG_FRAMES:
            height, width = (int.from_bytes(image[at + offset : at + offset + 2], "big") for offset in (3, 5))
            size = (max(size[0], width), max(size[1], height))
        at += image[at] * 256 + image[at + 1]


def _png(image: bytes) -> tuple[int, int, int]:
    """Width, height and length, after walking all chunks to IEND (ISO 15948)."""
    at = 8
    while True:
        length, kind = int.from_bytes(image[at : at + 4], "big"), image[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(image):
            raise _truncated()
        if zlib.crc32(image[at + 4 : end - 4]) != int.from_bytes(image[end - 4 : end], "big"):
            raise AvatarError(Code.INVALID_IMAGE, "The picture is damaged.")
        if kind == b"acTL":
            raise _animated()
        if kind == b"IEND":
            return int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big"), end
        at = end


def _webp(image: bytes) -> tuple[int, int, int]:
    """Width and height from the first chunk, and the length (RFC 9649)."""
    end = int.from_bytes(image[4:8], "little") + 8
    if len(image) < 30 or end > len(image):
        raise _truncated()
    kind = image[12:16]
    if kind == b"VP8X":
        if image[20] & 2:
            raise _animated()
        return int.from_bytes(image[24:27], "little") + 1, int.from_bytes(image[27:30], "little") + 1, end
    if kind == b"VP8L":
        bits = int.from_bytes(image[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, end
    return int.from_bytes(image[26:28], "little") & 0x3FFF, int.from_bytes(image[28:30], "little") & 0x3FFF, end


async def check_face(inference: Inference, image: bytes) -> None:
    """Raises `no_face`, `several_faces` or `face_too_small` unless one face is there to show."""
    one_face(await inference.landmarks(image))


def one_face(faces: Faces) -> None:
    """As `check_face`, of faces that were found already."""
    widths = np.asarray(faces.boxes)[:, 2] - np.asarray(faces.boxes)[:, 0]
    if not widths.size:
        raise AvatarError(Code.NO_FACE, "No face was found in the picture; use one that shows a face from the front.")
    if np.count_nonzero(widths >= widths.max() * BYSTANDER) > 1:
        raise AvatarError(Code.SEVERAL_FACES, "The picture shows several faces; cut it to one.")
    if widths.max() < MIN_FACE_PIXELS:
        message = f"The face is only {int(widths.max())} pixels wide; it should be at least {MIN_FACE_PIXELS}."
        raise AvatarError(Code.FACE_TOO_SMALL, message)


def encode_picture(frame: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], kind: str) -> bytes:
    """An RGB frame [h, w, 3] as a PNG or JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95] if kind == "jpeg" else []
    _, encoded = cv2.imencode(".jpg" if kind == "jpeg" else ".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
    return encoded.tobytes()
