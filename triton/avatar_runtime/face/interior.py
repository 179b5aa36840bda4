"""What shows between parted lips: cavity, teeth and tongue, painted in the picture's own light, colours and grain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.face.geometry import Geometry
from avatar_runtime.face.landmarks import Floats
from avatar_runtime.face.shapes import mouth_line

SKIN = (205, 425, 50, 280, 101, 330, 199, 200, 151, 9)
LIPS = (0, 17, 37, 267, 84, 314, 39, 269, 181, 405)


@dataclass(frozen=True, slots=True)
class Interior:
    """Layers over one patch of the frame, all at rest: f32 [h, w, 3] 0..255 and alpha f32 [h, w, 1].

    Cavity and upper teeth keep their place in the head, lower teeth and tongue go with the jaw.
    """

    cavity: Floats
    teeth: Floats
    teeth_alpha: Floats
    jaw: Floats
    jaw_alpha: Floats


def _median(frame: NDArray[np.uint8], face: Geometry, chosen: tuple[int, ...]) -> tuple[Floats, float]:
    """Median colour around landmarks, and how bright the brightest of them are (90th percentile of luma)."""
    found = []
    for x, y in np.clip(face.points[list(chosen), :2].astype(int), 3, frame.shape[0] - 4):
        found.append(frame[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3))
    colours = np.concatenate(found).astype(np.float32)
    return np.median(colours, 0).astype(np.float32), float(np.percentile(colours @ (0.299, 0.587, 0.114), 90))


def _grain(frame: NDArray[np.uint8], face: Geometry, height: int, width: int) -> Floats:
    """The picture's own fine structure on a cheek, tiled over the patch: f32 [h, w, 1], mean 0."""
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), 2.5)
    side = max(6, int(0.06 * face.height))
    best = min(
        (fine[v - side : v + side, u - side : u + side] for u, v in face.points[[205, 425, 50, 280], :2].astype(int)),
        key=lambda tile: float(tile.std()) if tile.size == 4 * side * side else np.inf,
    )
    if best.size != 4 * side * side:
        return np.zeros((height, width, 1), np.float32)
    tile = np.block([[best, best[:, ::-1]], [best[::-1], best[::-1, ::-1]]])
    tile = np.tile(tile, (height // tile.shape[0] + 1, width // tile.shape[1] + 1))
    return np.asarray(np.clip(tile[:height, :width, None], -10, 10), np.float32)


def paint(frame: NDArray[np.uint8], face: Geometry, x0: int, y0: int, height: int, width: int) -> Interior:
    """The interior of a mouth for the patch of `frame` at (x0, y0)."""
    skin, light = _median(frame, face, SKIN)
    lips, _ = _median(frame, face, LIPS)
    grain = _grain(frame, face, height, width)
    _, _, half = mouth_line(face)
    rows, columns = np.mgrid[y0 : y0 + height, x0 : x0 + width].astype(np.float32)
    # Mouth coordinates: across in half widths, down in face heights, along the head's own axes in the picture.
    axes = np.stack([face.right[:2], face.down[:2]], 1) * face.height
    middle = (face.points[13, :2] + face.points[14, :2]) / 2
    across, down = np.tensordot(np.linalg.inv(axes), np.stack([columns - middle[0], rows - middle[1]]), 1)
    across = across / half

    deep = lips * np.array([0.36, 0.22, 0.20], np.float32)
    deep = 0.6 * deep + 0.4 * np.array([62, 26, 22], np.float32) * (light / 190)
    deep = deep * min(1.0, 44 / max(float(deep @ (0.299, 0.587, 0.114)), 1))
    shade = np.clip(0.60 + 7.0 * down, 0.5, 1.3)
    cavity = deep * shade[..., None] + 0.4 * grain

    tint = skin / max(float(skin @ (0.299, 0.587, 0.114)), 1)
    ivory = 0.78 * light * (0.5 * np.array([1.12, 0.99, 0.78], np.float32) + 0.5 * tint)
    teeth, teeth_alpha = _row(across, down, ivory, edge=0.020, arc=-0.012, darkness=1.0, soft=0.007)
    jaw, jaw_alpha = _row(
        across,
        -down,
        ivory * np.array([0.66, 0.56, 0.53], np.float32),
        edge=0.003,
        arc=-0.010,
        darkness=0.8,
        soft=0.008,
    )
    tongue = np.clip(1.15 - (across / 0.60) ** 2 - ((down - 0.012) / 0.030) ** 2, 0, 1)
    tongue = (tongue * tongue * (3 - 2 * tongue))[..., None]
    flesh = lips * np.array([0.62, 0.50, 0.50], np.float32) * (0.85 + 0.25 * np.exp(-((across / 0.3) ** 2)))[..., None]
    # Teeth of the jaw stand before the tongue.
    jaw = jaw * jaw_alpha + flesh * (1 - jaw_alpha)
    jaw_alpha = np.maximum(0.55 * jaw_alpha, 0.75 * tongue)
    return Interior(cavity, teeth + 0.7 * grain, teeth_alpha, jaw + 0.5 * grain, jaw_alpha.astype(np.float32))


def _row(
    across: Floats, down: Floats, colour: Floats, edge: float, arc: float, darkness: float, soft: float
) -> tuple[Floats, Floats]:
    """A row of teeth above `edge` (face heights) that rises by `arc` towards its ends, softly drawn."""
    # Teeth are narrower towards the sides because the row curves away.
    angle = np.arcsin(np.clip(across / 1.05, -1, 1))
    tooth = angle / 0.27
    gap = np.abs(tooth - np.round(tooth))  # 0 in the middle of the mouth: a gap lies there
    line = edge + arc * np.clip(np.abs(across), 0, 1.1) ** 2 - 0.003 * np.exp(-((gap / 0.12) ** 2))
    alpha = np.clip((line - down) / soft + 0.5, 0, 1) * _smooth((0.86 - np.abs(across)) / 0.45)
    light = (1 - 0.12 * np.exp(-((gap / 0.09) ** 2))) * (1 - 0.65 * np.clip(np.abs(across), 0, 1) ** 1.5)
    light = light * darkness * (0.75 + 0.25 * np.clip((down + 0.008) / 0.024, 0, 1))
    return (colour * light[..., None]).astype(np.float32), alpha[..., None].astype(np.float32)


def _smooth(value: Floats) -> Floats:
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)
