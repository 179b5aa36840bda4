"""`avatar_runtime.face.picture`: good pictures come out upright, bad ones get their code before they are decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import MAX_IMAGE_BYTES, AvatarError, Code
from avatar_runtime.face.picture import decode, read_header

PIXELS = np.zeros((40, 60, 3), np.uint8)
PIXELS[:, :20] = (0, 0, 255)  # BGR: red at the left
PIXELS[:10] = (255, 0, 0)  # blue at the top


def encoded(kind: str, pixels: np.ndarray = PIXELS) -> bytes:
    return cv2.imencode(kind, pixels)[1].tobytes()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *extra: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IEND", b"")


def exif_jpeg(orientation: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    block = b"Exif\0\0" + tiff
    plain = encoded(".jpg")
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]


def code_of(data: bytes) -> Code:
    with pytest.raises(AvatarError) as caught:
        decode(data)
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_decodes(kind: str) -> None:
    header = read_header(encoded(kind))
    pixels = decode(encoded(kind))
    assert (header.width, header.height) == (60, 40) and pixels.shape == (40, 60, 3)
    assert pixels[30, 5, 0] > 200 and pixels[2, 50, 2] > 200  # red left, blue top: RGB order


@pytest.mark.parametrize(
    ("orientation", "shape", "blue"),
    [(1, (40, 60), "top"), (2, (40, 60), "top"), (3, (40, 60), "bottom"), (4, (40, 60), "bottom"),
     (5, (60, 40), "left"), (6, (60, 40), "right"), (7, (60, 40), "right"), (8, (60, 40), "left")],
)  # fmt: skip
def test_exif_orientation(orientation: int, shape: tuple[int, int], blue: str) -> None:
    pixels = decode(exif_jpeg(orientation)).astype(int)
    edges = {"top": pixels[3], "bottom": pixels[-4], "left": pixels[:, 3], "right": pixels[:, -4]}
    assert pixels.shape[:2] == shape
    assert max(edges, key=lambda edge: (edges[edge][:, 2] - edges[edge][:, 0]).sum()) == blue


@pytest.mark.parametrize(("orientation", "red"), [(1, "left"), (2, "right"), (3, "right"), (4, "left")])
def test_exif_mirrors(orientation: int, red: str) -> None:
    pixels = decode(exif_jpeg(orientation)).astype(int)
    left, right = pixels[20, 5, 0], pixels[20, -5, 0]
    assert (left > right) == (red == "left")


def test_exif_orientation_matches_opencv() -> None:
    for orientation in range(1, 9):
        theirs = cv2.imdecode(np.frombuffer(exif_jpeg(orientation), np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(decode(exif_jpeg(orientation)), theirs[..., ::-1])


def test_transparency_lies_on_white() -> None:
    clear = np.dstack([PIXELS, np.zeros((40, 60, 1), np.uint8)])
    assert (decode(encoded(".png", clear)) == 255).all()


def test_grey_and_sixteen_bits() -> None:
    assert decode(encoded(".png", PIXELS[..., 0])).shape == (40, 60, 3)
    deep = decode(encoded(".png", PIXELS.astype(np.uint16) * 257))
    assert deep.dtype == np.uint8 and deep[2, 50, 2] == 255


@pytest.mark.parametrize(
    "data",
    [b"", b"hello, I am no picture at all", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n",
     b"RIFF\x00\x00\x00\x00WEBP", b"BM" + b"\0" * 60,
     b"GIF89a" + b"\0" * 40, b"\0\0\0\x18ftypheic" + b"\0" * 40, b"\0" * 1000],
)  # fmt: skip
def test_not_a_picture(data: bytes) -> None:
    assert code_of(data) == Code.INVALID_IMAGE


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.98])
def test_truncated(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = encoded(kind, noise)
    assert code_of(data[: int(len(data) * share)]) == Code.INVALID_IMAGE


def test_damaged_png() -> None:
    data = bytearray(encoded(".png"))
    data[len(data) // 2] ^= 0xFF
    assert code_of(bytes(data)) == Code.INVALID_IMAGE


def test_animated() -> None:
    assert code_of(png(10, 10, chunk(b"acTL", struct.pack(">II", 2, 0)))) == Code.INVALID_IMAGE
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0, 9, 0, 0, 9, 0, 0])
    assert code_of(b"RIFF" + struct.pack("<I", len(extended) + 4) + b"WEBP" + extended) == Code.INVALID_IMAGE


def test_bombs_are_refused_by_their_header() -> None:
    with pytest.raises(AvatarError, match="megapixels"):
        decode(png(10_000, 10_000))
    with pytest.raises(AvatarError, match="MB"):
        decode(b"\xff\xd8\xff" + b"\0" * MAX_IMAGE_BYTES)
