"""Chromium talks with the real gateway through a real coturn, and through nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from gateway import certificate, ice
from gateway.bench.stack import Running, browser, up
from triton_launch.server import Server

COTURN = shutil.which("turnserver")
START = Path(__file__).parents[2] / "triton" / "coturn" / "start.sh"
SECRET = "north"  # of the relay that these tests start
CONNECT_SECONDS = 3.0  # from a click to a way for sound and picture, through the relay alone

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.skipif(COTURN is None, reason="coturn is missing: apt-get install coturn"),
]


def own_address() -> str:
    """This machine's address on its network: aiortc has none on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class Relay:
    host: str
    port: int
    tls_port: int
    log: Path

    def url(self, transport: str) -> str:
        if transport == "tls":
            return f"turns:{self.host}:{self.tls_port}?transport=tcp"
        return f"turn:{self.host}:{self.port}?transport={transport}"


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def coturn(folder: Path, peer: str | None = None) -> Iterator[Relay]:
    """The relay as it is deployed, on ports of its own; it leads to `peer` alone, which is this machine."""
    host = own_address()
    ports = []
    for _ in range(2):
        with socket.create_server((host, 0)) as free:
            ports.append(free.getsockname()[1])
    chain, key = certificate.ensure(folder / "certificate", host)
    chain.rename(folder / "turn.pem")
    key.rename(folder / "turn.key")
    own = {"ANTLITZ_TURN_SECRET": SECRET, "ANTLITZ_TURN_PEER": peer or host, "ANTLITZ_TURN_CERTIFICATE": str(folder)}
    log = folder / "coturn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(START), f"--listening-ip={host}", f"--relay-ip={host}", f"--listening-port={ports[0]}",
                f"--tls-listening-port={ports[1]}", f"--pidfile={folder / 'coturn.pid'}",
            ],
            env={**os.environ, **own}, stdout=output, stderr=output, cwd=folder,
        )  # fmt: skip
    try:
        end = time.monotonic() + 20
        while not (answers(host, ports[0]) and answers(host, ports[1])):
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield Relay(host, ports[0], ports[1], log)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


@contextlib.contextmanager
def gateway(triton: Server, data: Path, urls: str, secret: str = SECRET) -> Iterator[Running]:
    with up(data, ANTLITZ_TRITON=triton.address, ANTLITZ_TURN_URLS=urls, ANTLITZ_TURN_SECRET=secret) as running:
        yield running


#: The candidate pair that carries the talk.
PATH = """async () => {
  const stats = [...(await window.antlitz.peer.getStats()).values()];
  const by = Object.fromEntries(stats.map((one) => [one.id, one]));
  const pair = by[stats.find((one) => one.type === "transport").selectedCandidatePairId];
  const local = by[pair.localCandidateId];
  return { type: local.candidateType, relay: local.relayProtocol };
}"""


def talk(page: Any, url: str) -> float:
    """Seconds from the click until sound and picture have a way; returns when the picture of the portrait is there."""
    page.goto(f"{url}?transport=relay")
    page.locator('[data-testid=character][data-id="mona-lisa"]').wait_for()
    page.evaluate("window.clicked = performance.now(); document.querySelector('[data-testid=connect]').click()")
    page.wait_for_function(
        "window.antlitz.peer?.connectionState === 'connected' && (window.connected ??= performance.now())",
        timeout=15_000,
        polling=20,
    )
    page.wait_for_function("document.querySelector('[data-testid=avatar]').videoWidth === 512", timeout=20_000)
    return float(page.evaluate("window.connected - window.clicked")) / 1000


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_through_the_relay_alone(
    triton: Server, relay: Relay, tmp_path: Path, transport: str, record_property: Any
) -> None:
    chromium = ["--ignore-certificate-errors"]
    with gateway(triton, tmp_path, relay.url(transport)) as running, browser(arguments=chromium) as page:
        seconds = talk(page, running.url)
        record_property("connected_seconds", seconds)
        print(f"through {transport}: {seconds:.2f} s")
        assert page.evaluate(PATH) == {"type": "relay", "relay": transport}
        page.get_by_test_id("text").fill("Hello through the relay.")
        page.get_by_test_id("say").click()
        page.get_by_test_id("transcript").get_by_text("Hello through the relay").wait_for(timeout=20_000)
        assert seconds < CONNECT_SECONDS


def findings_on(page: Any, url: str) -> list[str]:
    """The sentences of the page's connection test, by its own button, with the relay alone."""
    page.goto(f"{url}?transport=relay")
    page.get_by_test_id("connection-test").click()
    page.get_by_test_id("finding").first.wait_for(timeout=40_000)
    return [str(text) for text in page.get_by_test_id("finding").all_inner_texts()]


def test_another_secret_is_told_in_a_sentence(triton: Server, relay: Relay, tmp_path: Path) -> None:
    with gateway(triton, tmp_path, relay.url("udp"), secret="south") as running, browser() as page:
        told = findings_on(page, running.url)
        assert "find no way to the server, neither directly nor through a relay" in told[0]
        assert "refuses the server's key over UDP: their secrets differ (ANTLITZ_TURN_SECRET" in told[1]
        assert any("the relay gave the gateway no address" in line for line in running.output)
        assert not any("south" in line for line in running.output)


def test_a_network_without_udp_and_a_relay_that_leads_nowhere(triton: Server, tmp_path: Path) -> None:
    with coturn(tmp_path, peer="203.0.113.7") as relay:
        closed = f"turn:{relay.host}:9?transport=udp"  # nobody listens there, as behind a firewall without UDP
        urls = f"{closed},{relay.url('tcp')}"
        with gateway(triton, tmp_path, urls) as running, browser() as page:
            told = findings_on(page, running.url)
            assert "its list of allowed peers, or a firewall behind it, is in the way" in told[0]
            assert f"no UDP through to the relay {relay.host}:9" in told[1]
            assert told[2] == f"The relay {relay.host}:{relay.port} answers over TCP."


def test_a_key_grows_old(relay: Relay) -> None:
    """The scheme is coturn's own: it takes the key until its time, and not after."""
    assert allocated(relay, int(time.time()) + 60)
    assert not allocated(relay, int(time.time()) - 1)


@pytest.mark.parametrize("own", [{"ANTLITZ_TURN_PEER": "192.0.2.1"}, {"ANTLITZ_TURN_SECRET": SECRET}])
def test_it_does_not_start_open_to_everybody(own: dict[str, str]) -> None:
    """coturn itself takes an empty secret, and then the keys that anybody makes with it."""
    done = subprocess.run(
        [str(START)], env={"PATH": os.environ["PATH"], **own}, capture_output=True, text=True, timeout=20
    )
    assert done.returncode != 0 and "ANTLITZ_TURN_" in done.stderr


def allocated(relay: Relay, until: int) -> bool:
    username, password = ice.credentials(SECRET, "antlitz", until)

    async def ask() -> bool:
        try:
            transport, _ = await create_turn_endpoint(
                asyncio.DatagramProtocol, (relay.host, relay.port), username, password
            )
        except TransactionFailed as refused:
            assert refused.response.attributes["ERROR-CODE"][0] == 401
            return False
        transport.close()
        return True

    return asyncio.run(ask())
