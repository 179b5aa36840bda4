"""Whether an exported graph says what the networks say: every export is compared before it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor

from avatar_runtime.liveportrait import graphs
from export.liveportrait.inference import i420
from export.liveportrait.model import LivePortrait
from export.liveportrait.motion import keypoints
from export.onnx_graph import ExportError

PICTURE = "PICTURE"  # RGB f32 0..1 inside the frame graph, made an output for the comparison alone
CPU = "CPUExecutionProvider"
LEAST_PSNR = 40.0  # dB
#: precision -> the largest difference: of pixels 0..1, and of every other tensor relative to its largest value
TOLERANCE = {"fp32": 1e-3, "fp16": 2e-2}


@dataclass(frozen=True)
class Difference:
    """How far a tensor of the export is from PyTorch's: the largest difference, and the PSNR (dB) of pictures."""

    tensor: str
    largest: float
    psnr: float | None = None

    def __str__(self) -> str:
        return f"{self.tensor:<12} {self.largest:.1e}" + ("" if self.psnr is None else f"   {self.psnr:.1f} dB")


def example(model: LivePortrait, batch: int, seed: int = 0) -> dict[str, Tensor]:
    """A made-up picture with every frequency in it, and keypoints driven a little away from its own."""
    noise = torch.Generator().manual_seed(seed)
    size = graphs.CROP_SIZE
    y, x = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    waves = torch.stack([torch.sin(40 * x * y), torch.cos(7 * x + 3 * y), torch.sin(200 * (x - 0.5) * y)], -1)
    picture = (waves * 80 + 128 + 20 * torch.randn(batch, size, size, 3, generator=noise)).clamp(0, 255).byte()
    rgb = picture.permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        feature, motion = model.appearance(rgb), model.motion(rgb)
        source = keypoints(motion)
        return {
            graphs.IMAGE: picture,
            graphs.FEATURE: feature,
            graphs.COMPRESSED: model.warping.dense_motion_network.compressed(feature),
            **dict(
                zip(
                    (graphs.CANONICAL, graphs.POSE, graphs.TRANSLATION, graphs.EXPRESSION, graphs.SCALE),
                    motion,
                    strict=False,
                )
            ),
            graphs.SOURCE: source,
            graphs.DRIVEN: source + 0.05 * torch.randn(source.shape, generator=noise),
            graphs.EYES: torch.rand(batch, 3, generator=noise),
            graphs.LIPS: torch.rand(batch, 2, generator=noise),
        }


def truth(model: LivePortrait, graph: str, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the plain networks make of `given`, by the names of the graph's outputs."""
    if graph == "source":
        return {name: given[name] for name in graphs.SIGNATURES["source"][1]}
    source = given[graphs.SOURCE]
    with torch.inference_mode():
        if graph == "retarget":
            deltas = model.retargeting
            return {
                graphs.EYES_DELTA: deltas.open_eyes(source, given[graphs.EYES]),
                graphs.LIPS_DELTA: deltas.open_lips(source, given[graphs.LIPS]),
            }
        driven = model.retargeting.stitch(source, given[graphs.DRIVEN])
        picture = model.generator(model.warping(given[graphs.FEATURE], given[graphs.COMPRESSED], source, driven))
        return {PICTURE: picture, graphs.FRAME: i420(picture)}


def session(path: Path, precise: bool = True, provider: str = CPU) -> ort.InferenceSession:
    """The graph, a frame's RGB among its outputs."""
    model = onnx.load(str(path))
    inner = {name for node in model.graph.node for name in node.output}
    if PICTURE in inner:
        model.graph.output.append(onnx.ValueInfoProto(name=PICTURE))
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if precise:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return ort.InferenceSession(model.SerializeToString(), options, providers=[provider])


def compare(
    model: LivePortrait, graph: str, path: Path, precision: str, batch: int = 2, provider: str = CPU
) -> list[Difference]:
    """The differences of every output of the exported `graph`; `ExportError` names the first beyond tolerance."""
    running = session(path, provider=provider)
    given = example(model, batch)
    wanted = truth(model, graph, given)
    types = {end.name: end.type for end in running.get_inputs()}
    feed = {
        name: given[name].numpy().astype(np.float16) if types[name] == "tensor(float16)" else given[name].numpy()
        for name in graphs.SIGNATURES[graph][0]
    }
    names = [end.name for end in running.get_outputs()]
    found = dict(zip(names, running.run(names, feed), strict=True))
    rows = []
    for name, tensor in wanted.items():
        row = _difference(name, found[name], tensor.numpy())
        rows.append(row)
        allowed = 255 * TOLERANCE[precision] + 1 if name == graphs.FRAME else TOLERANCE[precision]
        if not row.largest <= allowed or (row.psnr is not None and not row.psnr >= LEAST_PSNR):
            raise ExportError(f"The exported {graph} differs from PyTorch beyond {precision}'s tolerance: {row}.")
    return rows


def _difference(name: str, found: NDArray[np.generic], wanted: NDArray[np.generic]) -> Difference:
    apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    if name in (PICTURE, graphs.FRAME):
        peak = 1.0 if name == PICTURE else 255.0
        mean = float((apart**2).mean())
        return Difference(name, float(apart.max()), 10 * math.log10(peak**2 / mean) if mean else math.inf)
    return Difference(name, float(apart.max() / max(float(np.abs(wanted).max()), 1e-9)))
