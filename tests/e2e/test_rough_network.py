"""A talk in Chromium over a network that loses, delays and mixes up packets, and that is gone for a while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.bench.network import NEAR, ROUGH, cut, quality, talking
from gateway.bench.rough_link import Link, missing, rough_link

LACKING = missing()
GAP_SECONDS = 0.3  # without anything new; `antlitz bench network` measures 0.2 s over minutes, on a machine at rest
CALM_SECONDS = 5.0  # first, in which Chromium (156) learns how fast the picture's clock runs: jitter would mislead it
CUT_SECONDS = 6.0
BACK_SECONDS = 8.0

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.skipif(LACKING is not None, reason=str(LACKING)),
]


@pytest.fixture
def link() -> Iterator[Link]:
    with rough_link() as made:
        yield made


async def test_it_is_heard_through_loss_and_jitter_and_again_after_a_cut(link: Link) -> None:
    async with talking(link) as talk:
        await talk.speak(CALM_SECONDS)
        rough = await quality(talk, ROUGH, 10)
        assert rough.mended > 5, "a lost packet is made of the one after it"
        assert rough.gap < GAP_SECONDS and rough.silence < GAP_SECONDS
        assert rough.missing < 0.05, "of what was sent, nearly all is heard"
        assert 0.05 < rough.round_trip < 0.5, "the network is as rough as it was told to be"
        assert rough.rate > 15

        link.shape(NEAR)
        after = await cut(talk, CUT_SECONDS)
        assert after.same and after.speaking and after.remembers
        assert after.silent < BACK_SECONDS
