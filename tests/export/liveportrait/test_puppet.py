"""The puppet shows the picture, and moves it where its keypoints go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from export.liveportrait.graphs import Frame, Retarget, Source
from export.liveportrait.puppet import PLACES, puppet
from export.liveportrait.widths import narrow


class Stage:
    """The puppet with a picture of stripes and blobs before it."""

    def __init__(self, divisor: int) -> None:
        model = puppet(narrow(divisor))
        self.frame, self.retarget = Frame(model), Retarget(model)
        y, x = np.mgrid[:256, :256] / 128 - 1
        self.picture = np.stack([np.sin(5 * x), np.cos(4 * y), np.sin(6 * (x + y))], -1) * 0.2 + 0.5
        found = Source(model)(torch.from_numpy((self.picture * 255).astype(np.uint8))[None])
        self.given, self.source = (found[0], found[1], found[-1]), found[-1]

    def shown(self, driven: Tensor) -> np.ndarray:
        """RGB [256, 256, 3], 0..1."""
        _, picture = self.frame(*self.given, driven)
        return picture[0].permute(1, 2, 0).numpy().reshape(256, 2, 256, 2, 3).mean((1, 3))


@pytest.fixture(scope="module", params=[8, 16])
def stage(request: pytest.FixtureRequest) -> Stage:
    with torch.inference_mode():
        return Stage(request.param)


def test_at_rest_it_shows_the_picture(stage: Stage) -> None:
    inner = (slice(16, -16), slice(16, -16))
    assert np.abs(stage.shown(stage.source) - stage.picture)[inner].mean() < 0.05


@pytest.mark.parametrize("keypoint", [11, 15, 19])
def test_a_keypoint_takes_its_surroundings_along(stage: Stage, keypoint: int) -> None:
    """What was `step` above the keypoint's new place shows there, and far away nothing changes."""
    step = 0.1
    driven = stage.source.clone()
    driven[0, keypoint, 1] += step
    before, after = stage.shown(stage.source), stage.shown(driven)
    x, y = PLACES[keypoint]
    column, row = (round((each + 1) * 128) for each in (x, y + step + 0.05))
    moved = round(step * 128)
    here = (slice(row - 3, row + 3), slice(column - 3, column + 3))
    there = (slice(row - 3 - moved, row + 3 - moved), slice(column - 3, column + 3))
    assert np.abs(after[here] - before[there]).mean() < 0.3 * np.abs(after[here] - before[here]).mean()
    assert np.abs(after - before)[:, :40].max() < 0.02


def test_lips_and_lids_follow_the_ratios(stage: Stage) -> None:
    source = stage.source
    eyes, lips = stage.retarget(source, torch.tensor([[0.3, 0.3, 0.0]]), torch.tensor([[0.0, 0.5]]))
    assert eyes[0, 11, 1] > 0.03 and eyes[0, 15, 1] > 0.03, "lids go down when eyes close"
    assert lips[0, 19, 1] > 0.05, "the lower lip goes down when lips part"
    still = stage.retarget(source, torch.tensor([[0.3, 0.3, 0.3]]), torch.tensor([[0.2, 0.2]]))
    assert all(each.abs().max() < 1e-6 for each in still)
