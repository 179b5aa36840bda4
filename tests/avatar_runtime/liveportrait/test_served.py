"""`render_liveportrait` with its networks as Triton models (business logic scripting), on a real tritonserver.

The server here has only the Python backend, so the two networks answer from Python models made for the test; their
configs are the ones for a GPU, less what needs one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.grpc.aio import InferenceServerClient

from avatar_runtime import engines
from avatar_runtime.contracts import CHANNEL, AvatarError, Code
from avatar_runtime.face.meshwarp import rest
from avatar_runtime.liveportrait.graphs import SIGNATURES
from avatar_runtime.liveportrait.networks import FRAME_MODEL, SOURCE_MODEL, InProcess, Retargeting
from avatar_runtime.liveportrait.portrait import Portrait
from gateway.inference import Inference
from gateway.settings import Settings
from triton_launch.command import REPOSITORY
from triton_launch.server import Server

pytestmark = pytest.mark.server

MODEL = """
import os
from pathlib import Path

import triton_python_backend_utils as pb

from avatar_runtime.liveportrait import bundle

GRAPH, OUTPUTS = "{graph}", {outputs}


class TritonPythonModel:
    def initialize(self, args):
        self._session = bundle.session(Path(os.environ["ANTLITZ_MODELS"]) / "liveportrait", GRAPH, 1)
        self._batches = Path(os.environ["ANTLITZ_MODELS"]) / (GRAPH + ".batches")
        self._fails = Path(os.environ["ANTLITZ_MODELS"]) / (GRAPH + ".fails")

    def execute(self, requests):
        with self._batches.open("a") as file:
            file.write(str(len(requests)) + "\\n")
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        given = {{tensor.name(): tensor.as_numpy() for tensor in request.inputs()}}
        if self._fails.exists():
            return pb.InferenceResponse([], pb.TritonError("a secret of the network"))
        names = [name for name in OUTPUTS if name in request.requested_output_names()]
        found = self._session.run(names, given)
        return pb.InferenceResponse([pb.Tensor(*each) for each in zip(names, found, strict=True)])
"""


def install(repository: Path, model: str, outputs: tuple[str, ...]) -> None:
    """A network of the repository as a Python model on the processor, with the tiny bundle's width and precision."""
    text = (REPOSITORY / model / "configs" / "gpu.pbtxt").read_text("utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    config.backend = "python"
    config.instance_group[0].kind = config.instance_group[0].KIND_CPU
    for end in (*config.input, *config.output):
        if end.name in ("FEATURE", "COMPRESSED"):
            end.data_type, end.dims[0] = model_config_pb2.TYPE_FP32, 2
    for sample in config.model_warmup:
        for name in {"FEATURE", "COMPRESSED"} & set(sample.inputs):
            sample.inputs[name].data_type, sample.inputs[name].dims[0] = model_config_pb2.TYPE_FP32, 2
    (repository / model / "1").mkdir(parents=True)
    (repository / model / "configs").mkdir()
    (repository / model / "configs" / "gpu.pbtxt").write_text(text_format.MessageToString(config), "utf-8")
    graph = model.partition("_")[2]
    (repository / model / "1" / "model.py").write_text(MODEL.format(graph=graph, outputs=outputs), "utf-8")


@pytest.fixture(scope="module")
def cache(models: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    (folder / "mediapipe").symlink_to(models / "mediapipe")
    (folder / "liveportrait").symlink_to(bundle)
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`render_liveportrait` and its two networks alone, each with its config called gpu."""
    folder = tmp_path_factory.mktemp("served") / "models"
    for model in (SOURCE_MODEL, FRAME_MODEL):
        install(folder, model, SIGNATURES[model.partition("_")[2]][1])
    renderer = folder / "render_liveportrait"
    shutil.copytree(REPOSITORY / renderer.name, renderer, ignore=shutil.ignore_patterns("__pycache__"))
    config = renderer / "configs" / "gpu.pbtxt"
    text = re.sub(r"kind: KIND_GPU count: \d", "kind: KIND_CPU count: 1", config.read_text("utf-8"))
    config.write_text(text, "utf-8")
    return folder


@contextmanager
def running(repository: Path, cache: Path, work: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("triton_launch.command.REPOSITORY", repository)
        server = Server(cache, work, arguments=["--model-config-name=gpu"])
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(repository: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(repository, cache, tmp_path_factory.mktemp("triton")) as started:
        yield started


@pytest.fixture
async def served(server: Server) -> AsyncIterator[Inference]:
    door = Inference(server.address, Settings.from_environment({}))
    yield door
    await door.close()


@pytest.fixture(scope="module")
def picture() -> bytes:
    return (Path(__file__).parents[3] / "characters" / "defaults" / "portraits" / "mona_lisa.jpg").read_bytes()


def motion(frames: int) -> np.ndarray:
    found = np.repeat(rest()[None], frames, 0)
    found[:, CHANNEL["headX"]] = np.linspace(0, 0.05, frames)
    found[:, CHANNEL["jawOpen"]] = np.linspace(0.5, 0, frames)
    return found


async def test_frames_are_those_of_the_networks_in_process(
    served: Inference, picture: bytes, bundle: Path, pictures: dict, faces: dict
) -> None:
    async with served.render(picture, "render_liveportrait") as stream:
        first, second = await stream.push(motion(6)), await stream.push(motion(2))
    portrait = Portrait(pictures["mona_lisa"], faces["mona_lisa"], InProcess(bundle, threads=1), Retargeting(bundle))
    assert (first == portrait.i420(motion(6))).all() and (second == portrait.i420(motion(2))).all()


async def test_frames_of_one_push_meet_in_a_batch(served: Inference, picture: bytes, cache: Path) -> None:
    async with served.render(picture, "render_liveportrait") as stream:
        await stream.push(motion(1))
        before = (cache / "frame.batches").read_text("utf-8").splitlines()
        await stream.push(motion(8))
    batches = [int(line) for line in (cache / "frame.batches").read_text("utf-8").splitlines()][len(before) :]
    assert sum(batches) >= 8 and max(batches) > 1, batches


@pytest.mark.parametrize("graph", ["source", "frame"])
async def test_a_network_that_fails_is_an_engine_not_available(
    served: Inference, picture: bytes, cache: Path, graph: str
) -> None:
    other = cv2.imencode(".png", cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR))[1].tobytes()
    fails = cache / f"{graph}.fails"
    async with served.render(picture if graph == "frame" else other, "render_liveportrait") as stream:
        fails.touch()
        with pytest.raises(AvatarError) as caught:
            await stream.push(motion(3))
        assert caught.value.code is Code.ENGINE_UNAVAILABLE
        assert f"liveportrait_{graph}" in caught.value.message and "secret" not in caught.value.message
        fails.unlink()
        assert (await stream.push(motion(3))).shape == (3, 768, 512)


async def test_a_stale_engine_is_refused_when_it_loads(repository: Path, cache: Path, tmp_path: Path) -> None:
    stale = shutil.copytree(repository, tmp_path / "models")
    version = stale / FRAME_MODEL / "1"
    (version / "model.plan").write_bytes(b"an engine")
    (version / "model.plan.json").write_text('{"profile_max_batch": 4}', "utf-8")
    with running(stale, cache, tmp_path / "triton") as server:
        async with InferenceServerClient(server.address) as client:
            index = await client.get_model_repository_index()
    reasons = {model.name: model.reason for model in index.models if model.state != "READY"}
    assert set(reasons) == {"render_liveportrait"}
    assert "takes 4 frames at once and 8 are needed" in reasons["render_liveportrait"]
    assert engines.REBUILD in reasons["render_liveportrait"]


async def test_the_wheels_server_runs_the_graphs_themselves(
    repository: Path, cache: Path, bundle: Path, picture: bytes, pictures: dict, faces: dict, tmp_path: Path
) -> None:
    """As `--model-config-name=gpu` runs there, on the processor's device."""
    plain = shutil.copytree(repository, tmp_path / "models")
    for model in (SOURCE_MODEL, FRAME_MODEL):
        (plain / model / "1" / "model.py").unlink()
        shutil.copyfile(bundle / f"{model.partition('_')[2]}.onnx", plain / model / "1" / "model.onnx")
        config = plain / model / "configs" / "gpu.pbtxt"
        config.write_text(config.read_text("utf-8").replace('backend: "python"', ""), "utf-8")
    with running(plain, cache, tmp_path / "triton") as server:
        door = Inference(server.address, Settings.from_environment({}))
        async with door.render(picture, "render_liveportrait") as stream:
            found = await stream.push(motion(8))
        await door.close()
    portrait = Portrait(pictures["mona_lisa"], faces["mona_lisa"], InProcess(bundle, threads=1), Retargeting(bundle))
    assert (found == portrait.i420(motion(8))).all()
