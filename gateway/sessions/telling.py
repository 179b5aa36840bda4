"""What the page is told of a conversation: its state, captions, the face's emotion, and where a turn's time went."""

from __future__ import annotations

from gateway.sessions.health import Send
from gateway.sessions.turn import Turn
from gateway.sessions.utterance import Utterance


class Telling:
    """Messages of `gateway/PROTOCOL.md`, each where something has changed."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.state = "idle"

    def enter(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._send({"type": "state", "state": state})

    def hold(self, on: bool) -> None:
        """Whether the portrait is quiet because somebody speaks into its answer."""
        self._send({"type": "hold", "on": on})

    def emotion(self, feeling: tuple[str, float]) -> None:
        """The emotion that the face shows from now on, and its intensity 0..1."""
        self._send({"type": "emotion", "emotion": feeling[0], "intensity": feeling[1]})

    def user(self, turn: Turn, text: str, language: str, final: bool = False, tentative: str = "") -> None:
        """The person's caption; without any text one that was shown goes."""
        turn.shown = bool(text or tentative)
        self._caption("user", turn.id + "u", text, final, language, tentative)

    def avatar(self, utterance: Utterance, text: str, final: bool) -> None:
        """The portrait's caption."""
        self._caption("avatar", utterance.id, text, final, utterance.language)

    def timing(self, utterance: Utterance, last: bool = False) -> None:
        """Once: when sound and picture have both begun, or at the end without one of them."""
        if not utterance.timed and ({"first_audio", "first_frame"} <= utterance.ms.keys() or (last and utterance.ms)):
            utterance.timed = True
            self._send({"type": "timing", "turn": utterance.turn, "ms": utterance.ms})

    def _caption(self, role: str, ident: str, text: str, final: bool, language: str, tentative: str = "") -> None:
        message = {"type": "caption", "role": role, "id": ident, "text": text, "final": final, "language": language}
        self._send(message | ({"tentative": tentative} if tentative else {}))
