"""`gateway.dialogue.apology`: a sentence for each language of the voices."""

from __future__ import annotations

import pytest

from gateway.dialogue import apology
from gateway.dialogue.apology import LANGUAGES, code_here, cut_short

XTTS = "en es fr de it pt pl tr ru nl cs ar zh hu ko ja hi".split()


def test_every_language_of_the_voices_has_its_own() -> None:
    assert set(LANGUAGES) == set(XTTS)
    for phrase in (apology, cut_short, code_here):
        assert len({phrase(language) for language in XTTS}) == len(XTTS)


@pytest.mark.parametrize("language", ["de-AT", "DE", "de_DE"])
def test_a_region_is_its_language(language: str) -> None:
    assert apology(language) == apology("de")


def test_another_language_hears_english() -> None:
    assert apology("sw") == apology("") == apology("en")
