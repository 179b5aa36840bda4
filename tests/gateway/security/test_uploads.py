"""Pictures and recordings that are meant to harm: bombs, and files that are two things at once."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError, Code
from characters.media_types import audio_type
from gateway.media import decode, wav_header
from gateway.rest.pictures import MAX_JPEG_SCANS, check_picture
from gateway.security.polyglots import second_nature


def picture(kind: str) -> bytes:
    texture = np.random.default_rng(7).integers(0, 255, (40, 30, 3), np.uint8)
    encoded: bytes = cv2.imencode(kind, cv2.resize(texture, (300, 400)))[1].tobytes()
    return encoded


def archive(comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("evil.class", b"\xca\xfe\xba\xbe")
        made.comment = comment
    return file.getvalue()


def recording() -> bytes:
    return wav_header(16_000, 16_000) + bytes(32_000)


def refused(data: bytes, code: Code) -> str:
    with pytest.raises(AvatarError) as caught:
        if code is Code.INVALID_IMAGE:
            check_picture(data)
        else:
            decode(data)
    assert caught.value.code is code
    return caught.value.message


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
def test_what_follows_a_picture_is_not_kept(kind: str) -> None:
    whole = picture(kind)
    for more in (archive(), b"<script>alert(1)</script>", b"\0" * 5, whole):
        assert check_picture(whole + more) == whole


@pytest.mark.parametrize(
    ("hidden", "what"),
    [(archive(), "ZIP"), (b"%PDF-1.7", "PDF"), (b"Rar!\x1a\x07\0", "archive"), (b"<ScRiPt >", "web page")],
)
def test_what_hides_inside_a_picture(hidden: bytes, what: str) -> None:
    whole = picture(".jpg")
    comment = b"\xff\xfe" + struct.pack(">H", len(hidden) + 2) + hidden
    assert what in refused(whole[:2] + comment + whole[2:], Code.INVALID_IMAGE)
    text = b"tEXt" + b"Comment\0" + hidden
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    whole = picture(".png")
    assert what in refused(whole[:33] + chunk + whole[33:-12] + chunk + whole[-12:], Code.INVALID_IMAGE)


@pytest.mark.parametrize(
    ("second", "what"), [(archive(), "ZIP"), (archive(b"comment"), "ZIP"), (b"Rar!\x1a\x07\0", "archive")]
)
def test_a_recording_and_an_archive(second: bytes, what: str) -> None:
    assert what in refused(recording() + second, Code.INVALID_AUDIO)


def test_a_page_that_calls_itself_a_film() -> None:
    for page in (b"<!--ftypisom--><script>alert(1)</script>", b"\n<a ftyp", b"<svgmdat onload='alert(1)'>"):
        assert audio_type(page) is None
    hidden = b"\0\0\0\x40ftypisom" + b"<script>alert(1)</script>".ljust(52)
    assert "web page" in refused(hidden, Code.INVALID_AUDIO)


def test_what_is_one_thing() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 1 << 20, np.uint8).tobytes()
    for data in (b"", noise, b"PK\x05\x06", b"PK\x05\x06" + bytes(16) + b"\xff\xff", b"PK\x03\x04" + noise):
        assert second_nature(data) is None
    portraits = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
    assert [second_nature(path.read_bytes()) for path in portraits.glob("*.jpg")] == [None] * 4


def test_a_picture_in_a_thousand_scans_costs_no_time() -> None:
    whole = picture(".jpg")
    scan = whole[whole.index(b"\xff\xda") : -2]
    assert check_picture(whole)
    assert "scans" in refused(whole[:-2] + scan * MAX_JPEG_SCANS + whole[-2:], Code.INVALID_IMAGE)


def test_hours_of_work_in_a_small_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.media.MAX_DECODED", 8 * 384_000)
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=96_000, layout="7.1")
        for _ in range(60):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8 * 9_600), np.int16), format="s16", layout="7.1")
            frame.sample_rate = 96_000
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert len(file.getvalue()) < 50_000
    assert "too many channels" in refused(file.getvalue(), Code.INVALID_AUDIO)


#: Prints by how much the process has grown at most, in MB, while it looked at a file.
WATCHED = """
import resource, sys
from pathlib import Path
from avatar_runtime.contracts import AvatarError
from gateway.media import decode
from gateway.rest.pictures import check_picture
kind, path = sys.argv[1:]
data = Path(path).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    (check_picture if kind == "image" else decode)(data)
    print("taken", end=" ")
except AvatarError as error:
    print("refused", end=" ")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def grown(kind: str, data: bytes, tmp_path: Path) -> tuple[str, int]:
    path = tmp_path / "bomb"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, kind, str(path)],
        capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    word, megabytes = done.stdout.split()
    return word, int(megabytes)


def png_bombs() -> dict[str, bytes]:
    """A gigabyte of zeros, packed a thousandfold, in each place of a PNG that holds packed data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(bytes(1 << 20)) for _ in range(1024)] + [packer.flush()])
    whole = picture(".png")
    return {
        "zTXt": whole[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + whole[33:],
        "iCCP": whole[:33] + chunk(b"iCCP", b"profile\0\0" + packed) + whole[33:],
        "iTXt": whole[:33] + chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed) + whole[33:],
        "IDAT": whole[:33] + chunk(b"IDAT", packed) + chunk(b"IEND", b""),
    }


def test_a_picture_that_unpacks_to_a_gigabyte(tmp_path: Path) -> None:
    for place, bomb in png_bombs().items():
        assert len(bomb) < 3 << 20
        word, megabytes = grown("image", bomb, tmp_path)
        assert megabytes < 200, (place, word, megabytes)


def test_a_webp_whose_frame_is_larger_than_it_says(tmp_path: Path) -> None:
    """The size in front is small, the frame behind it is 16,383 x 16,383."""
    frame = b"VP8L" + struct.pack("<I", 6) + b"\x2f" + struct.pack("<I", 0x3FFF | 0x3FFF << 14) + b"\0"
    front = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (299).to_bytes(3, "little") * 2
    data = b"WEBP" + front + frame
    word, megabytes = grown("image", b"RIFF" + struct.pack("<I", len(data)) + data, tmp_path)
    assert word == "refused" and megabytes < 100


def test_a_recording_that_claims_gigabytes(tmp_path: Path) -> None:
    """Sample tables of an MP4 with four billion entries, and a WAV of four gigabytes."""
    table = b"\0\0\0\x14stsz" + bytes(8) + b"\xff\xff\xff\xff"
    moov = struct.pack(">I", 8 + len(table)) + b"moov" + table
    for bomb in (b"\0\0\0\x10ftypisom\0\0\0\0" + moov, wav_header(None) + bytes(100)):
        _, megabytes = grown("audio", bomb, tmp_path)
        assert megabytes < 100
