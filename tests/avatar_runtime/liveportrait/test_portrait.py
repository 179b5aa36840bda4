"""`avatar_runtime.liveportrait.portrait` with the tiny bundle: motion in, frames of the view out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import CHANNEL, AvatarError, Code
from avatar_runtime.face.landmarks import Face
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.face.renderer import Renderer, Stream
from avatar_runtime.liveportrait.networks import InProcess, Retargeting
from avatar_runtime.liveportrait.portrait import Portrait

pytestmark = pytest.mark.models

FOLDER = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"


@pytest.fixture(scope="module")
def portrait(bundle: Path, pictures: dict[str, np.ndarray], faces: dict[str, Face]) -> Portrait:
    networks, retarget = InProcess(bundle, threads=1), Retargeting(bundle)
    return Portrait(pictures["mona_lisa"], faces["mona_lisa"], networks, retarget)


def motion(**values: float) -> np.ndarray:
    found = rest()[None].copy()
    for name, value in values.items():
        found[0, CHANNEL[name]] = value
    return found


def test_rest_and_motion(portrait: Portrait) -> None:
    still, right = portrait.i420(np.concatenate([motion(), motion(headX=0.05)]))
    assert still.shape == (768, 512)
    assert np.abs(right[150:300, 200:300].astype(int) - still[150:300, 200:300]).mean() > 3
    assert (right[:4] == still[:4]).all(), "nothing moves at the view's rim"


def test_lids_and_lips_go_through_the_retargeting_network(portrait: Portrait) -> None:
    still = portrait.driven(motion())[0]
    blink = portrait.driven(motion(eyeBlinkLeft=1.0, eyeBlinkRight=1.0))[0] - still
    assert blink[[11, 15], 1].min() > 0.01 and np.abs(blink[19]).max() < 1e-6
    jaw = portrait.driven(motion(jawOpen=0.5))[0] - still
    assert jaw[19, 1] == pytest.approx(0.025, abs=1e-3) and np.abs(jaw[[11, 15]]).max() < 1e-6


def test_rgb_shows_what_i420_shows(portrait: Portrait) -> None:
    frames = portrait.rgb(motion())
    assert frames.shape == (1, 512, 512, 3)
    assert (frames[0] == cv2.cvtColor(portrait.i420(motion())[0], cv2.COLOR_YUV2RGB_I420)).all()


def test_the_renderer_keeps_few_of_them(bundle: Path, models: Path, pictures: dict[str, np.ndarray]) -> None:
    make = partial(Portrait, networks=InProcess(bundle, threads=1), retarget=Retargeting(bundle))
    renderer = Renderer(models / "mediapipe", make, limit=1)
    first, second = ((FOLDER / f"{name}.jpg").read_bytes() for name in ("mona_lisa", "la_donna_velata"))
    stream = Stream()
    stream.open(renderer.portrait(picture=first), "rgb")
    assert stream.frames(motion()).shape == (1, 512, 512, 3)
    with pytest.raises(AvatarError) as caught:
        stream.frames(motion(jawOpen=np.nan))
    assert caught.value.code is Code.INVALID_REQUEST
    renderer.portrait(picture=second)
    assert len(renderer._portraits) == 1
