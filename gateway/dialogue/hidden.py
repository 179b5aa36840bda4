"""What a model writes for itself, not for the person: its thoughts, scripts, the tokens of its template."""

from __future__ import annotations

import re
from typing import Final

_BLOCKS: Final = "think thinking thought thoughts reasoning reflection script style".split()
_OPEN: Final = re.compile(rf"<({'|'.join(_BLOCKS)})(?:\s[^<>]{{0,200}})?>|◁(think)▷", re.IGNORECASE)
_CLOSE: Final = {name: re.compile(rf"</{name}\s?>|◁/{name}▷", re.IGNORECASE) for name in _BLOCKS}
_STRAY: Final = re.compile(rf"</(?:{'|'.join(_BLOCKS)})\s?>", re.IGNORECASE)  # its beginning stood in the prompt
_TOKEN: Final = re.compile(r"<\|[\w ]{1,40}\|>|</?s>|<(?:end|start)_of_turn>")
_HALF: Final = re.compile(r"[<◁](?:[A-Za-z/|][^<>▷\n]{0,239})?\Z")  # longer is no tag


class Hidden:
    """Takes an answer piece by piece and gives back what is meant to be heard; half a tag waits for its other half."""

    def __init__(self) -> None:
        self._rest = ""
        self._block = ""  # the block we are in

    def feed(self, text: str, last: bool = False) -> str:
        """What can be said of `text` and what was held back before; `last` holds nothing back."""
        text, self._rest = self._rest + text, ""
        said: list[str] = []
        at = 0
        while at < len(text):
            if self._block:
                end = _CLOSE[self._block].search(text, at)
                if end is None:
                    self._rest = "" if last else text[max(at, len(text) - len(self._block) - 4) :]
                    break
                at, self._block = end.end(), ""
                continue
            begin = _OPEN.search(text, at)
            if begin is None:
                kept = len(text) if last else _half_tag(text, at)
                said.append(text[at:kept])
                self._rest = text[kept:]
                break
            said.append(text[at : begin.start()])
            at, self._block = begin.end(), (begin[1] or begin[2]).lower()
        return _TOKEN.sub("", _STRAY.sub("", "".join(said)))


def _half_tag(text: str, at: int) -> int:
    """Where, from `at` on, a tag begins that `text` may not hold whole; its length where there is none."""
    begin = max(text.rfind("<", at), text.rfind("◁", at))
    return begin if begin >= 0 and _HALF.match(text, begin) else len(text)
