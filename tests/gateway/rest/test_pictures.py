from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from avatar_runtime.contracts import AvatarError, Code
from gateway.rest.pictures import check_picture

PORTRAITS = sorted((Path(__file__).parents[3] / "characters" / "defaults" / "portraits").glob("*.jpg"))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG whose header claims a size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def refused(image: bytes) -> str:
    with pytest.raises(AvatarError) as caught:
        check_picture(image)
    assert caught.value.code is Code.INVALID_IMAGE
    return caught.value.message


@pytest.mark.parametrize("path", PORTRAITS, ids=lambda path: path.stem)
def test_the_portraits_are_fine(path):
    check_picture(path.read_bytes())


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
def test_every_kind_whole_or_cut_off(picture, kind):
    image = picture(kind)
    assert check_picture(image) == image
    assert check_picture(image + b"trailing bytes") == image
    for share in (0.01, 0.3, 0.9, 0.999):
        refused(image[: int(len(image) * share)])


@pytest.mark.parametrize("path", PORTRAITS[:1], ids=lambda path: path.stem)
def test_a_photo_cut_off_says_so(path):
    image = path.read_bytes()
    assert "cut off" in refused(image[: len(image) // 2])
    assert "cut off" in refused(image[:-2])


@pytest.mark.parametrize(
    "data", [b"", b"text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" + bytes(50), b"\0\0\0\x18ftypheic"]
)
def test_other_files(data):
    refused(data)


def test_a_hundred_megapixels_are_refused_by_their_header():
    assert "megapixels" in refused(png(10_000, 10_000))
    header = b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 10_000, 10_000) + bytes(10) + b"\xff\xd9"
    assert "megapixels" in refused(header)
    vp8x = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + (9_999).to_bytes(3, "little") * 2
    assert "megapixels" in refused(b"RIFF" + struct.pack("<I", len(vp8x)) + vp8x)


def test_tiny_pictures():
    refused(png(1, 1))
    refused(png(0, 0))


def test_animations():
    assert "animated" in refused(png(300, 300, chunk(b"acTL", struct.pack(">II", 2, 0))))
    vp8x = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (299).to_bytes(3, "little") * 2
    assert "animated" in refused(b"RIFF" + struct.pack("<I", len(vp8x)) + vp8x)


def test_damage(picture):
    image = bytearray(picture(".png"))
    image[len(image) // 2] ^= 0xFF
    assert "damaged" in refused(bytes(image))
    assert "damaged" in refused(png(300, 300))
    assert "damaged" in refused(png(300, 300, chunk(b"IDAT", b"garbage")))


def test_every_cut_of_a_small_picture_is_an_error_and_no_crash(picture):
    for kind in (".jpg", ".png", ".webp"):
        image = picture(kind, 80, 80)
        for length in range(0, len(image) - 1, 37):
            refused(image[:length])
