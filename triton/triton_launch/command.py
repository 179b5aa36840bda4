"""The command line of a tritonserver: which one this machine has, and the folder of models that it can load."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
RUNTIME = Path(__file__).resolve().parents[1]  # holds avatar_runtime; not the root, where `triton` would be ours
CONTROL = "--model-control-mode="
KEY_HEADER = "antlitz-key"  # of requests that load models, to HTTP; gRPC's name for it is longer
STAND_IN = "avatar_runtime/onnx_model.py"  # runs a network where the server has no backend for it
STAND_IN_CONFIG = """
backend: "python"
parameters { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value: { string_value: "no" } }
"""


class ServerError(Exception):
    """The server could not be found, started or made ready; one sentence."""


@dataclass(frozen=True)
class Ports:
    """Where the server listens, on loopback."""

    http: int
    grpc: int
    metrics: int

    @classmethod
    def free(cls) -> Ports:
        """Three ports that nobody uses."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        return cls(*ports)


def _pytriton() -> Path | None:
    """The folder of the tritonserver inside nvidia-pytriton (found without importing it)."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "tritonserver"
    return folder if (folder / "bin" / "tritonserver").exists() else None


def _backends(pytriton: Path, work: Path) -> Path:
    """A backend folder whose Python backend carries the stub of this very Python."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = pytriton / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.exists():
        raise ServerError(f"nvidia-pytriton has no stub for Python {version}; use Python 3.11, 3.12 or 3.13.")
    target = work / "backends" / "python"
    target.mkdir(parents=True, exist_ok=True)
    for source in (*(pytriton / "backends" / "python").glob("*.*"), stub):
        link = target / source.name
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    return target.parent


def _repository(work: Path, arguments: Sequence[str], backends: bool) -> tuple[Path, bool]:
    """A folder of links to the models that can be loaded, and whether their configs say all that a server must know.

    A network for GPUs alone has no config.pbtxt.

    It has configs/NAME.pbtxt, which counts when the arguments name that config. Unless the server has `backends` of
    ONNX Runtime and TensorRT, a Python model runs such a network.
    """
    name = next((each.partition("=")[2] for each in arguments if each.startswith("--model-config-name=")), None)
    configs = ["config.pbtxt"] if name is None else ["config.pbtxt", f"configs/{name}.pbtxt"]
    models = {path.parents[each.count("/")] for each in configs for path in REPOSITORY.glob(f"*/{each}")}
    folder = work / "repository"
    folder.mkdir(parents=True, exist_ok=True)
    links = {model.name: model for model in models}
    alone = {} if name is None else {link: model for link, model in links.items() if _alone(model, name)}
    if name is not None and not backends:
        links |= {link: _stand_in(model, name, work) for link, model in alone.items()}
    _link(folder, links)
    return folder, not (alone and backends)


def _alone(model: Path, config: str) -> bool:
    """Whether the folder `model` is a network for Triton's own backends: it has this config alone, which names none."""
    path = model / "configs" / f"{config}.pbtxt"
    return not (model / "config.pbtxt").exists() and "backend:" not in path.read_text("utf-8")


def _stand_in(model: Path, config: str, work: Path) -> Path:
    """The network in the folder `model` as a Python model of the same contract, made below `work`."""
    folder = work / "networks" / model.name
    for inside in ("1", "configs"):
        (folder / inside).mkdir(parents=True, exist_ok=True)
    links = {path.name: path for path in (model / "1").glob("*")} | {"model.py": RUNTIME / STAND_IN}
    _link(folder / "1", links)
    told = (model / "configs" / f"{config}.pbtxt").read_text("utf-8")
    (folder / "configs" / f"{config}.pbtxt").write_text(told + STAND_IN_CONFIG, "utf-8")
    return folder


def _link(folder: Path, wanted: Mapping[str, Path]) -> None:
    """Links of these names, and no others. What is right already stays: another server may be using this folder."""
    for link in folder.iterdir():
        if link.is_symlink() and wanted.get(link.name) != link.readlink():
            link.unlink()
    for name, target in wanted.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)


def command(ports: Ports, work: Path, arguments: Sequence[str] = ()) -> tuple[list[str], dict[str, str]]:
    """The server's command line and environment. ServerError when there is no server on this machine."""
    environ = dict(os.environ)
    packages = sysconfig.get_path("purelib")
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(RUNTIME), packages, environ.get("PYTHONPATH", "")]))
    line: list[str] = []
    found, pytriton = shutil.which("tritonserver"), _pytriton()
    if found and pytriton and Path(found).resolve().is_relative_to(Path(sys.prefix).resolve()):
        found = None  # a wrapper of the wheel's
    if found:
        line = [found]
    elif pytriton:
        line = [str(pytriton / "bin" / "tritonserver"), f"--backend-directory={_backends(pytriton, work)}"]
        libraries = [str(pytriton.parent.parent / "nvidia_pytriton.libs"), sysconfig.get_config_var("LIBDIR") or ""]
        environ["LD_LIBRARY_PATH"] = os.pathsep.join([*libraries, environ.get("LD_LIBRARY_PATH", "")])
        environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    else:
        raise ServerError("No tritonserver was found: pip install nvidia-pytriton, or put tritonserver on PATH.")
    repository, complete = _repository(work, arguments, backends=found is not None)
    if complete:  # else each Python model is started twice, and asked the first time what its config lacks: 1.2 s
        line.append("--disable-auto-complete-config")
    line += [
        f"--model-repository={repository}",
        "--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1",
        f"--http-port={ports.http}", f"--grpc-port={ports.grpc}", f"--metrics-port={ports.metrics}",
        # One model that cannot load must not take the others with it.
        "--exit-on-error=false", "--exit-timeout-secs=3", "--strict-readiness=false", "--log-verbose=0",
        *arguments,
    ]  # fmt: skip
    return line, environ


def locked(key: str) -> list[str]:
    """The arguments that let whoever has the key load models, and nobody else."""
    lock = f"model-repository:{KEY_HEADER}={key}"
    return [f"{CONTROL}explicit", f"--http-restricted-api={lock}", f"--grpc-restricted-protocol={lock}"]
