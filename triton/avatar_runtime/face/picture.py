"""Encoded pictures: what they are, how large they are, and their pixels; every bad one is refused before decoding.

The header is read by hand, because a decoder would already have spent the memory that a decompression bomb wants.
JPEG, PNG, WebP and BMP are read; EXIF's orientation is applied; transparency is laid on white.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, AvatarError, Code

#: cv2 turns for EXIF orientation 1..8: (flip left-right first, rotation afterwards).
_ORIENTATIONS: dict[int, tuple[bool, int | None]] = {
    2: (True, None),
    3: (False, cv2.ROTATE_180),
    4: (True, cv2.ROTATE_180),
    5: (True, cv2.ROTATE_90_COUNTERCLOCKWISE),
    6: (False, cv2.ROTATE_90_CLOCKWISE),
    7: (True, cv2.ROTATE_90_CLOCKWISE),
    8: (False, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself before it is decoded."""

    kind: str
    width: int
    height: int
    orientation: int = 1


def read_header(data: bytes) -> Header:
    """Kind, size in pixels and EXIF orientation of an encoded picture.

    Raises `invalid_image` when it is not a picture of a known kind, ends early, or is animated.
    """
    try:
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        if data[:2] == b"BM" and len(data) > 54:
            return _bmp(data)
    except (struct.error, IndexError) as error:
        raise _truncated() from error
    if data[:6] in (b"GIF87a", b"GIF89a"):
        raise AvatarError(Code.INVALID_IMAGE, "GIF files, animated or not, cannot be used: send a JPEG, PNG or WebP.")
    if data[4:8] == b"ftyp":
        raise AvatarError(Code.INVALID_IMAGE, "HEIC, AVIF and video files cannot be used: send a JPEG, PNG or WebP.")
    raise AvatarError(Code.INVALID_IMAGE, "This is not a picture: send a JPEG, PNG or WebP.")


def decode(data: bytes) -> NDArray[np.uint8]:
    """The pixels of an encoded picture, upright, RGB uint8 [height, width, 3].

    Raises `invalid_image` when it is no picture, truncated, animated, over MAX_IMAGE_BYTES or MAX_IMAGE_PIXELS.
    """
    if not data:
        raise AvatarError(Code.INVALID_IMAGE, "The picture is empty.")
    if len(data) > MAX_IMAGE_BYTES:
        raise AvatarError(Code.INVALID_IMAGE, f"The picture is larger than {MAX_IMAGE_BYTES >> 20} MB.")
    header = read_header(data)
    if header.width < 1 or header.height < 1:
        raise AvatarError(Code.INVALID_IMAGE, "The picture has no pixels.")
    if header.width * header.height > MAX_IMAGE_PIXELS:
        raise AvatarError(
            Code.INVALID_IMAGE,
            f"The picture has {header.width}x{header.height} pixels; at most {MAX_IMAGE_PIXELS // 10**6} megapixels "
            "are read.",
        )
    flags = cv2.IMREAD_UNCHANGED if header.kind in ("png", "webp") else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise AvatarError(Code.INVALID_IMAGE, "The picture cannot be decoded: the file is damaged.") from error
    if pixels is None:
        raise AvatarError(Code.INVALID_IMAGE, "The picture cannot be decoded: the file is damaged.")
    return _upright(_as_rgb(pixels), header.orientation)


def _as_rgb(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Any layout that cv2 hands out -> RGB uint8, transparency laid on white."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise AvatarError(Code.INVALID_IMAGE, "Pictures with floating-point colours cannot be used.")
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 2:
        pixels = np.dstack([pixels[..., :1]] * 3 + [pixels[..., 1:]])
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        flat = (pixels[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
        pixels = flat.astype(np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    flip, turn = _ORIENTATIONS.get(orientation, (False, None))
    if flip:
        pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
    if turn is not None:
        pixels = np.asarray(cv2.rotate(pixels, turn), np.uint8)
    return np.ascontiguousarray(pixels)


def _truncated() -> AvatarError:
    return AvatarError(Code.INVALID_IMAGE, "The picture is cut off: the file ends too early.")


def _animated() -> AvatarError:
    return AvatarError(Code.INVALID_IMAGE, "The picture is animated: send a still one.")


def _exif_orientation(exif: bytes) -> int:
    """Tag 0x0112 of the first directory of a TIFF block, 1 when there is none."""
    try:
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        (at,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, at)
        for index in range(min(entries, 200)):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * index)
            if tag == 0x0112:
                return int(value) if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass  # a damaged EXIF block only loses the orientation
    return 1


def _jpeg(data: bytes) -> Header:
    """ISO/IEC 10918-1 B.2: segments up to the first scan, then the end marker must come."""
    at, size, orientation = 2, None, 1
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # fill bytes
            at += 1
        if data[at] != 0xFF:
            raise _truncated()
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        if marker in (0xC0, 0xC1, 0xC2, 0xC3):
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        elif marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _exif_orientation(data[at + 10 : at + 2 + length])
        elif marker == 0xDA:
            break
        at += 2 + length
    if size is None or not re.search(rb"\xff\xd9", data[at:]):
        raise _truncated()
    return Header("jpeg", *size, orientation)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if checksum != zlib.crc32(name + body):
            raise AvatarError(Code.INVALID_IMAGE, "The picture is damaged: a checksum does not match.")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length
    raise _truncated()


def _png(data: bytes) -> Header:
    width = height = 0
    orientation = 1
    for name, body in _png_chunks(data):
        if name == b"IHDR":
            width, height = struct.unpack_from(">II", body)
        elif name == b"acTL":
            raise _animated()
        elif name == b"eXIf":
            orientation = _exif_orientation(body)
    return Header("png", width, height, orientation)


def _webp(data: bytes) -> Header:
    """RFC 9649."""
    (riff,) = struct.unpack_from("<I", data, 4)
    if len(data) < riff + 8:
        raise _truncated()
    at, size, orientation = 12, None, 1
    while at + 8 <= riff + 8:
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + length]
        if name == b"VP8X":
            if body[0] & 2:
                raise _animated()
            size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
        elif name in (b"ANIM", b"ANMF"):
            raise _animated()
        elif name == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", body, 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", body, 1)
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif name == b"EXIF":
            orientation = _exif_orientation(body.removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    if size is None:
        raise _truncated()
    return Header("webp", *size, orientation)


def _bmp(data: bytes) -> Header:
    size, _, _, _, width, height = struct.unpack_from("<IHHIxxxxii", data, 2)
    if len(data) < size:
        raise _truncated()
    return Header("bmp", abs(width), abs(height))
