"""The process that carries packets between two TUN devices, for kernels without netem (`rough_link` starts it).

It runs in a network namespace of its own, which is the far end's and ends with it. On standard input it is told the
conditions, one line of JSON each; the end of the input ends it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import time

from gateway.bench.rough import Conditions, Wire

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
LARGEST = 65_535  # bytes of an IP packet
PRIORITY = -10  # nice: on a busy machine the network is not what is late


def tun(name: str) -> int:
    """A TUN device in this namespace, as a file that gives and takes IP packets."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def packets(device: int) -> list[bytes]:
    """All that wait in a device."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(os.read(device, LARGEST))
    return found


def carry(near: int, far: int, seed: int) -> None:
    """Until the end of standard input."""
    wires = {near: (Wire(seed), far), far: (Wire(seed + 1), near)}
    orders = sys.stdin.buffer
    while True:
        due = [wire.next_arrival for wire, _ in wires.values() if wire.next_arrival is not None]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([near, far, orders], [], [], patience)
        if orders in ready:
            line = orders.readline()
            if not line:
                return
            for wire, _ in wires.values():
                wire.conditions = Conditions(**json.loads(line))
            sys.stdout.write("done\n")
            sys.stdout.flush()
        for device, (wire, other) in wires.items():
            if device in ready:
                for packet in packets(device):
                    wire.send(packet, time.monotonic())
            for packet in wire.arrived(time.monotonic()):
                with contextlib.suppress(OSError):  # the other device is down: nobody is there
                    os.write(other, packet)


def main(arguments: list[str]) -> int:
    """NEAR FAR PID SEED: the devices' names, the process whose namespace the near one goes to."""
    near_name, far_name, home, seed = arguments
    near, far = tun(near_name), tun(far_name)
    subprocess.run(["ip", "link", "set", near_name, "netns", home], check=True)
    with contextlib.suppress(OSError):  # in a container that may not
        os.nice(PRIORITY)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    carry(near, far, int(seed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
