from __future__ import annotations

from types import SimpleNamespace

from gateway.dialogue import Clause, Echo, Line


async def test_the_echo_says_what_it_heard() -> None:
    speaker = SimpleNamespace(display_name="Ada", personality="", language="en")
    said = [clause async for clause in Echo().answer([Line("user", "before")], "Guten Tag.", speaker, "de")]
    assert said == [Clause("Guten Tag.")]
    assert (Echo().kind, Echo().model) == ("echo", None)
