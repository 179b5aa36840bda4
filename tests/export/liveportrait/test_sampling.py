"""Trilinear sampling by 4-D operators is what 5-D grid_sample does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from export.liveportrait.sampling import sample_volume, shifts
from export.liveportrait.warping import axes, heat


@pytest.mark.parametrize("spread", [0.9, 1.0, 1.5, 5.0])
def test_sample_volume_is_grid_sample(spread: float) -> None:
    torch.manual_seed(0)
    volume = torch.randn(2, 3, 4, 6, 5)
    grid = (torch.rand(2, 4, 6, 5, 3) * 2 - 1) * spread
    assert torch.allclose(sample_volume(volume, grid), grid_sample(volume, grid, align_corners=False), atol=2e-5)


def test_sample_volume_at_the_edges() -> None:
    """Cells' centres, borders, and half a cell beyond them, where slices must not see one another."""
    volume = torch.randn(1, 2, 3, 4, 4)
    steps = torch.tensor([-1.5, -1.25, -1.0, -0.75, -1 / 3, 0.0, 0.25, 2 / 3, 0.99, 1.0, 1.25, 1.5])
    grid = torch.cartesian_prod(steps, steps, steps).reshape(1, 12, 12, 12, 3)
    wanted = grid_sample(volume, grid, align_corners=False)
    assert torch.allclose(sample_volume(volume, grid), wanted, atol=2e-5)
    assert wanted.abs().max() > 0.1


def test_a_known_flow_moves_a_picture_as_opencv_does() -> None:
    """The warp alone: a picture in every slice, turned by 20 degrees, against cv2.warpAffine."""
    size, depth = 64, 4
    y, x = np.mgrid[:size, :size] / size * 2 - 1
    picture = np.stack([np.sin(4 * x + y), np.cos(5 * y * x)]).astype(np.float32)
    volume = torch.from_numpy(picture)[None, :, None].expand(1, 2, depth, size, size)
    sin, cos = np.sin(np.deg2rad(20)), np.cos(np.deg2rad(20))
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    px, py = np.meshgrid(centres, centres)
    flow = np.stack([cos * px - sin * py, sin * px + cos * py, np.zeros_like(px)], -1)
    moved = sample_volume(volume, torch.from_numpy(flow)[None, None].expand(1, depth, size, size, 3).float())
    columns, rows = ((flow[..., axis] + 1) * size / 2 - 0.5 for axis in (0, 1))
    for found, channel in zip(moved[0, :, 1].numpy(), picture, strict=True):
        wanted = cv2.remap(channel, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
        inside = px**2 + py**2 < 0.9
        assert np.abs(found - wanted)[inside].max() < 0.01, "OpenCV rounds places to 1/32 of a pixel"


def test_shifts_read_as_grid_sample_does() -> None:
    volume = torch.randn(1, 2, 4, 6, 5)
    step = torch.tensor([[0.13, -0.4, 0.07]])
    x, y, z = axes(4, 6, 5, volume)
    grid = torch.stack(torch.broadcast_tensors(x, y[:, None], z[:, None, None]), -1)[None] + step
    moved = torch.einsum("zd,yh,xw,bcdhw->bczyx", *(shifts(step[0, i], n) for i, n in ((2, 4), (1, 6), (0, 5))), volume)
    assert torch.allclose(moved, grid_sample(volume, grid, align_corners=False), atol=2e-5)


def test_heat_is_a_gaussian_around_each_point() -> None:
    points = torch.tensor([[[0.2, -0.1, 0.3], [0.0, 0.0, 0.0]]])
    x, y, z = axes(4, 8, 6, points)
    at = torch.stack(torch.broadcast_tensors(x, y[:, None], z[:, None, None]), -1)
    wanted = torch.exp(-0.5 * (at - points[:, :, None, None, None]).square().sum(-1) / 0.01)
    assert torch.allclose(heat(points, 4, 8, 6), wanted, atol=1e-6)
