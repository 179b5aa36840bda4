"""The folders mean what they say: who may import whom, and that `triton` stays the compiler's name."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.cli.settings import table

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "TTS", "liveportrait", "faster_whisper", "playwright"}
#: package -> what of ours it may import
ALLOWED = {
    "gateway": {"gateway", "characters", "avatar_runtime.contracts"},
    "characters": {"characters", "avatar_runtime.contracts"},
    "triton/avatar_runtime": {"avatar_runtime"},
    "triton/triton_launch": {"triton_launch"},
    "model_repository": {"avatar_runtime"},
    # Where the models are kept is a setting, and where Triton looks for them the launcher's.
    "export": {"export", "avatar_runtime", "gateway.settings", "triton_launch.command"},
}
OURS = ("gateway", "characters", "avatar_runtime", "triton_launch", "export")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(name: str, allowed: set[str]) -> bool:
    return any(name == each or name.startswith(each + ".") for each in allowed)


@pytest.mark.parametrize("folder", ALLOWED)
def test_dependencies_point_one_way(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith("gateway/bench/"):
            continue  # measurements look into everything
        allowed = ALLOWED[folder] | ({"triton_launch"} if relative.startswith("gateway/cli/") else set())
        for name in imports(path):
            if name.split(".")[0] in OURS and name != "avatar_runtime":
                assert within(name, allowed), f"{relative} imports {name}"
            assert folder == "export" or name.split(".")[0] not in HEAVY, f"{relative} imports {name}"


def test_only_the_adapter_knows_triton() -> None:
    for path in (ROOT / "triton" / "avatar_runtime").rglob("*.py"):
        assert path.name == "adapter.py" or "triton_python_backend_utils" not in imports(path)


def test_triton_is_never_our_folder() -> None:
    assert not (ROOT / "triton" / "__init__.py").exists()
    look = "import importlib.util as u; s = u.find_spec('triton'); print(s and [*(s.submodule_search_locations or [])])"
    # -P: as a console script runs, without the working folder on sys.path
    found = subprocess.run([sys.executable, "-P", "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(ROOT / "triton") not in found.stdout


def test_top_level_is_the_users() -> None:
    named = {"model_repository", "gateway", "export", "characters", "client", "triton", "tests"}
    named |= {"pyproject.toml", "README.md"}
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert tracked - {path for path in tracked if path.endswith(".egg-info")} <= named


def test_numpy_2_is_kept_out() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert any(each.startswith("numpy") and "<2" in each for each in dependencies)


def test_readme_has_the_settings_as_they_are() -> None:
    """When this fails: the table is what `antlitz settings` prints."""
    assert f"\n{table()}\n" in (ROOT / "README.md").read_text("utf-8")
