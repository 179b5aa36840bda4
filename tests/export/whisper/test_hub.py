from __future__ import annotations

from pathlib import Path

import pytest

from export.whisper import hub
from export.whisper.config import NAMES, Config, ConfigError, named


@pytest.mark.parametrize(
    ("text", "name"),
    [("openai/whisper-large-v3", True), ("/models/x", False), ("whisper", False), ("../a/b", False), ("a/b/c", False)],
)
def test_what_reads_as_a_name(text: str, name: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub.is_name(text) is name


def test_a_folder_of_that_name_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai" / "whisper-base").mkdir(parents=True)
    assert not hub.is_name("openai/whisper-base")


def test_what_the_hub_does_not_give_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(hub.HubError, match=r"openai/whisper-none could not be fetched .* give a folder"):
        hub.fetched("openai/whisper-none")


@pytest.mark.parametrize(
    ("config", "size"),
    [
        (Config(), "base"),
        (Config(bins=128, width=1280, encoder_layers=32, decoder_layers=4), "turbo"),
        (Config(bins=128, width=1280, encoder_layers=32, decoder_layers=32), "large-v3"),
        (Config(width=64, encoder_layers=2, decoder_layers=2), "64x2x2"),
    ],
)
def test_sizes_have_names(config: Config, size: str) -> None:
    assert config.size == size


@pytest.mark.parametrize("size", NAMES.values())
def test_a_name_gives_its_config(size: str) -> None:
    assert named(size).size == size
    assert named("base") == Config()


def test_what_is_no_size_is_said() -> None:
    with pytest.raises(ConfigError, match=r"no Whisper called huge: one of tiny, base"):
        named("huge")
