"""Finds a tritonserver, starts it on the repository's models, waits until it is ready, starts it again, stops it.

A server that is given a key lets whoever has it load models (`--model-control-mode=explicit`): so one whose process has
died can be loaded again, and after a restart the models that a conversation misses first come first. Whoever may load
models may have it run programs, so nobody may without the key.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"
RUNTIME = Path(__file__).resolve().parents[1]  # holds avatar_runtime; not the root, where `triton` would be ours
STOP_SECONDS = 10.0
CONTROL = "--model-control-mode="
KEY_HEADER = "antlitz-key"  # of requests that load models, to HTTP; gRPC's name for it is longer
LOAD_SECONDS = 600.0  # a TensorRT engine takes its time
LOADERS = 2  # models loaded at once: more would share the cores, and the first come later
#: What a running conversation misses first, after a restart.
FIRST = ("tts", "motion", "render", "vad", "stt")
STAND_IN = "avatar_runtime/onnx_model.py"  # runs a network where the server has no backend for it
STAND_IN_CONFIG = """
backend: "python"
parameters { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value: { string_value: "no" } }
"""


class ServerError(Exception):
    """The server could not be found, started or made ready; one sentence."""


_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent() -> None:
    """In the child: SIGTERM when whoever started it is killed, so that no server is left behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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


def _repository(work: Path, arguments: Sequence[str], backends: bool) -> Path:
    """A folder of links to the models that can be loaded: a network for GPUs alone has no config.pbtxt.

    It has configs/NAME.pbtxt, which counts when the arguments name that config. Unless the server has `backends` of
    ONNX Runtime and TensorRT, a Python model runs such a network.
    """
    name = next((each.partition("=")[2] for each in arguments if each.startswith("--model-config-name=")), None)
    configs = ["config.pbtxt"] if name is None else ["config.pbtxt", f"configs/{name}.pbtxt"]
    models = {path.parents[each.count("/")] for each in configs for path in REPOSITORY.glob(f"*/{each}")}
    folder = work / "repository"
    folder.mkdir(parents=True, exist_ok=True)
    links = {model.name: model for model in models}
    if name is not None and not backends:
        links |= {link: _stand_in(model, name, work) for link, model in links.items() if _alone(model, name)}
    _link(folder, links)
    return folder


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
    line += [
        f"--model-repository={_repository(work, arguments, backends=found is not None)}",
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


@dataclass(frozen=True)
class Stub:
    """The process of a Python model; readable `exit` means that it has ended."""

    model: str
    exit: int  # a pidfd


class Server:
    """A running tritonserver in its own process group; its log goes to `log`, or else to standard output."""

    def __init__(
        self,
        models: Path,
        work: Path,
        ports: Ports | None = None,
        arguments: Sequence[str] = (),
        quiet: bool = True,
        key: str = "",
    ) -> None:
        """Keeps its links below `work`, and its log there if it is `quiet`.

        With a `key` single models can be loaded again. Arguments that say themselves which models are loaded, such as
        `--load-model=*`, are theirs to say.
        """
        self.ports = ports or Ports.free()
        work.mkdir(parents=True, exist_ok=True)
        self._work = work
        self.log = work / "tritonserver.log" if quiet else None
        self._shared = f"antlitz_{secrets.token_hex(6)}_"  # how the names of its shared memory begin
        memory = f"--backend-config=python,shm-region-prefix-name={self._shared}"
        self.key = "" if any(each.startswith(CONTROL) for each in arguments) else key
        lock = locked(self.key) if self.key else []
        self._line, self._environ = command(self.ports, work, [memory, *lock, *arguments])
        self._environ["ANTLITZ_MODELS"] = str(models)
        # Those to load one by one, in an order of ours.
        self._ours = bool(self.key) and not any(each.startswith("--load-model") for each in arguments)
        self._models = sorted(link.name for link in (work / "repository").iterdir())
        self._missing: frozenset[str] = frozenset()  # models that did not load the last time
        self._stubs: list[Stub] = []
        self._process = self._start("wb")

    def _start(self, mode: str) -> subprocess.Popen[bytes]:
        with self.log.open(mode) if self.log else contextlib.nullcontext() as log:
            return subprocess.Popen(
                self._line,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._work,
                start_new_session=True,  # Ctrl-C is ours: the gateway says goodbye before its server goes
                preexec_fn=_die_with_parent,
            )

    def restart(self, seconds: float = 120.0) -> None:
        """Starts a dead server again on the same ports, as `wait_ready`. What did not load before is loaded last."""
        self.stop()
        self._process = self._start("ab")
        self.wait_ready(seconds)

    @property
    def address(self) -> str:
        """HOST:PORT of gRPC, as a gateway is told it: with the key before it, where there is one."""
        host = f"127.0.0.1:{self.ports.grpc}"
        return f"{self.key}@{host}" if self.key else host

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, seconds: float = 120.0) -> None:
        """Returns when every model that can load has loaded; ServerError when the server dies or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.alive():
                raise self._died()
            try:
                with self._ask("health/live" if self._ours else "health/ready", 2.0):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        else:
            raise ServerError(f"tritonserver was not ready after {seconds:.0f} s{self._where}.")
        if self._ours:
            self._load()
        self._meet_stubs()

    def reload(self, model: str) -> bool:
        """Loads a model again whose process has died; False when it was unloaded on purpose. It needs the key.

        Triton itself goes on calling it ready, and answers each request with an error after a second. The sequences
        of the model are lost. ServerError when it does not load.
        """
        try:
            with self._ask("repository/index", 2.0, b"{}") as answer:
                states = {each["name"]: each.get("state") for each in json.load(answer)}
            if states.get(model) != "READY":
                return False
            with self._ask(f"repository/models/{model}/unload", 10.0, b"{}"):
                pass  # what it had to answer it never will: the load does not wait for that
            with self._ask(f"repository/models/{model}/load", LOAD_SECONDS, b"{}"):
                return True
        except (urllib.error.URLError, OSError) as error:
            raise ServerError(f"{model} could not be loaded again ({error}).") from error
        finally:
            self._meet_stubs()

    def deaths(self, seconds: float) -> list[str]:
        """The models whose process has ended; waits so long for one. Empty, too, when the server itself has."""
        waiting = select.poll()
        for stub in self._stubs:
            waiting.register(stub.exit, select.POLLIN)
        if not self.alive():
            return []
        server = os.pidfd_open(self.pid)
        try:
            waiting.register(server, select.POLLIN)
            ended = {number for number, _ in waiting.poll(seconds * 1000)}
        finally:
            os.close(server)
        gone = [stub for stub in self._stubs if stub.exit in ended]
        self._forget(gone)
        return [] if server in ended else sorted({stub.model for stub in gone})

    def _meet_stubs(self) -> None:
        """Know every stub that runs."""
        self._forget(self._stubs)
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # the thread, or the child, has just ended
                for pid in task.read_text("ascii").split():
                    line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                    if len(line) > 1 and line[0].endswith("triton_python_backend_stub"):
                        self._stubs.append(Stub(Path(line[1]).parents[1].name, os.pidfd_open(int(pid))))

    def _forget(self, stubs: Sequence[Stub]) -> None:
        for stub in stubs:
            os.close(stub.exit)
        self._stubs = [stub for stub in self._stubs if stub not in stubs]

    def _load(self) -> None:
        """Every model of the repository, those first that a conversation misses first."""

        def urgency(name: str) -> tuple[bool, int]:
            role = name.partition("_")[0]
            return name in self._missing, FIRST.index(role) if role in FIRST else len(FIRST)

        def load(name: str) -> bool:
            try:
                with self._ask(f"repository/models/{name}/load", LOAD_SECONDS, b"{}"):
                    return True
            except (urllib.error.URLError, OSError):
                return False

        order = sorted(self._models, key=urgency)
        with ThreadPoolExecutor(LOADERS) as pool:
            loaded = dict(zip(order, pool.map(load, order), strict=True))
        if not self.alive():
            raise self._died()
        self._missing = frozenset(name for name in order if not loaded[name])

    def _ask(self, path: str, timeout: float, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports.http}/v2/{path}", body, {KEY_HEADER: self.key})
        return urllib.request.urlopen(request, timeout=timeout)

    def _died(self) -> ServerError:
        return ServerError(f"tritonserver ended with status {self._process.returncode}{self._where}.")

    @property
    def _where(self) -> str:
        return f"; its log is {self.log}" if self.log else ""

    def stop(self) -> None:
        """Ends the server and every model process."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # stubs that outlived it
        except ProcessLookupError:
            pass
        self._process.wait()
        self._forget(self._stubs)
        for region in Path("/dev/shm").glob(f"{self._shared}*"):  # a killed process leaves its memory behind
            region.unlink(missing_ok=True)
