"""gateway/SECURITY.md names tests: they exist, and no line is without one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "gateway" / "SECURITY.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| who tries")]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_there_are_lines() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:50])
def test_every_line_names_its_tests(row: str) -> None:
    who, stops, proof = row.strip("|").split(" | ")
    assert who.strip() and stops.strip()
    named = NAMED.findall(proof)
    assert named, "a line without a test"
    for path, name in named:
        assert (name in names_in(path)) if name else names_in(path), f"{path}::{name}"


def test_the_settings_it_speaks_of_exist() -> None:
    source = (ROOT / "gateway" / "settings.py").read_text("utf-8")
    for variable in re.findall(r"`(ANTLITZ_\w+)`", PAGE):
        assert f'"{variable}"' in source
