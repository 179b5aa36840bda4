"""`python -m avatar_runtime.face.calibrate`: what `expression.SIGNATURES` should say, measured.

Every blend shape is drawn by `render_meshwarp` on the given portraits and measured as `capture` measures a video; the
mean over the portraits, by the weight, is the shape's signature. Prints the table.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from avatar_runtime.face.capture import Capture
from avatar_runtime.face.landmarks import FaceFinder, Floats
from avatar_runtime.face.measures import NAMES
from avatar_runtime.face.meshwarp import Portrait, rest
from avatar_runtime.face.renderer import Renderer
from avatar_runtime.face.sheet import motion_of

AMOUNT = 0.7
WORTH = 0.003  # face heights: smaller entries are noise
SHAPES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "jawOpen", "jawLeft",
    "jawRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip


def signature(portrait: Portrait, finder: FaceFinder, shapes: dict[str, float]) -> Floats:
    """Measures f32 [m] of `shapes` on a portrait."""
    capture = Capture(finder)
    capture.push(portrait.render(rest()))
    frame = portrait.render(motion_of(shapes))
    for _ in range(3):  # the tracked square settles
        capture.push(frame)
    face = capture._face
    assert face is not None
    return capture.measures(frame, face)[1]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="avatar_runtime.face.calibrate")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    args = parser.parse_args(arguments)
    renderer, finder = Renderer(args.models / "mediapipe", Portrait.of), FaceFinder(args.models / "mediapipe")
    portraits = [renderer.portrait(picture=path.read_bytes()) for path in args.portraits]
    for name in SHAPES:
        rows = np.array([signature(portrait, finder, {name: AMOUNT}) for portrait in portraits]) / AMOUNT
        mean = np.median(rows, 0)
        entries = ", ".join(f'"{NAMES[i]}": {mean[i]:.3f}' for i in range(len(NAMES)) if abs(mean[i]) >= WORTH)
        sys.stdout.write(f'    "{name}": {{{entries}}},\n')
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
