"""Sizes and hashes that the manifest does not know: those of a file's first pull are kept and count from then on.

They lie beside the files, in ``<folder>/pulled.json``: ``{file: {"size": bytes, "sha256": hex}}``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

RECORD = "pulled.json"


def recall(path: Path) -> tuple[int, str] | None:
    """Size and SHA-256 of `path` as it was first pulled; None when nobody has noted them."""
    found = _read(path.parent).get(path.name)
    if not isinstance(found, dict):
        return None
    size, sha256 = found.get("size"), found.get("sha256")
    return (size, sha256) if isinstance(size, int) and isinstance(sha256, str) else None


def note(path: Path, size: int, sha256: str) -> None:
    """Keep size and SHA-256 of `path`, unless they are known already."""
    known = _read(path.parent)
    if path.name in known:
        return
    known[path.name] = {"size": size, "sha256": sha256}
    path.parent.mkdir(parents=True, exist_ok=True)
    writing = path.parent / f".{RECORD}.{os.getpid()}"
    writing.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    writing.replace(path.parent / RECORD)


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
