"""Angles and keypoints, against the serving side's own code."""

from __future__ import annotations

import numpy as np
import torch

from avatar_runtime.liveportrait.keypoints import transform
from export.liveportrait.motion import BINS, Motion, degrees, keypoints, rotation


def test_degrees_are_the_mean_of_the_bins() -> None:
    logits = torch.full((2, BINS), -50.0)
    logits[0, 0] = logits[1, 40] = 50
    assert torch.allclose(degrees(logits), torch.tensor([-97.5, 22.5]), atol=1e-4)


def test_rotations_turn_as_they_should() -> None:
    """x right, y down, z into the picture; rows of points are multiplied with the matrix."""
    nose = torch.tensor([[0.0, 0.0, -1.0]])
    down, left, tilted = (
        nose @ rotation(torch.tensor([pose]))[0] for pose in ([30.0, 0, 0], [0, 30.0, 0], [0, 0, 30.0])
    )
    assert down[0, 1] > 0.4 and left[0, 0] < -0.4
    assert torch.allclose(tilted, nose, atol=1e-6)
    crown = torch.tensor([[0.0, -1.0, 0.0]]) @ rotation(torch.tensor([[0.0, 0.0, 30.0]]))[0]
    assert crown[0, 0] > 0.4, "roll > 0 is clockwise"


def test_keypoints_are_those_of_the_runtime() -> None:
    torch.manual_seed(0)
    motion = Motion(
        torch.randn(1, 21, 3),
        torch.randn(1, 3) * 20,
        torch.randn(1, 3),
        torch.randn(1, 21, 3) * 0.1,
        torch.rand(1, 1) + 1,
    )
    mine = keypoints(motion)[0].numpy()
    canonical, pose, translation, expression, scale = (each.numpy() for each in motion)
    theirs = transform(canonical[0], pose, expression, translation, scale[:, 0])
    assert np.abs(mine - theirs[0]).max() < 1e-5
