"""Tests of exporting need PyTorch (the extra `export`); without it they are skipped as a whole."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="exporting needs PyTorch: pip install -e '.[export]'")
