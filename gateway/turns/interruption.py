"""Interruption: whether the person is really speaking over the portrait."""

from __future__ import annotations


class InterruptionDetector:
    """Clear speech (above `threshold`) for `seconds` interrupts; doubtful windows neither add nor reset.

    Stricter than endpointing, because what the browser's echo cancellation leaves of the portrait's own voice
    sounds like speech, too.
    """

    def __init__(self, threshold: float = 0.8, reset: float = 0.5, seconds: float = 0.4) -> None:
        self.threshold, self.reset_below, self.seconds = threshold, reset, seconds
        self._heard = 0.0

    def push(self, probability: float, duration: float) -> bool:
        """True once, in the window that completes an interruption. `duration` is seconds."""
        if probability > self.threshold:
            self._heard += duration
        elif probability < self.reset_below:
            self._heard = 0.0
        if self._heard < self.seconds:
            return False
        self._heard = 0.0
        return True

    def reset(self) -> None:
        self._heard = 0.0
