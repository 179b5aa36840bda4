"""aiortc's receiver holds a microphone's sound back by four packets (80 ms), so that a player has something in hand.

Nobody plays it here: it goes to engines that want it as soon as it is in order, and it is in order without that. aiortc
(1.16) has no setting for it, so this one private field is changed; where another version has none, nothing is.
"""

from __future__ import annotations

from typing import Any

PREFETCH = 1  # packets; a frame is complete when the next one begins


def hand_over_at_once(receiver: Any) -> bool:
    """Let an RTCRtpReceiver hand its audio over as soon as it is complete. Whether this aiortc could be told so."""
    buffer = getattr(receiver, "_RTCRtpReceiver__jitter_buffer", None)
    if buffer is None or not hasattr(buffer, "_prefetch"):
        return False
    buffer._prefetch = PREFETCH
    return True
