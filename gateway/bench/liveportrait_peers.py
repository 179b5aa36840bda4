"""What `antlitz bench liveportrait` times: an exported bundle, and PyTorch modules beside it, on one device."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from avatar_runtime.bundle import CUDA_OPTIONS
from avatar_runtime.contracts import FRAME_SIZE, I420_ROWS
from avatar_runtime.liveportrait.graphs import COMPRESSED, DRIVEN, FEATURE, FRAME, SOURCE
from avatar_runtime.liveportrait.networks import InProcess
from export.liveportrait.inference import i420
from export.liveportrait.model import LivePortrait
from export.liveportrait.parity import example
from gateway.bench.liveportrait_reference import Reference

Work = Callable[[], object]


@dataclass(frozen=True)
class Timed:
    """Milliseconds of one peer's calls."""

    name: str
    calls: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.calls)


def device() -> str:
    """ "cuda" where both PyTorch and ONNX Runtime have it, else "cpu"."""
    return "cuda" if torch.cuda.is_available() and "CUDAExecutionProvider" in ort.get_available_providers() else "cpu"


def described(where: str, threads: int) -> str:
    """The device and the versions that a figure belongs to."""
    versions = f"torch {torch.__version__}, onnxruntime {ort.__version__}"
    if where == "cuda":
        return f"{torch.cuda.get_device_name()}, {versions}"
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return f"{model.partition(':')[2].strip() or 'CPU'}, {threads} threads, {versions}"


def together(peers: dict[str, Work], rounds: int) -> list[Timed]:
    """Times every peer `rounds` times, in turn, so that a noisy machine is noisy for all; once before, untimed."""
    for work in peers.values():
        work()
    calls: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, work in peers.items():
            start = time.perf_counter()
            work()
            calls[name].append((time.perf_counter() - start) * 1e3)
    return [Timed(name, found) for name, found in calls.items()]


def exported(bundle: Path, model: LivePortrait, where: str, threads: int, batch: int) -> Work:
    """`batch` frames by the exported graph: as `render_liveportrait` runs it on a processor, or on a GPU."""
    given = example(model, batch)
    driven = given[DRIVEN].numpy()
    if where == "cpu":
        networks = InProcess(bundle, threads)
        held = {name: given[name][:1].numpy() for name in (FEATURE, COMPRESSED, SOURCE)}
        return lambda: networks.frames(held, driven)
    return on_gpu(bundle, model, batch, {**CUDA_OPTIONS, "prefer_nhwc": "1"})


def on_gpu(bundle: Path, model: LivePortrait, batch: int, provider: Mapping[str, str]) -> Work:
    """The frame graph in ONNX Runtime CUDA: inputs lie on the device, as Triton keeps them; frames come back."""
    given = {name: value.numpy() for name, value in example(model, batch).items()}
    options = ort.SessionOptions()
    options.log_severity_level = 3
    cuda = ("CUDAExecutionProvider", dict(provider))
    session = ort.InferenceSession(str(bundle / "frame.onnx"), options, providers=[cuda])
    if session.get_providers()[0] != "CUDAExecutionProvider":
        raise ValueError("ONNX Runtime could not start CUDA: its libraries do not fit.")
    binding = session.io_binding()
    for end in session.get_inputs():
        value = given[end.name].astype(np.float16 if end.type == "tensor(float16)" else np.float32)
        binding.bind_ortvalue_input(end.name, ort.OrtValue.ortvalue_from_numpy(value, "cuda", 0))
    if "enable_cuda_graph" in provider:  # what is replayed writes where it wrote
        frame = np.zeros((batch, I420_ROWS, FRAME_SIZE), np.uint8)
        binding.bind_ortvalue_output(FRAME, ort.OrtValue.ortvalue_from_numpy(frame, "cuda", 0))
    else:
        binding.bind_output(FRAME, "cpu")

    def work() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        binding.copy_outputs_to_cpu()

    return work


def pytorch(model: LivePortrait | Reference, source: LivePortrait, where: str, batch: int, compiled: str) -> Work:
    """`batch` frames by PyTorch, from keypoints to I420: the official modules, or ours as they are trained.

    On a GPU in f16 autocast, as the official wrapper runs them. `compiled`: torch.compile's mode, "" without it.
    """
    given = {name: value.to(where) for name, value in example(source, batch).items()}
    network = copy.deepcopy(model).to(where)
    feature, compressed, start, driven = (given[name] for name in (FEATURE, COMPRESSED, SOURCE, DRIVEN))
    if compiled and isinstance(network, Reference):
        network.w = torch.compile(network.w, mode=compiled)
        network.g = torch.compile(network.g, mode=compiled)

    @torch.inference_mode()
    def work() -> None:
        half = torch.autocast("cuda", torch.float16) if where == "cuda" else nullcontext()
        with half:
            if isinstance(network, Reference):
                picture = network(feature, start, driven)
            else:
                moved = network.retargeting.stitch(start, driven)
                picture = network.generator(network.warping(feature, compressed, start, moved))
        i420(picture.float()).cpu()  # waits for the GPU

    return work
