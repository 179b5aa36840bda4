"""The page's logic, tested by node's own test runner: the files below ``logic``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

LOGIC = Path(__file__).parent / "logic"


def find_node() -> str | None:
    """node from PATH, or the one that playwright's driver brings along."""
    if found := shutil.which("node"):
        return found
    try:
        import playwright
    except ImportError:
        return None
    bundled = Path(playwright.__file__).parent / "driver" / "node"
    return str(bundled) if bundled.exists() else None


@pytest.mark.parametrize("file", sorted(LOGIC.glob("*.test.mjs")), ids=lambda file: file.stem)
def test_logic(file: Path) -> None:
    node = find_node()
    if node is None:
        pytest.skip("node is missing: install it, or playwright, which brings one")
    run = subprocess.run([node, "--test", str(file)], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
