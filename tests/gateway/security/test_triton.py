from __future__ import annotations

from pathlib import Path

from triton_launch.command import Ports, command


def test_triton_listens_on_loopback(tmp_path: Path) -> None:
    line, _ = command(Ports(1, 2, 3), tmp_path)
    for service in ("http", "grpc", "metrics"):
        assert [word for word in line if word.startswith(f"--{service}-address=")] == [f"--{service}-address=127.0.0.1"]


def test_unless_told_otherwise(tmp_path: Path) -> None:
    """The last word counts for tritonserver."""
    line, _ = command(Ports(1, 2, 3), tmp_path, ["--grpc-address=0.0.0.0"])
    assert [word for word in line if word.startswith("--grpc-address=")][-1] == "--grpc-address=0.0.0.0"
