"""The whole of Antlitz as a person starts it, and a Chromium in front: for measurements, pictures, e2e tests."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from playwright.sync_api import Page

START_SECONDS = 120.0
ADDRESS = re.compile(r"ready:.*?(https?://\S+?/)")
#: Chromium without a network of its own, with a microphone that is a file.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required",
    # Loopback addresses as they are: mDNS names need a multicast network that a sandbox may not have.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)  # fmt: skip


@dataclass
class Running:
    """`antlitz up` as a process of its own."""

    process: subprocess.Popen[str]
    url: str
    started_in: float  # s from the command to the address
    output: list[str]

    def processes(self) -> list[int]:
        """The process and all its descendants."""
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def memory(self) -> float:
        """Proportional set size of all processes, bytes."""
        total = 0
        for pid in self.processes():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
        return float(total)


@contextlib.contextmanager
def up(data: Path | None = None, program: Sequence[str] = (), **environ: str) -> Iterator[Running]:
    """`antlitz up` on a free port with a data folder of its own, stopped by Ctrl-C at the end.

    `program` stands in for `antlitz`.
    """
    with contextlib.ExitStack() as cleanup:
        if data is None:
            data = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="antlitz-")))
        started = time.monotonic()
        process = subprocess.Popen(
            [*(program or [str(Path(sys.executable).with_name("antlitz"))]), "up", "--port", "0"],
            env={**os.environ, "ANTLITZ_DATA": str(data), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output: list[str] = []
        address: list[str] = []

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                output.append(line)
                if found := ADDRESS.search(line):
                    address.append(found[1])

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            while not address:
                if process.poll() is not None or time.monotonic() - started > START_SECONDS:
                    raise RuntimeError("antlitz up did not start:\n" + "".join(output))
                time.sleep(0.02)
            with urllib.request.urlopen(address[0], timeout=10) as page:
                page.read()
            yield Running(process, address[0], time.monotonic() - started, output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.wait()
            reader.join(5)
            if process.stdout is not None:
                process.stdout.close()


@contextlib.contextmanager
def browser(
    microphone: Path | None = None, width: int = 1280, height: int = 800, arguments: Sequence[str] = ()
) -> Iterator[Page]:
    """A page in headless Chromium; `microphone` is a WAV that is heard once, from the moment it is opened."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    arguments = [*CHROMIUM_ARGUMENTS, *arguments]
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            context = chromium.new_context(
                viewport={"width": width, "height": height}, permissions=["microphone"], bypass_csp=True
            )
            yield context.new_page()
        finally:
            chromium.close()


def write_wav(path: Path, audio: npt.NDArray[np.float32], rate: int) -> Path:
    """Mono 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return path
