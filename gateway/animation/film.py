"""The film: H.264 at MOTION_RATE and AAC in an MP4 that players can start before they have all of it.

It grows under a hidden name beside its place and is renamed when it is whole, so that nobody ever finds half of one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import av.error
import numpy as np
import numpy.typing as npt

from avatar_runtime.contracts import FRAME_SIZE, MOTION_RATE, AvatarError, Code
from gateway.playout.tracks import i420_frame

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

ENCODERS: Final = ("libx264", "libopenh264", "mpeg4")  # the first that FFmpeg was built with
OPTIONS: Final = {"libx264": {"crf": "17", "preset": "medium"}}
SOUND_BITRATE: Final = 160_000
BT601, LIMITED = 6, 1  # AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG: what the frames are (contracts: `render`)


def encoder() -> str:
    """The name of the video encoder that films are made with."""
    for name in ENCODERS:
        with contextlib.suppress(ValueError, av.error.FFmpegError):
            av.Codec(name, "w")
            return name
    raise AvatarError(Code.INTERNAL, "This build of FFmpeg has no encoder for MP4.")


def check_place(out: Path) -> None:
    """`invalid_request` when no film can be put there."""
    if out.suffix.lower() not in (".mp4", ".m4v"):
        raise AvatarError(Code.INVALID_REQUEST, f"Films are MP4: {out} should end in .mp4.")
    if out.is_dir():
        raise AvatarError(Code.INVALID_REQUEST, f"{out} is a folder.")
    if not out.parent.is_dir():
        raise AvatarError(Code.INVALID_REQUEST, f"There is no folder {out.parent}.")
    try:
        trial = _hidden(out)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise AvatarError(Code.INVALID_REQUEST, f"{out} cannot be written: {error.strerror}.") from error


def _hidden(out: Path) -> Path:
    return out.with_name(f".{out.name[:100]}.{secrets.token_hex(4)}.part")


class Film:
    """``with Film(out, sound, rate) as film: film.write(frames) …``; leaving by an error leaves nothing behind."""

    def __init__(self, out: Path, sound: Iterator[Floats] | None, rate: int, channels: int = 1) -> None:
        """`sound` gives samples f32 [n, channels] at `rate`; it is read as far as there are pictures."""
        self._out, self._path = out, _hidden(out)
        self._container: Any = None
        self._audio: Any = None
        self._sound, self._rate = sound, rate
        self._layout = "mono" if channels == 1 else "stereo"
        self._waiting = np.zeros((0, channels), np.float32)
        self._using = threading.Lock()  # FFmpeg's objects: a thread may still write when its caller is cancelled
        self._frames = 0
        self._samples = 0

    def __enter__(self) -> Self:
        name = encoder()
        try:
            self._container = av.open(str(self._path), "w", format="mp4", options={"movflags": "+faststart"})
        except (OSError, av.error.FFmpegError) as error:
            raise AvatarError(Code.INVALID_REQUEST, f"{self._out} cannot be written: {error.strerror}.") from error
        self._video = self._container.add_stream(name, rate=MOTION_RATE, options=dict(OPTIONS.get(name, {})))
        self._video.width = self._video.height = FRAME_SIZE
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = Fraction(1, MOTION_RATE)
        self._video.codec_context.colorspace = BT601
        self._video.codec_context.color_range = LIMITED
        if self._sound is not None:
            self._audio = self._container.add_stream("aac", rate=self._rate, layout=self._layout)
            self._audio.bit_rate = SOUND_BITRATE
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._using:
            try:
                if kind is None:
                    self._finish()
            finally:
                with contextlib.suppress(OSError, ValueError, av.error.FFmpegError):
                    self._container.close()
                self._container = None
                self._path.unlink(missing_ok=True)

    def write(self, frames: Bytes) -> None:
        """Planar I420 [k, 768, 512], and the sound that belongs to them; nothing once the film is closed."""
        with self._using:
            if self._container is not None:
                self._write(frames)

    def _write(self, frames: Bytes) -> None:
        try:
            for planes in frames:
                frame = i420_frame(planes, 0)
                frame.pts, frame.time_base = self._frames, Fraction(1, MOTION_RATE)
                self._container.mux(self._video.encode(frame))
                self._frames += 1
            self._sound_until(round(self._frames * self._rate / MOTION_RATE))
        except (OSError, av.error.FFmpegError) as error:
            raise AvatarError(Code.INVALID_REQUEST, f"{self._out} cannot be written: {error.strerror}.") from error

    def _sound_until(self, sample: int) -> None:
        while self._sound is not None and self._samples < sample:
            if not len(self._waiting):
                piece = next(self._sound, None)
                if piece is None:
                    self._sound = None
                    return
                self._waiting = piece
            samples, self._waiting = np.split(self._waiting, [min(sample - self._samples, len(self._waiting))])
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=self._layout)
            frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._samples
            self._samples += len(samples)
            self._container.mux(self._audio.encode(frame))

    def _finish(self) -> None:
        try:
            for stream in filter(None, (self._video, self._audio)):
                self._container.mux(stream.encode(None))
            self._container.close()
            os.replace(self._path, self._out)
        except (OSError, av.error.FFmpegError) as error:
            raise AvatarError(Code.INVALID_REQUEST, f"{self._out} cannot be written: {error.strerror}.") from error
