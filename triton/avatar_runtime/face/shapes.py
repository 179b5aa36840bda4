"""How each blend shape moves the landmarks: a table of soft pushes, in face heights along the head's own axes.

A push moves everything near a landmark: `d = amount * exp(-|x - x_landmark|^2 / 2 sigma^2)`. Upper and lower lip are
two layers, so that they can part on the line between them: a push may name one layer, else it moves both.
Shapes of the eyelids and the eyes' gaze are not here: `eyes` paints them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar_runtime.face.geometry import Geometry
from avatar_runtime.face.landmarks import Floats

#: Lip landmarks by layer, without the corners, which belong to both.
UPPER_LIP = (
    185, 40, 39, 37, 0, 267, 269, 270, 409, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    184, 74, 73, 72, 11, 302, 303, 304, 408, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)  # fmt: skip
LOWER_LIP = (
    146, 91, 181, 84, 17, 314, 405, 321, 375, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15, 316, 403, 319, 325,
)  # fmt: skip
CORNERS = (61, 291)  # the person's right, left

#: Landmarks by name: (the person's right, left). The person's left lies at the picture's right: +x.
POINTS = {
    "corner": (61, 291),
    "cheek": (205, 425),
    "apple": (50, 280),
    "jowl": (135, 364),
    "fold": (203, 423),
    "upperlip": (39, 269),
    "lowerlip": (181, 405),
    "ala": (129, 358),
    "browInner": (55, 285),
    "browMiddle": (52, 282),
    "browOuter": (46, 276),
    "temple": (21, 251),
}
MIDDLE = {"upper": 0, "lower": 17, "chin": 199, "glabella": 9, "philtrum": 164}


@dataclass(frozen=True, slots=True)
class Push:
    """`at`: a name of POINTS or MIDDLE; amount (outwards if paired, else right; down; forward); sigma; layer."""

    at: str
    amount: tuple[float, float, float]
    sigma: float
    layer: str = "both"


_SMILE = (
    Push("corner", (0.042, -0.040, -0.012), 0.066),
    Push("cheek", (0.008, -0.022, 0.006), 0.085),
    Push("apple", (0.0, -0.011, 0.004), 0.07),
    Push("upperlip", (0.006, -0.003, -0.006), 0.05, "upper"),
    Push("lowerlip", (0.006, -0.003, -0.006), 0.05, "lower"),
)
_PRESS = (
    Push("upperlip", (0.0, 0.0045, 0.0), 0.045, "upper"),
    Push("lowerlip", (0.0, -0.0075, 0.0), 0.045, "lower"),
    Push("corner", (-0.003, 0.0, 0.0), 0.04),
)

#: Paired shapes, without their Left or Right.
SIDED: dict[str, tuple[Push, ...]] = {
    "browDown": (
        Push("browInner", (-0.012, 0.036, 0.0), 0.065),
        Push("browMiddle", (-0.005, 0.018, 0.0), 0.07),
    ),
    "browOuterUp": (Push("browOuter", (0.004, -0.034, 0.0), 0.085), Push("browMiddle", (0.0, -0.018, 0.0), 0.06)),
    "cheekSquint": (Push("apple", (0.0, -0.015, 0.004), 0.07),),
    "mouthDimple": (Push("corner", (0.018, -0.004, -0.012), 0.05), Push("cheek", (0.005, 0.0, -0.006), 0.07)),
    "mouthFrown": (Push("corner", (0.006, 0.036, 0.0), 0.058), Push("jowl", (0.0, 0.006, 0.0), 0.07)),
    "mouthLowerDown": (Push("lowerlip", (0.004, 0.020, 0.0), 0.05, "lower"), Push("lowerlip", (0, 0.006, 0), 0.08)),
    "mouthPress": _PRESS,
    "mouthSmile": _SMILE,
    "mouthStretch": (
        Push("corner", (0.032, 0.006, -0.010), 0.065),
        Push("lowerlip", (0.006, 0.004, 0.0), 0.05, "lower"),
        Push("cheek", (0.008, 0.0, 0.0), 0.08),
    ),
    "mouthUpperUp": (
        Push("upperlip", (0.002, -0.015, 0.0), 0.05, "upper"),
        Push("fold", (0.002, -0.006, 0.0), 0.06),
    ),
    "noseSneer": (
        Push("ala", (0.003, -0.017, 0.0), 0.05),
        Push("upperlip", (0.0, -0.009, 0.0), 0.05, "upper"),
        Push("browInner", (-0.003, 0.006, 0.0), 0.05),
        Push("fold", (0.004, -0.008, 0.004), 0.06),
    ),
}
WHOLE: dict[str, tuple[Push, ...]] = {
    "browInnerUp": (
        Push("browInner", (0.000, -0.038, 0.0), 0.06),
        Push("browMiddle", (0.0, -0.008, 0.0), 0.06),
        Push("glabella", (0.0, -0.012, 0.0), 0.06),
    ),
    "cheekPuff": (Push("cheek", (0.022, 0.0, 0.02), 0.09), Push("corner", (-0.004, 0.0, 0.0), 0.05)),
    "mouthRollLower": (Push("lower", (0.0, -0.015, -0.008), 0.06, "lower"),),
    "mouthRollUpper": (Push("upper", (0.0, 0.011, -0.008), 0.06, "upper"),),
    "mouthShrugLower": (Push("lower", (0.0, -0.012, 0.004), 0.07, "lower"), Push("chin", (0.0, -0.014, 0.006), 0.08)),
    "mouthShrugUpper": (Push("upper", (0.0, -0.010, 0.006), 0.07, "upper"),),
}


def displacements(name: str, face: Geometry) -> tuple[Floats, Floats]:
    """One blend shape at weight 1: f32 [468, 3] in face heights for the upper and for the lower layer.

    The names are BLEND_SHAPES and the renderer's own `lipsSeal` (see `weights`).
    """
    upper, lower = np.zeros((2, len(face.local), 3), np.float32)
    if name in WHOLE:
        _push(upper, lower, face, WHOLE[name], (0, 1))
    for side, suffix in enumerate(("Right", "Left")):
        if name.removesuffix(suffix) in SIDED and name.endswith(suffix):
            _push(upper, lower, face, SIDED[name.removesuffix(suffix)], (side,))
    if name.startswith("brow"):
        upper *= _above_lids(face)[:, None]
        lower *= _above_lids(face)[:, None]
    if name in ("jawOpen", "jawLeft", "jawRight", "jawForward"):
        push = {
            "jawOpen": (0.0, 0.105, -0.012),
            "jawLeft": (0.03, 0.0, 0.0),
            "jawRight": (-0.03, 0.0, 0.0),
            "jawForward": (0.0, 0.004, 0.03),
        }[name]
        upper += _jaw(face, "upper")[:, None] * np.array(push, np.float32)
        lower += _jaw(face, "lower")[:, None] * np.array(push, np.float32)
        if name == "jawOpen":
            _corners_in(upper, lower, face, 0.012)
    elif name == "mouthClose":
        lower -= (_jaw(face, "lower") * _lips(face, 0.07))[:, None] * np.array([0, 0.105, -0.012], np.float32)
        _corners_in(upper, lower, face, -0.010)
    elif name == "lipsSeal":
        _seal(upper, lower, face)
    elif name in ("mouthPucker", "mouthFunnel"):
        _round(upper, lower, face, *((0.40, 0.030, 0.0) if name == "mouthPucker" else (0.24, 0.026, 0.014)))
    elif name in ("mouthLeft", "mouthRight"):
        way = 0.030 if name == "mouthLeft" else -0.030
        for layer in (upper, lower):
            layer[:, 0] += way * _lips(face, 0.10)
    return upper, lower


def _push(upper: Floats, lower: Floats, face: Geometry, pushes: tuple[Push, ...], sides: tuple[int, ...]) -> None:
    for push in pushes:
        for side in sides if push.at in POINTS else (2,):
            at = POINTS[push.at][side] if side < 2 else MIDDLE[push.at]
            apart = face.local[:, :2] - face.local[at, :2]
            bump = np.exp(-(apart**2).sum(1) / (2 * push.sigma**2))
            amount = np.array(push.amount, np.float32)
            if side == 0:
                amount[0] = -amount[0]
            if push.layer != "lower":
                upper += bump[:, None] * amount
            if push.layer != "upper":
                lower += bump[:, None] * amount


def _above_lids(face: Geometry) -> Floats:
    """1 from the brows upwards, 0 from the upper lids down, so that raised brows do not pull the eyes open."""
    lids = face.local[[159, 386], 1].mean()
    brows = face.local[[52, 282, 65, 295], 1].mean()
    return _smooth((lids - 0.25 * (lids - brows) - face.local[:, 1]) / (0.75 * (lids - brows)))


def mouth_line(face: Geometry) -> tuple[float, float, float]:
    """Middle x, y and half width of the mouth in local coordinates."""
    right, left = face.local[61, :2], face.local[291, :2]
    middle = face.local[[13, 14], :2].mean(0)
    return float((right[0] + left[0]) / 2), float(middle[1]), float(abs(left[0] - right[0]) / 2)


def _lips(face: Geometry, sigma: float) -> Floats:
    """1 on the mouth, falling off around it within `sigma`."""
    x, y, half = mouth_line(face)
    sideways = np.maximum(np.abs(face.local[:, 0] - x) - 0.7 * half, 0)
    upright = np.maximum(np.abs(face.local[:, 1] - y) - 0.03, 0)
    return np.asarray(np.exp(-(sideways**2 + upright**2) / (2 * (sigma * 0.6) ** 2)), np.float32)


def _jaw(face: Geometry, layer: str) -> Floats:
    """How much of the jaw's movement each landmark follows: chin and lower lip 1, corners little, temples none."""
    x, y, half = mouth_line(face)
    across = np.abs(face.local[:, 0] - x)
    chin = face.local[152, 1]
    below = _smooth((face.local[:, 1] - y + 0.02) / (0.75 * (chin - y)))
    whole = below * np.exp(-((across / 0.34) ** 4))
    if layer == "upper":
        whole[list(UPPER_LIP)] = 0
        return np.asarray(whole, np.float32)
    lip = np.clip(1 - (across / (0.94 * half)) ** 2, 0, 1) ** 0.85 * 0.84 + 0.14
    near = np.exp(-(np.maximum(across - 0.6 * half, 0) ** 2) / (2 * 0.05**2)) * _smooth(
        (chin - 0.1 * (chin - y) - face.local[:, 1]) / (0.5 * (chin - y))
    )
    return np.asarray(np.maximum(whole, whole * (1 - near) + lip * near), np.float32)


def _corners_in(upper: Floats, lower: Floats, face: Geometry, amount: float) -> None:
    for side, corner in enumerate(CORNERS):
        bump = np.exp(-((face.local[:, :2] - face.local[corner, :2]) ** 2).sum(1) / (2 * 0.05**2))
        way = amount if side == 0 else -amount
        upper[:, 0] += way * bump
        lower[:, 0] += way * bump
        upper[:, 1] += 0.012 * np.sign(amount) * bump
        lower[:, 1] += 0.012 * np.sign(amount) * bump


def _round(upper: Floats, lower: Floats, face: Geometry, narrow: float, forward: float, part: float) -> None:
    """Lips drawn together to `1 - narrow` of their width, pushed forward, parted by `part`."""
    x, y, _ = mouth_line(face)
    near = _lips(face, 0.10)
    for layer, way in ((upper, -1.0), (lower, 1.4)):
        layer[:, 0] -= narrow * (face.local[:, 0] - x) * near
        layer[:, 1] += way * part * near * np.exp(-(((face.local[:, 0] - x) / 0.07) ** 2))
        layer[:, 1] += 0.12 * (face.local[:, 1] - y) * near
        layer[:, 2] += forward * near


def _seal(upper: Floats, lower: Floats, face: Geometry) -> None:
    """Closes the gap that the lips have at rest: both inner lines move to 45 % of it."""
    above = [191, 80, 81, 82, 13, 312, 311, 310, 415]
    below = [95, 88, 178, 87, 14, 317, 402, 318, 324]
    order = np.argsort(face.local[above, 0])
    places = face.local[above, 0][order]
    gap = np.maximum(face.local[below, 1] - face.local[above, 1], 0)[order]
    height = np.interp(face.local[:, 0], places, gap, 0, 0)
    near = _lips(face, 0.08)
    upper[:, 1] += 0.45 * height * near
    lower[:, 1] -= 0.60 * height * near


def _smooth(value: Floats) -> Floats:
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)
