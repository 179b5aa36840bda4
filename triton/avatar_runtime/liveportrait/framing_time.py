"""`python -m avatar_runtime.liveportrait.framing_time`: the work around LivePortrait's networks, in ms of CPU a frame.

One thread. The two large networks are replaced by a crop that is there already; the small retargeting ones run when a
bundle is given, and are told apart. Prints JSON: for each portrait the mean and the 95th percentile of the whole, and
the means of its parts: keypoints (face motion to DRIVEN), paste (I420 crop into I420 view), retarget.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from avatar_runtime.contracts import CHANNEL, FRAME_SIZE, I420_ROWS
from avatar_runtime.face.landmarks import FaceFinder
from avatar_runtime.face.meshwarp import checked, rest
from avatar_runtime.face.picture import decode
from avatar_runtime.face.renderer import the_face
from avatar_runtime.liveportrait.graphs import KEYPOINTS
from avatar_runtime.liveportrait.keypoints import Floats
from avatar_runtime.liveportrait.networks import NUMBERS, Bytes, Retargeting, Tensors
from avatar_runtime.liveportrait.portrait import Portrait

#: A face that talks: the channels that motion moves at the same time.
MOVING = ("jawOpen", "mouthPucker", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "eyeBlinkLeft", "headYaw")


class Ready:
    """Stands for the two large networks: the same crop for every frame, at once."""

    def source(self, crop: Bytes) -> Tensors:
        large = cv2.resize(crop, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_CUBIC)
        rng = np.random.default_rng(0)
        sizes = {"POSE": (1, 3), "TRANSLATION": (1, 3), "SCALE": (1, 1)}
        numbers = {name: rng.normal(0, 0.2, sizes.get(name, (1, KEYPOINTS, 3))) for name in NUMBERS}
        return {**numbers, "crop": cv2.cvtColor(large, cv2.COLOR_RGB2YUV_I420)}

    def frames(self, held: Tensors, driven: Floats) -> Bytes:
        return np.broadcast_to(held["crop"], (len(driven), I420_ROWS, FRAME_SIZE))


def unmoved(keypoints: Floats, eyes: Floats, lips: Floats) -> tuple[Floats, Floats]:
    """Stands for the retargeting networks where there is no bundle."""
    nothing = np.zeros((len(eyes), KEYPOINTS, 3), np.float32)
    return nothing, nothing


def spent(work: Callable[[int], Any], frames: int) -> Floats:
    """ms of CPU time f32 [frames] of work(0), work(1), …"""
    found = []
    for index in range(frames):
        start = time.process_time()
        work(index)
        found.append(1e3 * (time.process_time() - start))
    return np.array(found, np.float32)


def timed(portrait: Portrait, retarget: Callable[..., Any], frames: int) -> dict[str, float]:
    """The figures of one portrait."""
    motion = np.repeat(rest()[None], frames, 0)
    for place, name in enumerate(MOVING):
        motion[:, CHANNEL[name]] = 0.5 + 0.5 * np.sin(np.arange(frames) * 0.3 + place)
    crop = portrait.paste.view[None]
    keypoints, pair = np.zeros((KEYPOINTS, 3), np.float32), np.full((1, 3), 0.3, np.float32)
    whole = spent(lambda index: portrait.i420(checked(motion[index : index + 1])), frames)
    parts = {
        "keypoints": spent(lambda index: portrait.driven(motion[index : index + 1]), frames),
        "paste": spent(lambda index: portrait.paste(crop), frames),
        "retarget": spent(lambda index: retarget(keypoints, pair, pair[:, :2]), frames),
    }
    parts["keypoints"] -= parts["retarget"].mean()
    figures = {"mean_ms": whole.mean(), "p95_ms": np.percentile(whole, 95)}
    figures |= {f"{name}_ms": part.mean() for name, part in parts.items()}
    return {name: round(float(value), 3) for name, value in figures.items()}


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="avatar_runtime.liveportrait.framing_time", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="holds mediapipe/")
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--bundle", type=Path, help="an exported bundle, for its retargeting networks")
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    finder = FaceFinder(args.models / "mediapipe")
    retarget = Retargeting(args.bundle) if args.bundle else unmoved
    report = {}
    for path in args.portraits:
        pixels = decode(path.read_bytes())
        portrait = Portrait(pixels, the_face(finder.find(pixels)), Ready(), retarget)
        report[path.stem] = timed(portrait, retarget, args.frames)
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
