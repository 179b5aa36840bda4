"""A link between this machine and a network namespace of its own, over which real IP packets go as roughly as told.

Where the kernel has netem, the link is a veth pair with it; elsewhere two TUN devices with a process between them. Both
need root. The namespace is one of a process and has no name: nothing is left, however this ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.bench.rough import Conditions

#: Two addresses out of the block for benchmarks (RFC 2544), by process, so that two links live side by side.
NETWORK = "198.18.{}.{}"
MTU = 1400  # bytes; what tunnels and mobile networks leave


class RoughLinkMissing(Exception):
    """One sentence about what this machine lacks."""


@dataclass(frozen=True)
class Link:
    near: str  # address of this side
    far: str  # address of the namespace's
    kind: str  # "netem" or "tun"
    holder: subprocess.Popen[str]  # whose namespace it is
    devices: tuple[str, str]

    def inside(self, *command: str) -> list[str]:
        """The command that runs `command` at the far end."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *command]

    def shape(self, conditions: Conditions) -> None:
        """What happens from now on, in both directions."""
        if self.kind == "tun":
            _ask(self.holder, json.dumps(asdict(conditions)))
            return
        near, far = self.devices
        for where, device in (([], near), (self.inside(), far)):
            _run(*where, "tc", "qdisc", "replace", "dev", device, "root", "netem", *conditions.netem())

    def plug(self, plugged: bool) -> None:
        """The far end's cable, in or out: unlike a cut, the far end sees it."""
        _run(*self.inside(), "ip", "link", "set", self.devices[1], "up" if plugged else "down")
        if plugged:  # a device that goes down forgets its routes
            _run(*self.inside(), "ip", "route", "replace", "default", "dev", self.devices[1])


def missing() -> str | None:
    """What this machine lacks for a rough link, in one sentence; None when nothing."""
    lacking = [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]
    if os.geteuid() != 0:
        return "A rough network needs root, to make network namespaces."
    if lacking:
        return f"A rough network needs {' and '.join(lacking)}: apt-get install iproute2 util-linux."
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
        return "This machine allows no network namespaces."
    if not Path("/dev/net/tun").exists() and not has_netem():
        return "This machine has neither netem nor /dev/net/tun."
    return None


def has_netem() -> bool:
    """Whether the kernel knows netem and veth."""
    made = "ip link add near type veth peer name far && tc qdisc add dev near root netem delay 1ms"
    return subprocess.run(["unshare", "--net", "sh", "-c", made], capture_output=True).returncode == 0


@contextlib.contextmanager
def rough_link(seed: int = 1) -> Iterator[Link]:
    """A link that is smooth at first. `RoughLinkMissing` where there can be none."""
    lacking = missing()
    if lacking is not None:
        raise RoughLinkMissing(lacking)
    number = os.getpid() % 250 + 1
    near, far = f"rough{os.getpid()}", "rough"
    kind = "netem" if has_netem() else "tun"
    carrier = [sys.executable, "-m", "gateway.bench.rough_carrier", near, far, str(os.getpid()), str(seed)]
    command = ["sh", "-c", "echo done; exec cat"] if kind == "netem" else carrier
    with subprocess.Popen(
        ["unshare", "--net", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        link = Link(NETWORK.format(number, 1), NETWORK.format(number, 2), kind, holder, (near, far))
        try:
            _heard(holder)
            if kind == "netem":
                peer = ["peer", "name", far, "netns", str(holder.pid)]
                _run("ip", "link", "add", near, "type", "veth", *peer)
            for where, device, own, other in (
                ([], near, link.near, link.far),
                (link.inside(), far, link.far, link.near),
            ):
                _run(*where, "ip", "address", "add", own, "peer", other, "dev", device)
                _run(*where, "ip", "link", "set", device, "mtu", str(MTU), "up")
            _run(*link.inside("ip", "link", "set", "lo", "up"))
            _run(*link.inside("ip", "route", "add", "default", "dev", far))
            link.shape(Conditions())
            yield link
        finally:
            assert holder.stdin is not None
            holder.stdin.close()  # ends it, and with it its namespace and both devices
            try:
                holder.wait(5)
            except subprocess.TimeoutExpired:
                holder.kill()


def _ask(holder: subprocess.Popen[str], line: str) -> None:
    assert holder.stdin is not None
    holder.stdin.write(line + "\n")
    holder.stdin.flush()
    _heard(holder)


def _heard(holder: subprocess.Popen[str]) -> None:
    assert holder.stdout is not None
    if holder.stdout.readline() != "done\n":
        raise RuntimeError("The process between the two networks has ended.")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
