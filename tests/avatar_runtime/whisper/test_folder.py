from __future__ import annotations

from pathlib import Path

import pytest

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.whisper.folder import open_transcriber, wanted_size


def test_a_size_that_is_not_there_names_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTLITZ_WHISPER", "large-v3")
    with pytest.raises(AvatarError, match=r"no Whisper large-v3.*openai/whisper-large-v3") as error:
        open_transcriber(tmp_path)
    assert error.value.code is Code.ENGINE_UNAVAILABLE


@pytest.mark.parametrize("size", ["../etc", "Large V3", "-", "a" * 60])
def test_what_is_no_size(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTLITZ_WHISPER", size)
    with pytest.raises(AvatarError, match="a size like base") as error:
        wanted_size()
    assert error.value.code is Code.INVALID_REQUEST


@pytest.mark.parametrize("size", ["", "  "])
def test_base_where_nothing_is_said(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTLITZ_WHISPER", size)
    assert wanted_size() == "base"
