"""Turn taking: when the person starts, pauses, ends and interrupts. Pure: times come in as arguments."""

from gateway.turns.endpointing import Endpointer, EndpointingOptions, TurnEvent
from gateway.turns.interruption import InterruptionDetector
from gateway.turns.recording import Recording

__all__ = ["Endpointer", "EndpointingOptions", "InterruptionDetector", "Recording", "TurnEvent"]
