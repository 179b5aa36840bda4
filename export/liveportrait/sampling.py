"""Trilinear sampling out of 4-D operators: what every ONNX runtime and TensorRT has, without a plug-in."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from export.liveportrait.zeros import framed


def sample_volume(volume: Tensor, grid: Tensor) -> Tensor:
    """`volume` [b, c, d, h, w] at `grid` [b, e, i, j, 3] (x, y, z; -1..1) -> [b, c, e, i, j].

    Equal to ``grid_sample(volume, grid, align_corners=False)`` with zeros outside: two bilinear samples of the slices
    laid under one another, and a blend between them. A row of zeros between slices, and a slice of zeros before the
    first and after the last, stand for what lies outside.
    """
    channels, depth, height, width = volume.shape[1:]
    slices, rows, columns = grid.shape[1:4]
    pitch = height + 1
    laid = framed(framed(volume, 3, 1), 2, 1, 1).reshape(-1, channels, (depth + 2) * pitch, width)
    laid = framed(laid, 2, 0, 1)  # the zero row after the last slice
    x, y, z = grid.unbind(-1)
    y = (((y + 1) * height - 1) / 2).clamp(-1, height)
    z = (((z + 1) * depth - 1) / 2).clamp(-1, depth)
    below = z.floor().clamp(max=depth - 1)
    total = (depth + 2) * pitch + 1
    pair = []
    for step in (1, 2):  # slice -1 is laid first
        row = (below + step) * pitch + 1 + y
        view = torch.stack([x, (2 * row + 1) / total - 1], -1).reshape(-1, slices * rows, columns, 2)
        pair.append(F.grid_sample(laid, view, align_corners=False).unflatten(2, (slices, rows)))
    share = (z - below)[:, None]
    return pair[0] + (pair[1] - pair[0]) * share


def shifts(start: Tensor, size: int) -> Tensor:
    """Interpolation matrices [..., size, size] that move an axis of `size` by `start` [...] (in units of -1..1).

    Output i lies at ``linspace(-1, 1, size)[i] + start``; it is read as ``grid_sample(align_corners=False)`` reads,
    linearly, with zeros outside. Multiplied along each axis in turn they sample a volume that is only moved, since
    trilinear interpolation is separable.
    """
    index = torch.arange(size, dtype=start.dtype, device=start.device)
    at = index * (2 / (size - 1)) - 1 + start[..., None]
    at = ((at + 1) * size - 1) / 2
    return (1 - (at[..., None] - index).abs()).clamp(min=0)
