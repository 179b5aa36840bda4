# ruff: noqa: RUF001 - IPA is made of letters that look like others
import numpy as np
import pytest

from avatar_runtime.contracts import (
    BLEND_SHAPES,
    CHANNEL,
    EMOTIONS,
    MOTION_SAMPLES,
    MOTION_SIZE,
    SPEAKING_RATE,
    AvatarError,
    Code,
)
from avatar_runtime.motion import FaceMotion
from avatar_runtime.motion.emotion import EXPRESSIONS
from avatar_runtime.motion.face import POSE_HIGH, POSE_LOW

SHAPES = len(BLEND_SHAPES)
JAW, CLOSE = CHANNEL["jawOpen"], CHANNEL["mouthClose"]
LIPS_PART = [CHANNEL[f"mouth{n}{s}"] for n in ("LowerDown", "UpperUp") for s in ("Left", "Right")]


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """Buzz in syllables with pauses: enough like speech for everything that listens to loudness and spectrum."""
    n = int(seconds * SPEAKING_RATE) // MOTION_SAMPLES * MOTION_SAMPLES
    time = np.arange(n) / SPEAKING_RATE
    buzz = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 24))
    syllables = np.clip(np.sin(2 * np.pi * 3.7 * time) + 0.4, 0, 1) * (np.sin(2 * np.pi * 0.31 * time) > -0.7)
    noise = 1e-4 * np.random.default_rng(seed).standard_normal(n)
    return (0.12 * buzz * syllables + noise).astype(np.float32)


def words(seconds: float, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Phonemes and their times over `seconds`."""
    rng = np.random.default_rng(seed)
    letters = list("həlˈO, mI nˈAm ɪz ˌbˈɛla. vʏnʃən zi ˈaɪnən pʊmpɐnɪkəl? wi, ʃɥi tʁɛ ɔ̃ɡlɛ; pɪˈttsa ")
    said, at, times = [], 0.05, []
    while at < seconds:
        letter = letters[len(said) % len(letters)]
        length = float(rng.integers(1, 10) * 0.0125)
        said.append(letter)
        times.append((at, at + length))
        at += length
    return said, np.array(times, dtype=np.float32)


def say(*said: tuple[str, float], emotion: str = "neutral", intensity: float = 1.0, lead: float = 0.6) -> np.ndarray:
    """The motion while `said` (symbol, s) is spoken at a steady voice, from `lead` s of quiet on."""
    times, at = [], lead
    for _, length in said:
        times.append((at, at + length))
        at += length
    n = int((at + 0.6) * 25) * MOTION_SAMPLES
    time = np.arange(n) / SPEAKING_RATE
    audio = 0.1 * np.sin(2 * np.pi * 140 * time) * ((time > lead) & (time < at))
    return FaceMotion(1).push(audio.astype(np.float32), [s for s, _ in said], np.array(times), emotion, intensity)


def aperture(motion: np.ndarray) -> np.ndarray:
    """How far the lips are apart: ARKit's mouthClose takes the jaw's opening back."""
    return motion[:, JAW] - motion[:, CLOSE] + motion[:, LIPS_PART].max(axis=1)


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("lips", ["m", "b", "p"])
@pytest.mark.parametrize("length", [0.02, 0.07])
def test_lips_close_on_bilabials_under_every_emotion(emotion: str, lips: str, length: float) -> None:
    motion = say(("ɑ", 0.2), (lips, length), ("ɑ", 0.2), emotion=emotion)
    during = aperture(motion)[19:23]  # 0.8 s is the sound's start
    assert during.min() <= 1e-6
    assert aperture(motion).max() > 0.4


def test_lips_are_shut_in_silence() -> None:
    motion = FaceMotion(1).push(np.zeros(250 * MOTION_SAMPLES, dtype=np.float32))
    assert np.abs(aperture(motion)).max() < 1e-6


def test_lips_are_shut_again_after_speech() -> None:
    audio = np.concatenate([voice(2.0), np.zeros(25 * MOTION_SAMPLES, dtype=np.float32)])
    motion = FaceMotion(1).push(audio)
    assert motion[10:50, JAW].max() > 0.15
    assert motion[-15:, JAW].max() < 0.01


def test_vowels_differ_in_opening_width_and_rounding() -> None:
    a, i, u = (say((v, 0.3))[18:22].mean(axis=0) for v in "aiu")
    stretch, pucker = CHANNEL["mouthStretchLeft"], CHANNEL["mouthPucker"]
    assert 0.6 > a[JAW] > 0.4 > max(i[JAW], u[JAW]) + 0.15
    assert i[stretch] > max(a[stretch], u[stretch]) + 0.2
    assert u[pucker] > max(a[pucker], i[pucker]) + 0.4


def test_louder_speech_opens_wider() -> None:
    said, times = words(6.0)
    audio = voice(6.0)
    quiet = audio.copy()
    quiet[len(quiet) // 2 :] *= 0.15
    loud_half = FaceMotion(1).push(audio, said, times)[80:, JAW].mean()
    quiet_half = FaceMotion(1).push(quiet, said, times)[80:, JAW].mean()
    assert quiet_half < 0.92 * loud_half


@pytest.mark.parametrize("with_phonemes", [True, False])
@pytest.mark.parametrize("emotion", ["neutral", "surprised", "fearful"])
def test_every_value_is_in_range_and_no_channel_jumps(with_phonemes: bool, emotion: str) -> None:
    said, times = words(20.0) if with_phonemes else (None, None)
    motion = FaceMotion(9).push(voice(20.0), said, times, emotion, 1.0)
    assert motion.dtype == np.float32 and motion.shape == (500, MOTION_SIZE) and np.isfinite(motion).all()
    assert motion[:, :SHAPES].min() >= 0 and motion[:, :SHAPES].max() <= 1
    assert (motion[:, SHAPES:] >= POSE_LOW.astype(np.float32)).all()
    assert (motion[:, SHAPES:] <= POSE_HIGH.astype(np.float32)).all()
    step = np.abs(np.diff(motion, axis=0)).max(axis=0)
    blinks = np.array([name.startswith("eyeBlink") for name in BLEND_SHAPES])
    lids = np.array([name.startswith("eyeWide") for name in BLEND_SHAPES])
    assert step[:SHAPES][~blinks & ~lids].max() <= 0.5
    assert step[:SHAPES][blinks].max() <= 1.0
    assert step[SHAPES : SHAPES + 3].max() < 1.0  # degrees
    assert step[SHAPES + 3 :].max() < 0.004


def test_the_mouth_opens_between_closures_in_real_time_speech() -> None:
    said, times = words(20.0)
    jaw = FaceMotion(9).push(voice(20.0), said, times)[:, JAW]
    assert 0.08 < jaw.mean() < 0.3 and jaw.max() <= 0.62 and (jaw < 0.05).mean() > 0.05


@pytest.mark.parametrize("samples", [960, 4800, 24000])
@pytest.mark.parametrize("phonemes", ["shifted", "near", "once", "none"])
def test_pieces_equal_the_whole(samples: int, phonemes: str) -> None:
    audio = voice(10.0)
    said, times = words(10.0)
    seconds = samples / SPEAKING_RATE
    whole = FaceMotion(3).push(audio, *((None, None) if phonemes == "none" else (said, times)), "happy", 0.7)
    face, out = FaceMotion(3), []
    for k in range(len(audio) // samples):
        piece = audio[k * samples : (k + 1) * samples]
        shifted = (times - np.float32(k * seconds)).astype(np.float32)
        near = (shifted[:, 1] > 0) & (shifted[:, 0] < seconds + 0.9)
        if phonemes == "none" or (phonemes == "once" and k):
            out.append(face.push(piece, emotion="happy", intensity=0.7))
        elif phonemes == "near":
            some = [s for s, keep in zip(said, near, strict=True) if keep]
            out.append(face.push(piece, some, shifted[near], "happy", 0.7))
        else:
            out.append(face.push(piece, said, shifted, "happy", 0.7))
    np.testing.assert_allclose(np.concatenate(out), whole, atol=1e-5)


def test_a_seed_decides_everything() -> None:
    audio = voice(4.0)
    np.testing.assert_array_equal(FaceMotion(5).push(audio), FaceMotion(5).push(audio))
    assert not np.array_equal(FaceMotion(5).push(audio), FaceMotion(6).push(audio))
    assert FaceMotion(-3).push(audio).shape == (100, MOTION_SIZE)


def test_no_audio_is_no_frames() -> None:
    assert FaceMotion(0).push(np.zeros(0, dtype=np.float32)).shape == (0, MOTION_SIZE)


def test_interrupted_speech_closes_the_mouth() -> None:
    """Phonemes of an answer that is cut off stay remembered; the silence after it must not move the lips."""
    face = FaceMotion(1)
    face.push(voice(0.4), ["a"] * 40, np.array([(0.1 * k, 0.1 * k + 0.1) for k in range(40)]))
    quiet = face.push(np.zeros(25 * MOTION_SAMPLES, dtype=np.float32))
    assert aperture(quiet)[8:].max() < 0.01


def test_phonemes_alone_move_a_face_that_has_heard_no_voice() -> None:
    motion = FaceMotion(1).push(np.zeros(25 * MOTION_SAMPLES, dtype=np.float32), ["a"], np.array([(0.3, 0.7)]))
    assert aperture(motion)[10:16].min() > 0.3


def test_a_vowel_that_fades_out_early_does_not_hold_the_mouth_open() -> None:
    time = np.arange(40 * MOTION_SAMPLES) / SPEAKING_RATE
    audio = (0.1 * np.sin(2 * np.pi * 140 * time) * ((time > 0.3) & (time < 0.5))).astype(np.float32)
    motion = FaceMotion(1).push(audio, ["a"], np.array([(0.3, 1.2)]))
    assert aperture(motion)[10] > 0.3 and aperture(motion)[19:].max() < 0.02


def test_a_timed_stress_mark_belongs_to_the_vowel_after_it() -> None:
    motion = say(("m", 0.1), ("ˈ", 0.1), ("a", 0.1))
    assert aperture(motion)[18] > 0.25  # 0.72 s, within the mark


def test_an_empty_list_drops_what_was_still_to_come() -> None:
    face = FaceMotion(1)
    times = np.array([(0.1 * k, 0.1 * k + 0.1) for k in range(40)])
    face.push(np.zeros(4 * MOTION_SAMPLES, dtype=np.float32), ["a"] * 40, times)
    after = face.push(np.zeros(25 * MOTION_SAMPLES, dtype=np.float32), [], np.zeros((0, 2)))
    assert aperture(after)[10:].max() < 0.01


def test_emotion_holds_until_changed_and_blends() -> None:
    face, second = FaceMotion(1), np.zeros(25 * MOTION_SAMPLES, dtype=np.float32)
    smile = CHANNEL["mouthSmileLeft"]
    first = face.push(second, emotion="happy", intensity=1.0)[:, smile]
    assert first[0] < 0.1 and first[8] > 0.6
    assert face.push(second)[:, smile].min() > 0.6
    assert face.push(second, intensity=0.5)[-1, smile] == pytest.approx(first[-1] / 2, abs=0.01)
    gone = face.push(second, emotion="neutral")[:, smile]
    assert gone[0] > 0.25 and gone[8] < 0.01


def test_speech_mutes_the_mouth_of_an_emotion_but_not_its_brows() -> None:
    said, times = words(4.0)
    motion = FaceMotion(1).push(voice(4.0), said, times, "sad", 1.0)
    frown, brow = CHANNEL["mouthFrownLeft"], CHANNEL["browInnerUp"]
    full = EXPRESSIONS["sad"]
    assert 0.5 < motion[50:90, frown].mean() / full["mouthFrown"] < 0.85
    assert motion[50:90, brow].min() > 0.95 * full["browInnerUp"]


@pytest.mark.parametrize("with_phonemes", [True, False])
def test_stress_moves_the_head(with_phonemes: bool) -> None:
    said, times = words(20.0) if with_phonemes else (None, None)
    speaking = FaceMotion(2).push(voice(20.0), said, times)[:, CHANNEL["headPitch"]]
    idle = FaceMotion(2).push(np.zeros(500 * MOTION_SAMPLES, dtype=np.float32))[:, CHANNEL["headPitch"]]
    assert np.diff(speaking).std() > 1.3 * np.diff(idle).std()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"audio": np.zeros(961)}, Code.INVALID_AUDIO),
        ({"audio": np.full(960, np.nan)}, Code.INVALID_AUDIO),
        ({"audio": np.full(960, np.inf)}, Code.INVALID_AUDIO),
        ({"emotion": "bored"}, Code.UNKNOWN_EMOTION),
        ({"intensity": 1.5}, Code.INVALID_REQUEST),
        ({"intensity": float("nan")}, Code.INVALID_REQUEST),
        ({"phonemes": ["a"]}, Code.INVALID_REQUEST),
        ({"phonemes": ["a"], "times": np.zeros((2, 2))}, Code.INVALID_REQUEST),
        ({"phonemes": ["a"], "times": np.array([[0.0, np.nan]])}, Code.INVALID_REQUEST),
        ({"phonemes": ["a"], "times": np.array([[0.2, 0.1]])}, Code.INVALID_REQUEST),
        ({"phonemes": ["a"], "times": np.array([[0.2, 1e9]])}, Code.INVALID_REQUEST),
        ({"times": np.zeros((1, 2))}, Code.INVALID_REQUEST),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(arguments: dict, code: Code) -> None:
    face, audio = FaceMotion(4), voice(1.0)
    before = face.push(audio)
    with pytest.raises(AvatarError) as caught:
        face.push(**{"audio": audio[:960], **arguments})
    assert caught.value.code == code
    untouched = FaceMotion(4)
    np.testing.assert_array_equal(untouched.push(audio), before)
    np.testing.assert_array_equal(face.push(audio), untouched.push(audio))
