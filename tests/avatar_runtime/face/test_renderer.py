"""`avatar_runtime.face.renderer`: portraits by hash, formats, and every refusal with its code."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.face.meshwarp import Portrait, rest
from avatar_runtime.face.renderer import Renderer, Stream, the_face
from avatar_runtime.face.sheet import main

pytestmark = pytest.mark.models

Warps = Renderer[Portrait]
FOLDER = Path(__file__).parents[3] / "characters" / "defaults" / "portraits"
MONA = (FOLDER / "mona_lisa.jpg").read_bytes()


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def refusal(renderer: Warps, **given: object) -> Code:
    with pytest.raises(AvatarError) as caught:
        renderer.portrait(**given)  # type: ignore[arg-type]
    return caught.value.code


def test_a_portrait_is_known_by_its_hash(renderer: Warps) -> None:
    first = renderer.portrait(picture=MONA)
    assert renderer.portrait(hashlib.sha256(MONA).hexdigest().upper()) is first


def test_refusals(renderer: Warps, pictures: dict[str, np.ndarray]) -> None:
    assert refusal(renderer, sha256="ab" * 32) == Code.UNKNOWN_PORTRAIT
    assert refusal(renderer) == Code.INVALID_REQUEST
    assert refusal(renderer, sha256="ab" * 32, picture=MONA) == Code.INVALID_REQUEST
    assert refusal(renderer, picture=b"nothing") == Code.INVALID_IMAGE
    assert refusal(renderer, picture=png(np.full((200, 200, 3), 90, np.uint8))) == Code.NO_FACE
    mona = pictures["mona_lisa"][100:700]
    assert refusal(renderer, picture=png(np.hstack([mona, mona[:, ::-1]]))) == Code.SEVERAL_FACES
    tiny = cv2.resize(pictures["mona_lisa"], None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    assert refusal(renderer, picture=png(tiny)) == Code.FACE_TOO_SMALL


def test_a_far_smaller_second_face_does_not_matter(renderer: Warps, pictures: dict[str, np.ndarray]) -> None:
    picture = pictures["mona_lisa"].copy()
    small = cv2.resize(pictures["la_donna_velata"], None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    picture[-small.shape[0] :, : small.shape[1]] = small
    found = renderer._finder.find(picture)
    assert the_face(found) is found[0] and found[0].width > 150


def test_few_portraits_are_kept(models: Path, pictures: dict[str, np.ndarray]) -> None:
    renderer = Renderer(models / "mediapipe", Portrait.of, limit=2)
    picture = pictures["elizabeth_winthrop_chanler"].copy()
    files = []
    for index in range(3):
        picture[-1, -1] = index
        files.append(png(picture))
        renderer.portrait(picture=files[-1])
    assert refusal(renderer, sha256=hashlib.sha256(files[0]).hexdigest()) == Code.UNKNOWN_PORTRAIT
    renderer.portrait(hashlib.sha256(files[1]).hexdigest())


def test_streams(renderer: Warps) -> None:
    motion = np.stack([rest()] * 2)
    stream = Stream()
    with pytest.raises(AvatarError, match="no portrait"):
        stream.frames(motion)
    stream.open(renderer.portrait(picture=MONA))
    assert stream.frames(motion).shape == (2, 768, 512)
    stream.open(renderer.portrait(picture=MONA), "rgb")
    assert stream.frames(motion).shape == (2, 512, 512, 3)
    with pytest.raises(AvatarError, match="FORMAT"):
        stream.open(renderer.portrait(picture=MONA), "yuv")


def test_contact_sheet(models: Path, tmp_path: Path) -> None:
    portrait = str(FOLDER / "mona_lisa.jpg")
    given = ["--models", str(models), "--portraits", portrait, "--out", str(tmp_path), "--views", "mouth"]
    assert main(["faces", *given]) == 0
    assert cv2.imread(str(tmp_path / "mona_lisa-mouth.png")).shape[1] == 6 * 320


def test_a_tight_picture_goes_on_beyond_its_edges(renderer: Warps, pictures: dict[str, np.ndarray]) -> None:
    """No black border: what the picture lacks is made of its own colours."""
    tight = pictures["mona_lisa"][180:500, 240:505]
    frame = renderer.portrait(picture=png(tight)).frame
    border = np.concatenate([frame[:8].reshape(-1, 3), frame[-8:].reshape(-1, 3)])
    assert border.mean() > 0.4 * tight.mean()
