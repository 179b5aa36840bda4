"""What a file is, by its first bytes. Names and headers that came with it are never believed."""

from __future__ import annotations

from typing import Final

IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
LATENTS_TYPE: Final = "application/octet-stream"  # only the engine that made them can read them
AUDIO_TYPES: Final = ("audio/wav", "audio/mpeg", "audio/flac", "audio/ogg", "audio/webm", "audio/mp4", "audio/aac")


def image_type(data: bytes) -> str | None:
    """The media type of a picture that every browser and engine reads, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def audio_type(data: bytes) -> str | None:
    """The media type of a recording that can be decoded, or None."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "audio/wav"
    if data.startswith(b"fLaC"):
        return "audio/flac"
    if data.startswith(b"OggS"):
        return "audio/ogg"
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "audio/webm"
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") and _box_fits(data):
        return "audio/mp4"
    if data.startswith(b"ID3"):
        return "audio/mpeg"
    if len(data) >= 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        # Both start with a sync word; ADTS has layer 0 where MP3 has 1, 2 or 3.
        return "audio/aac" if data[1] & 0xF6 == 0xF0 else "audio/mpeg"
    return None


def _box_fits(data: bytes) -> bool:
    """Whether the first box of an MP4 has a length, so that those four bytes are not the beginning of something else.

    0 is "to the end", 1 "the length follows" (ISO/IEC 14496-12, 4.2); a recording that was cut off is shorter than it.
    """
    size = int.from_bytes(data[:4], "big")
    return size in (0, 1) or (8 <= size < 1 << 16) or (data[4:8] in (b"mdat", b"free", b"moov") and data[0] < 0x20)
