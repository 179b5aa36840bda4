"""The microphone's packets in order, at once.

aiortc's receiver (1.16) holds sound back for a player: four packets always, and after the first lost one 16 of them
(320 ms), for ever, because it hands over one for each that comes. Nobody plays it here: each packet goes on as soon as
those before it have, and is not waited for longer than `PATIENCE`. aiortc has no setting for it: its buffer, a private
field, is replaced; in a version that has none, nothing is.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from aiortc.jitterbuffer import JitterFrame

PATIENCE = 8  # packets (160 ms) that may come before a missing one is given up
FAR = 100  # packets: further back than any that is late; the sender has begun anew
NUMBERS = 1 << 16  # of RTP packets

Item = TypeVar("Item")


class Order(Generic[Item]):
    """Numbered packets in, the same in their order out. Pure."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, Item] = {}

    def add(self, number: int, item: Item) -> list[Item]:
        """What may go on now that this one is there."""
        if self._next is None:
            self._next = number
        ahead = (number - self._next) % NUMBERS
        if ahead >= NUMBERS // 2:
            if NUMBERS - ahead < FAR:
                return []  # late: others have gone on without it
            self._next, ahead = number, 0
            self._waiting.clear()
        self._waiting[number] = item
        found = []
        while self._waiting:
            if self._next not in self._waiting:
                distances = [(waiting - self._next) % NUMBERS for waiting in self._waiting]
                if max(distances) < PATIENCE:
                    break
                self._next = (self._next + min(distances)) % NUMBERS
            found.append(self._waiting.pop(self._next))
            self._next = (self._next + 1) % NUMBERS
        return found


class Unbuffered:
    """What an RTCRtpReceiver asks of its jitter buffer, for sound."""

    def __init__(self, receiver: Any) -> None:
        self._receiver = receiver
        self._order: Order[Any] = Order()

    def add(self, packet: Any) -> tuple[bool, JitterFrame | None]:
        """Whether a key frame is wanted, which sound has none of; and the packet to decode, for there is one to one."""
        ready = [each for each in self._order.add(packet.sequence_number, packet) if each._data]
        *before, last = ready or [None]
        for each in before:  # the receiver itself takes one alone
            known = self._receiver
            frame = JitterFrame(each._data, known._RTCRtpReceiver__timestamp_mapper.map(each.timestamp))
            codec = known._RTCRtpReceiver__codecs[each.payload_type]
            known._RTCRtpReceiver__decoder_queue.put((codec, frame))
        return False, None if last is None else JitterFrame(last._data, last.timestamp)


def hand_over_at_once(receiver: Any) -> bool:
    """Let an RTCRtpReceiver hand its audio over as soon as it is in order. Whether this aiortc could be told so."""
    needed = ("jitter_buffer", "timestamp_mapper", "codecs", "decoder_queue")
    if not all(hasattr(receiver, f"_RTCRtpReceiver__{name}") for name in needed):
        return False
    receiver._RTCRtpReceiver__jitter_buffer = Unbuffered(receiver)
    return True
