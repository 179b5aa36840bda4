from __future__ import annotations

from gateway.sessions.backoff import DELAYS, Backoff


def test_attempts_become_rarer_up_to_a_bound_and_success_forgets() -> None:
    backoff, now = Backoff(), 100.0
    assert backoff.ready(now)
    waited = []
    for _ in range(len(DELAYS) + 2):
        delay = backoff.failed(now)
        waited.append(delay)
        assert not backoff.ready(now + delay - 0.01)
        now += delay
        assert backoff.ready(now)
    assert waited == [*DELAYS, DELAYS[-1], DELAYS[-1]]
    backoff.worked()
    assert backoff.failed(now) == DELAYS[0]
