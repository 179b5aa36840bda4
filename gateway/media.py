"""Recordings in, recordings out: whatever a browser or phone records to samples, and samples to what players know."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import av
import av.error
import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import LISTENING_RATE, MAX_UTTERANCE_SECONDS, SPEAKING_RATE, AvatarError, Code
from characters.media_types import audio_type
from gateway.security.polyglots import second_nature

Floats = npt.NDArray[np.float32]

MAX_AUDIO_BYTES: Final = 64 * 2**20  # 30 min of 16-bit mono at 16 kHz is 58 MB
RATES: Final = range(4_000, 384_001)  # Hz; a header that claims another is broken
MAX_CHANNELS: Final = 8
MAX_DECODED: Final = MAX_UTTERANCE_SECONDS * 192_000  # samples of all channels; small files can hold hours of work

#: FFmpeg's demuxer for each type. It is always named, never probed: probing also finds playlist
#: formats, whose entries FFmpeg would open as local files or addresses.
_DEMUXERS: Final = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/webm": "matroska",
    "audio/mp4": "mov",
    "audio/aac": "aac",
}
_BROKEN: Final = "The recording is broken: it cannot be decoded."


def decode(recording: bytes, max_seconds: float = MAX_UTTERANCE_SECONDS, rate: int = LISTENING_RATE) -> Floats:
    """The samples of an encoded recording (WAV, MP3, FLAC, Ogg, WebM, MP4, AAC), mono, `rate` Hz, [n] in -1..1.

    Blocking; half a second for a minute of Opus on a slow core. Raises `invalid_audio` when it is no recording, has no
    sound track, is empty, is damaged beyond its odd packet, or is longer than `max_seconds`.
    """
    media_type = audio_type(recording)
    if media_type is None:
        raise AvatarError(
            Code.INVALID_AUDIO,
            "This is not a recording in WAV, MP3, FLAC, Ogg, WebM or MP4." if recording else "The recording is empty.",
        )
    second = second_nature(recording)
    if second is not None:
        raise AvatarError(Code.INVALID_AUDIO, f"The recording is also {second}; save it anew as a recording alone.")
    options = {"protocol_whitelist": "", "enable_drefs": "0"} if media_type == "audio/mp4" else {}
    try:
        with av.open(io.BytesIO(recording), format=_DEMUXERS[media_type], options=options) as container:
            parts = list(_resampled(container, max_seconds, rate))
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise AvatarError(Code.INVALID_AUDIO, _BROKEN) from error
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if not samples.size:
        raise AvatarError(Code.INVALID_AUDIO, "The recording is empty.")
    if not np.isfinite(samples).all():
        raise AvatarError(Code.INVALID_AUDIO, "The recording holds values that are not numbers.")
    return np.clip(samples, -1.0, 1.0)


def _resampled(container: Any, max_seconds: float, rate: int) -> Iterator[Floats]:
    if not container.streams.audio:
        raise AvatarError(Code.INVALID_AUDIO, "The recording has no sound track.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:  # damage in the header, or a codec that FFmpeg does not have
        raise AvatarError(Code.INVALID_AUDIO, _BROKEN)
    if stream.rate not in RATES or not 1 <= stream.channels <= MAX_CHANNELS:
        raise AvatarError(Code.INVALID_AUDIO, _BROKEN)
    too_long = AvatarError(Code.INVALID_AUDIO, f"The recording is longer than {max_seconds:g} seconds.")
    if container.duration is not None and container.duration / av.time_base > max_seconds + 1:
        raise too_long
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    length = decoded = 0
    for frame in decoded_frames(container, stream):
        decoded += 0 if frame is None else frame.samples * stream.channels
        if decoded > MAX_DECODED:
            raise AvatarError(Code.INVALID_AUDIO, "The recording has too many channels or samples for its length.")
        for resampled in resampler.resample(frame):
            samples = resampled.to_ndarray().reshape(-1).astype(np.float32, copy=False)
            length += samples.size
            if length > max_seconds * rate:
                raise too_long
            yield samples


def decoded_frames(container: Any, stream: Any) -> Iterator[Any]:
    """Decoded frames, then None, which flushes the resampler. A few bad packets are what a cut-off recording has."""
    good = bad = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            break
        except av.error.InvalidDataError:
            bad += 1
            if bad > good + 5:
                raise
            continue
        good += 1
        yield from frames
    if bad > good:
        raise AvatarError(Code.INVALID_AUDIO, _BROKEN)
    if good:
        yield None


@dataclass(frozen=True)
class Format:
    """How speech can be sent: FFmpeg's container and codec, and the media type."""

    media_type: str
    container: str = ""
    codec: str = ""
    rate: int = SPEAKING_RATE  # Hz, of the file


#: As OpenAI's `response_format` names them. Opus knows 48 kHz only by way of its resampler; `pcm` is 16-bit at 24 kHz.
FORMATS: Final = {
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame"),
    "opus": Format("audio/ogg", "ogg", "libopus", 48_000),
    "aac": Format("audio/aac", "adts", "aac"),
    "flac": Format("audio/flac", "flac", "flac"),
    "wav": Format("audio/wav"),
    "pcm": Format("audio/pcm"),
}


class Encoder:
    """Speech at SPEAKING_RATE to a file, piece by piece: what `feed` and `finish` return, joined, is the file."""

    def __init__(self, name: str) -> None:
        chosen = FORMATS[name]
        self._sink = _Sink()
        self._position = 0  # samples
        self._container: Any = None
        if name == "wav":
            # The length is not known yet: players read 0xFFFFFFFF as "to the end".
            self._sink.write(wav_header(None))
        elif chosen.container:
            options = {"write_xing": "0"} if name == "mp3" else {}
            self._container = av.open(self._sink, "w", format=chosen.container, options=options)
            self._stream = self._container.add_stream(chosen.codec, rate=chosen.rate, layout="mono")

    def feed(self, audio: Floats) -> bytes:
        """Encode samples [n] in -1..1; returns the bytes that are ready."""
        if self._container is None:
            self._sink.write(pcm16(audio))
        elif audio.size:
            frame = av.AudioFrame.from_ndarray(np.clip(audio, -1, 1).reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = SPEAKING_RATE
            frame.pts = self._position
            self._position += audio.size
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def finish(self) -> bytes:
        """The rest of the file."""
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._container = None
        return self._sink.take()


class _Sink:
    """A file that cannot seek, so that a muxer never goes back to what was sent already."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def encode(audio: Floats, name: str) -> bytes:
    """A whole file of speech [n] at SPEAKING_RATE in one of `FORMATS`."""
    if name == "wav":
        return wav_header(audio.size) + pcm16(audio)
    encoder = Encoder(name)
    return encoder.feed(audio) + encoder.finish()


def pcm16(audio: Floats) -> bytes:
    """Samples in -1..1 as 16-bit little endian."""
    return (np.clip(audio, -1, 1) * 32767).round().astype("<i2").tobytes()


def wav_header(samples: int | None, rate: int = SPEAKING_RATE) -> bytes:
    """The 44 bytes before 16-bit mono samples; None where their number is not known yet."""
    size = 0xFFFFFFFF - 36 if samples is None else samples * 2
    format_chunk = b"".join(
        value.to_bytes(length, "little")
        for value, length in ((1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2))
    )
    riff = b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVE"
    return riff + b"fmt " + (16).to_bytes(4, "little") + format_chunk + b"data" + size.to_bytes(4, "little")
