from __future__ import annotations

import io
import random

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_runtime.contracts import AvatarError, Code
from gateway.media import FORMATS, Encoder, decode, encode, wav_header

CONTAINERS = {
    "wav": ("pcm_s16le", 44_100),
    "mp3": ("libmp3lame", 44_100),
    "flac": ("flac", 48_000),
    "ogg": ("libopus", 48_000),
    "webm": ("libopus", 48_000),
    "mp4": ("aac", 48_000),
    "adts": ("aac", 44_100),
}


def tone(seconds: float, rate: int, pitch: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def recorded(container: str, seconds: float = 2.0, codec: str = "", rate: int = 0, layout: str = "stereo") -> bytes:
    """A tone as a recorder would write it."""
    codec, rate = codec or CONTAINERS[container][0], rate or CONTAINERS[container][1]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        planes = np.tile(tone(seconds, rate), (2 if layout == "stereo" else 1, 1))
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum) * rate / samples.size)


def refused(recording: bytes, **options: float) -> str:
    with pytest.raises(AvatarError) as caught:
        decode(recording, **options)
    assert caught.value.code is Code.INVALID_AUDIO
    return caught.value.message


@pytest.mark.parametrize("container", CONTAINERS)
def test_whatever_a_browser_records(container):
    samples = decode(recorded(container))
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert samples.size == pytest.approx(32_000, abs=2_500)  # codecs pad
    assert pitch(samples, 16_000) == pytest.approx(440, abs=2)
    assert 0.4 < np.abs(samples).max() < 0.8


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s24le", "pcm_f32le", "pcm_mulaw"])
def test_kinds_of_wav(codec):
    samples = decode(recorded("wav", codec=codec, rate=8_000, layout="mono"))
    assert samples.size == pytest.approx(32_000, abs=50) and pitch(samples, 16_000) == pytest.approx(440, abs=2)


def test_a_recording_that_was_cut_off_is_heard_to_its_end():
    for container in ("webm", "ogg", "mp3", "wav", "adts"):
        whole = recorded(container, 4.0)
        assert 16_000 < decode(whole[: len(whole) * 3 // 4]).size < 64_000


def test_what_is_no_recording():
    assert "empty" in refused(b"")
    for data in (
        b"hello",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"RIFF\0\0\0\0WAVE",
        b"OggS",
        b"fLaC" + bytes(60),
        b"\xff\xfb",
    ):
        refused(data)
    refused(recorded("mp4")[:200])
    refused(wav_header(0))


def test_playlists_never_reach_ffmpeg(tmp_path):
    """They would make it open other files and addresses."""
    sound = tmp_path / "secret.wav"
    sound.write_bytes(recorded("wav"))
    for playlist in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{sound}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {sound}\n",
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\na=x {sound}\n",
        f"[playlist]\nFile1={sound}\n",
    ):
        refused(playlist.encode())


def test_a_film_without_sound():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for packet in stream.encode(av.VideoFrame(64, 64, "yuv420p")):
            out.mux(packet)
        out.mux(stream.encode(None))
    assert "no sound" in refused(file.getvalue())


def test_too_long():
    assert "longer than" in refused(recorded("ogg", 3.0), max_seconds=2)
    unknown = recorded("adts", 3.0)  # says no length
    assert "longer than" in refused(unknown, max_seconds=2)
    assert decode(recorded("ogg", 1.9), max_seconds=2).size < 32_000


def test_values_that_are_not_numbers():
    header = bytearray(wav_header(2000, 16_000))
    header[20], header[32], header[34] = 3, 4, 32  # float32
    header[28:32] = (64_000).to_bytes(4, "little")
    header[40:44] = (4000).to_bytes(4, "little")
    sound = np.full(1000, np.nan, np.float32)
    assert "not numbers" in refused(bytes(header) + sound.tobytes())
    loud = decode(bytes(header) + np.full(1000, 1e30, np.float32).tobytes())
    assert np.abs(loud).max() <= 1


def test_a_codec_nobody_has():
    refused(recorded("webm").replace(b"A_OPUS", b"A_XPUS"))


def test_absurd_headers():
    for rate in (0, 1, 2**32 - 1):
        refused(wav_header(1000, 16_000)[:24] + rate.to_bytes(4, "little") + wav_header(1000)[28:] + bytes(2000))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CONTAINERS)), st.integers(0, 2**32))
def test_damage_is_an_error_or_sound_but_never_a_crash(container, seed):
    chance = random.Random(seed)
    damaged = bytearray(_whole(container))
    for _ in range(chance.randrange(1, 60)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    try:
        samples = decode(bytes(damaged[: chance.randrange(1, len(damaged))]), max_seconds=10)
    except AvatarError as error:
        assert error.code is Code.INVALID_AUDIO
    else:
        assert np.isfinite(samples).all() and 0 < samples.size <= 160_000


_made: dict[str, bytes] = {}


def _whole(container: str) -> bytes:
    if container not in _made:
        _made[container] = recorded(container, 0.5)
    return _made[container]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("pieces", [1, 7])
def test_what_is_encoded_can_be_heard(name, pieces):
    speech = tone(1.5, 24_000)
    encoder = Encoder(name)
    parts = np.array_split(speech, pieces)
    sound = b"".join([*(encoder.feed(part) for part in parts), encoder.finish()])
    if name == "pcm":
        assert len(sound) == speech.size * 2
        sound = wav_header(speech.size) + sound
    samples = decode(sound)
    assert samples.size == pytest.approx(24_000, abs=2_500) and pitch(samples, 16_000) == pytest.approx(440, abs=2)


def test_sound_leaves_the_encoder_before_the_end():
    encoder = Encoder("mp3")
    assert len(encoder.feed(tone(1, 24_000))) > 1000


def test_a_whole_wav_says_its_length():
    sound = encode(tone(1, 24_000), "wav")
    assert len(sound) == 44 + 48_000
    assert int.from_bytes(sound[4:8], "little") == len(sound) - 8
    assert int.from_bytes(sound[40:44], "little") == 48_000
    assert encode(tone(1, 24_000), "mp3")


@pytest.mark.parametrize(
    ("container", "options"),
    [
        ("wav", {"codec": "pcm_u8", "rate": 8_000}),
        ("wav", {"codec": "pcm_f32le", "rate": 192_000}),
        ("wav", {"codec": "pcm_s16le", "rate": 48_000, "layout": "7.1"}),
        ("flac", {"codec": "flac", "rate": 192_000}),
    ],
    ids=["8 bit", "192 kHz", "8 channels", "192 kHz FLAC"],
)
def test_a_reference_in_any_format(container, options):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(options["codec"], rate=options["rate"], layout=options.get("layout", "stereo"))
        rate = options["rate"]
        channels = 8 if "layout" in options else 2
        frame = av.AudioFrame.from_ndarray(
            np.repeat(tone(4.0, rate), channels)[None], format="flt", layout=options.get("layout", "stereo")
        )
        frame.sample_rate = rate
        to_codec = av.AudioResampler(format=stream.format.name, layout=stream.layout.name, rate=rate)
        fifo = av.AudioFifo()
        for part in to_codec.resample(frame):
            fifo.write(part)
        for part in fifo.read_many(stream.codec_context.frame_size or 4096, partial=True):
            part.pts = None
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    samples = decode(file.getvalue(), 60, 24_000)
    assert samples.size == pytest.approx(4 * 24_000, abs=200)
    assert pitch(samples, 24_000) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "mpeg4"), ("webm", "vp8")])
def test_the_sound_of_a_video(container, codec):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        picture = out.add_stream("libvpx" if codec == "vp8" else codec, rate=10)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = out.add_stream("libopus" if container == "webm" else "aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(4.0, 48_000)[None], format="fltp", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=sound.format.name, layout="mono", rate=48_000)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        for _ in range(40):
            out.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        for part in fifo.read_many(sound.codec_context.frame_size or 960, partial=True):
            part.pts = None
            out.mux(sound.encode(part))
        out.mux(picture.encode(None))
        out.mux(sound.encode(None))
    samples = decode(file.getvalue(), 60, 24_000)
    assert samples.size == pytest.approx(4 * 24_000, abs=3_000) and pitch(samples, 24_000) == pytest.approx(440, abs=2)


def test_an_hour_is_refused_by_its_header(monkeypatch):
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=8_000, layout="mono")
        for _ in range(3_600):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8_000
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    monkeypatch.setattr("gateway.media.decoded_frames", lambda *_: pytest.fail("it was decoded"))
    assert "longer than 60 seconds" in refused(file.getvalue(), max_seconds=60)


def test_a_truncated_reference_is_what_is_left_of_it():
    whole = recorded("ogg", 6.0)
    assert decode(whole[: len(whole) * 2 // 3], 60, 24_000).size > 3 * 24_000
