"""`open_dialogue`: the settings decide who answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.dialogue import Echo, open_dialogue
from gateway.settings import Settings


def test_no_endpoint_is_the_echo() -> None:
    dialogue = open_dialogue(Settings())
    assert isinstance(dialogue, Echo) and (dialogue.kind, dialogue.model) == ("echo", None)


async def test_an_endpoint_is_a_chat() -> None:
    dialogue = open_dialogue(Settings(llm_url="http://localhost:11434/v1", llm_model="qwen"))
    assert (dialogue.kind, dialogue.model) == ("chat", "qwen")
    await dialogue.close()


def test_the_client_library_is_imported_only_for_an_endpoint() -> None:
    look = "import sys, gateway.dialogue as d; from gateway.settings import Settings; d.open_dialogue(Settings()); "
    look += "print('openai' in sys.modules)"
    found = subprocess.run([sys.executable, "-P", "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("variable", "given"),
    [
        ("ANTLITZ_LLM_URL", {"ANTLITZ_LLM_URL": "localhost:11434", "ANTLITZ_LLM_MODEL": "x"}),
        ("ANTLITZ_LLM_MODEL", {"ANTLITZ_LLM_URL": "http://localhost:11434/v1"}),
        ("ANTLITZ_LLM_TIMEOUT", {"ANTLITZ_LLM_TIMEOUT": "0"}),
        ("ANTLITZ_LLM_TIMEOUT", {"ANTLITZ_LLM_TIMEOUT": "nan"}),
        ("ANTLITZ_LLM_HISTORY", {"ANTLITZ_LLM_HISTORY": "-1"}),
    ],
)
def test_nonsense_is_named(variable: str, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=variable):
        Settings.from_environment(given)


def test_the_key_is_not_shown() -> None:
    assert "sk-secret" not in repr(Settings.from_environment({"ANTLITZ_LLM_KEY": "sk-secret"}))
