"""Starts a tritonserver on the repository's models, waits until it is ready, starts it again, stops it.

A server that is given a key lets whoever has it load models (`--model-control-mode=explicit`): so one whose process has
died can be loaded again, and after a restart the models that a conversation misses first come first. Whoever may load
models may have it run programs, so nobody may without the key.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triton_launch.command import CONTROL, KEY_HEADER, Ports, ServerError, command, locked

STOP_SECONDS = 10.0
LOG_BYTES = 16_000_000  # then a new log begins, and the one before is kept
LOAD_SECONDS = 600.0  # a TensorRT engine takes its time
LOADERS = 2  # models loaded at once, at the first start
#: Models, or their roles, in the order in which a running conversation misses them after a restart. A small one comes
#: first: Triton loads nothing beside the very first. Kokoro is slow to open and slow to speak.
URGENT = ("motion", "tts_kokoro", "render", "tts", "vad")
PAUSE_SECONDS = 2.0  # then, in which the first words are made: the ear and all others would take half of the cores

_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent() -> None:
    """In the child: SIGTERM when whoever started it is killed, so that no server is left behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
        self._again = False  # whether it was started before
        self._stubs: list[Stub] = []
        self._met: set[str] = set()  # models that had one
        self._lost: set[str] = set()  # those whose process ended while nobody looked
        if self.log:
            self.log.write_bytes(b"")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        # Appending, so that whoever writes goes on at the beginning when the log is shortened.
        with self.log.open("ab") if self.log else contextlib.nullcontext() as log:
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
        self._again = True
        self._process = self._start()
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
            except OSError:
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
        except OSError as error:
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
        if self._lost:
            lost, self._lost = sorted(self._lost), set()
            return lost
        server = os.pidfd_open(self.pid)
        try:
            waiting.register(server, select.POLLIN)
            ended = {number for number, _ in waiting.poll(seconds * 1000)}
        finally:
            os.close(server)
        gone = [stub for stub in self._stubs if stub.exit in ended]
        self._forget(gone)
        self._met -= {stub.model for stub in gone}
        return [] if server in ended else sorted({stub.model for stub in gone})

    def shorten_log(self) -> None:
        """Whoever runs for months fills no disk: a long log goes to `tritonserver.log.1`, instead of the one there."""
        if self.log and self.log.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log, self.log.with_name(f"{self.log.name}.1"))
            os.truncate(self.log, 0)  # a line that is written meanwhile is lost

    def _meet_stubs(self) -> None:
        """Know every stub that runs, and who has lost one since the last time."""
        self._forget(self._stubs)
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # the thread, or the child, has just ended
                for pid in task.read_text("ascii").split():
                    line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                    if len(line) > 1 and line[0].endswith("triton_python_backend_stub"):
                        self._stubs.append(Stub(Path(line[1]).parents[1].name, os.pidfd_open(int(pid))))
        running = {stub.model for stub in self._stubs}
        self._lost = self._met - self._missing - running
        self._met = running

    def _forget(self, stubs: Sequence[Stub]) -> None:
        for stub in stubs:
            os.close(stub.exit)
        self._stubs = [stub for stub in self._stubs if stub not in stubs]

    def _load(self) -> None:
        """Every model of the repository; after a restart the urgent ones first, and one by one."""

        def urgency(name: str) -> tuple[int, bool]:
            place = next((at for at, each in enumerate(URGENT) if name.startswith(each)), len(URGENT))
            return len(URGENT) if name in self._missing else place, not name.startswith("stt")

        order = sorted(self._models, key=urgency)
        urgent = [name for name in order if urgency(name)[0] < len(URGENT)]
        if self._again:
            loaded = [self._loaded(name) for name in urgent]
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PAUSE_SECONDS)
            loaded += [self._loaded(name) for name in order[len(urgent) :]]
        else:
            with ThreadPoolExecutor(LOADERS) as pool:
                loaded = list(pool.map(self._loaded, order))
        if not self.alive():
            raise self._died()
        self._missing = frozenset(name for name, well in zip(order, loaded, strict=True) if not well)

    def _loaded(self, name: str) -> bool:
        """Loads a model; whether it could be."""
        try:
            with self._ask(f"repository/models/{name}/load", LOAD_SECONDS, b"{}"):
                return True
        except OSError:
            return False

    @contextlib.contextmanager
    def _ask(self, path: str, timeout: float, body: bytes | None = None) -> Iterator[Any]:
        """The answer; what goes wrong is an OSError, of whose answer nothing is left open."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports.http}/v2/{path}", body, {KEY_HEADER: self.key})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            error.close()
            raise

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
