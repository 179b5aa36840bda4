"""What the routes expect on ``app.state``."""

from __future__ import annotations

from typing import Protocol, cast

from starlette.requests import Request

from characters import CharacterStore
from gateway.cloning import Clones
from gateway.inference import Inference
from gateway.observability.metrics import Metrics
from gateway.security.policy import Policy


class Sessions(Protocol):
    """The running conversations, as far as REST touches them."""

    async def character_changed(self, character_id: str) -> None: ...

    async def activate(self, character_id: str) -> None: ...


class State(Protocol):
    store: CharacterStore
    inference: Inference
    clones: Clones
    sessions: Sessions
    policy: Policy
    metrics: Metrics


def state(request: Request) -> State:
    """The application's parts."""
    return cast(State, request.app.state)
