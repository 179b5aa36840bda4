from __future__ import annotations

import pytest

from gateway.turns.completeness import COMPLETE, OPEN, UNFINISHED, meant, patience


@pytest.mark.parametrize(
    ("text", "language", "seconds"),
    [
        ("How are you today?", "en", COMPLETE),
        ("I like your smile.", "en", COMPLETE),
        ("Where are you from?", "en", COMPLETE),  # a question may end in any word
        ("I went to the.", "en", UNFINISHED),  # Whisper writes full stops after fragments
        ("I went to the market and", "en", UNFINISHED),
        ("So, um...", "en", UNFINISHED),
        ("I was thinking", "en", OPEN),
        ("I was thinking...", "en", OPEN),
        ("First the bread, then the wine,", "en", OPEN),
        ("Ich gehe in den", "de", UNFINISHED),
        ("Das weiß ich, weil", "de-AT", UNFINISHED),
        ("Guten Morgen.", "de", COMPLETE),
        ("今日はいい天気ですね。", "ja", COMPLETE),
        ("今日は", "ja", OPEN),
        ("C'est pour la", "fr", UNFINISHED),
        ("Fine and.", "xx", COMPLETE),  # a language without a list
        ("", "en", OPEN),
        ("...", "", OPEN),
    ],
)
def test_how_long_to_wait(text: str, language: str, seconds: float) -> None:
    assert patience(text, language) == seconds


def test_the_promised_range() -> None:
    assert 0.3 <= COMPLETE < OPEN < UNFINISHED <= 1.5


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("Mhm.", False), ("Mm-hmm.", False), ("Ja, genau.", False), ("Okay.", False), ("Uh-huh", False), ("", False),
        ("Stop!", True), ("Nein.", True), ("Ja, aber warte mal.", True), ("What?", True), ("はい", False),
    ],
)  # fmt: skip
def test_a_murmur_takes_no_turn(text: str, takes: bool) -> None:
    assert meant(text) is takes
