"""`python -m avatar_runtime.face.sheet`: what the renderer does, to be looked at (contact sheets) and timed.

faces --out DIR --portraits FILE…   one PNG per portrait and view: rest, visemes, lids, gaze, emotions, head;
                                    with --bundle DIR as LivePortrait moves them, else as the mesh warp does
time --portraits FILE…              mean and 95th percentile of CPU ms per I420 frame, as JSON
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from avatar_runtime.contracts import CHANNEL
from avatar_runtime.face.geometry import Geometry, crop
from avatar_runtime.face.landmarks import Face, FaceFinder, Floats
from avatar_runtime.face.meshwarp import Portrait, i420, rest
from avatar_runtime.face.picture import decode
from avatar_runtime.face.renderer import the_face
from avatar_runtime.liveportrait import portrait as liveportrait
from avatar_runtime.liveportrait.networks import InProcess, Retargeting
from avatar_runtime.motion.emotion import EXPRESSIONS

CELL = 320  # pixels
COLUMNS = 6
POSES: dict[str, dict[str, float]] = {
    "rest": {},
    "AA": {"jawOpen": 0.6},
    "EE": {"jawOpen": 0.2, "mouthStretch": 0.4, "mouthSmile": 0.3, "mouthLowerDown": 0.2},
    "OO": {"jawOpen": 0.2, "mouthPucker": 0.6, "mouthFunnel": 0.35},
    "MM": {"jawOpen": 0.03, "mouthRollLower": 0.16, "mouthRollUpper": 0.12, "mouthPress": 0.22},
    "FV": {"jawOpen": 0.09, "mouthRollLower": 0.5, "mouthUpperUp": 0.2},
    "blink": {"eyeBlink": 1.0},
    "half blink": {"eyeBlink": 0.5},
    "wide": {"eyeWide": 1.0},
    "look right": {"eyeLookInRight": 1.0, "eyeLookOutLeft": 1.0},
    "look left": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
    "look down": {"eyeLookDown": 1.0},
    **{name: shapes for name, shapes in EXPRESSIONS.items() if name != "neutral"},
    "yaw +8": {"headYaw": 8.0},
    "yaw -8": {"headYaw": -8.0},
    "pitch +6": {"headPitch": 6.0},
    "pitch -6": {"headPitch": -6.0},
    "roll +8": {"headRoll": 8.0},
    "moved": {"headX": 0.05, "headY": 0.05, "headScale": 0.05},
}


def motion_of(shapes: dict[str, float]) -> Floats:
    """A frame of motion f32 [58] from names; a name without a side means both sides, pose is an offset from rest."""
    motion = rest()
    for name, value in shapes.items():
        for channel in (name, f"{name}Left", f"{name}Right"):
            if channel in CHANNEL:
                motion[CHANNEL[channel]] += value
    return motion


class Moving(Protocol):
    """A portrait of any renderer."""

    def rgb(self, motion: Floats) -> NDArray[np.uint8]:
        """motion f32 [k, 58] -> frames u8 [k, 512, 512, 3]."""


def renderer(bundle: Path | None) -> Callable[[NDArray[np.uint8], Face], Moving]:
    """What makes a portrait that moves: the mesh warp, or LivePortrait with the networks of `bundle`."""
    if bundle is None:
        return Portrait.of
    networks, retarget = InProcess(bundle), Retargeting(bundle)
    return lambda pixels, face: liveportrait.Portrait(pixels, face, networks, retarget)


def sheet(portrait: Moving, face: Geometry, view: str) -> NDArray[np.uint8]:
    """All POSES side by side, RGB. view: "whole", "face", "mouth" or "eyes"."""
    cells = []
    for name, shapes in POSES.items():
        cell = _view(portrait.rgb(motion_of(shapes)[None])[0], face, view)
        cv2.putText(cell, name, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.zeros_like(cells[0])] * (-len(cells) % COLUMNS)
    return np.vstack([np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)])


def _view(frame: NDArray[np.uint8], face: Geometry, view: str) -> NDArray[np.uint8]:
    around = {"mouth": ([13, 14], 0.26), "eyes": ([33, 263], 0.34), "face": ([1, 168], 0.66)}
    if view in around:
        points, reach = around[view]
        x, y = face.points[points, :2].mean(0).astype(int)
        half = int(reach * face.height)
        frame = frame[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
    return np.asarray(cv2.resize(frame, (CELL, CELL), interpolation=cv2.INTER_CUBIC), np.uint8)


def timed(portrait: Portrait, frames: int = 250) -> list[float]:
    """CPU ms of each frame of a face that speaks, blinks and sways."""
    found = []
    seconds = np.arange(frames) / 25
    for t in seconds:
        speak = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
        motion = motion_of(
            {
                "jawOpen": 0.5 * speak, "mouthPucker": 0.4 * (1 - speak), "mouthFunnel": 0.1, "mouthSmile": 0.3,
                "mouthStretch": 0.2 * speak, "mouthLowerDown": 0.2 * speak, "mouthUpperUp": 0.1, "cheekSquint": 0.2,
                "browInnerUp": 0.3 * speak, "browOuterUp": 0.1, "eyeBlink": float(t % 3 < 0.2), "eyeLookDown": 0.1,
                "headYaw": 4 * np.sin(t), "headPitch": 2 * np.cos(t), "headRoll": 2 * np.sin(0.7 * t),
            }
        )  # fmt: skip
        start = time.process_time()
        i420(portrait.render(motion))
        found.append(1e3 * (time.process_time() - start))
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line; the models' folder is --models."""
    parser = argparse.ArgumentParser(prog="avatar_runtime.face.sheet")
    parser.add_argument("what", choices=("faces", "time"))
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--views", nargs="+", default=["whole", "face", "mouth", "eyes"])
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--bundle", type=Path, help="an exported LivePortrait")
    args = parser.parse_args(arguments)
    finder, make = FaceFinder(args.models / "mediapipe"), renderer(args.bundle)
    report = {}
    for path in args.portraits:
        pixels = decode(path.read_bytes())
        found = the_face(finder.find(pixels))
        if args.what == "time":
            spent = timed(Portrait.of(pixels, found))
            report[path.stem] = {
                "mean_ms": round(float(np.mean(spent)), 2),
                "p95_ms": round(float(np.percentile(spent, 95)), 2),
            }
            continue
        portrait, face = make(pixels, found), crop(pixels, found)[1]
        args.out.mkdir(parents=True, exist_ok=True)
        for view in args.views:
            target = args.out / f"{path.stem}-{view}.png"
            cv2.imwrite(str(target), sheet(portrait, face, view)[..., ::-1])
            report[target.name] = {}
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
