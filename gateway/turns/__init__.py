"""Turn taking: when the person starts, pauses, ends and interrupts. Pure: times come in as arguments."""

from gateway.turns.completeness import meant, patience
from gateway.turns.echo import EchoGate
from gateway.turns.endpointing import Endpointer, EndpointingOptions, TurnEvent
from gateway.turns.recording import Recording
from gateway.turns.taking import Event, TakingOptions, TurnTaking

__all__ = [
    "EchoGate",
    "Endpointer",
    "EndpointingOptions",
    "Event",
    "Recording",
    "TakingOptions",
    "TurnEvent",
    "TurnTaking",
    "meant",
    "patience",
]
