"""How long a camera waits before it is tried again."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.facts import EndReason
from vedette.ingest.reconnect import HEALTHY_AFTER_S, Backoff

MOST_S = {EndReason.UNAUTHORISED: 120.0, EndReason.UNSUPPORTED: 120.0, EndReason.CORRUPT: 30.0}
FIRST_S = {
    EndReason.UNAUTHORISED: 10.0,
    EndReason.UNSUPPORTED: 10.0,
    EndReason.CORRUPT: 1.0,
    EndReason.REFUSED: 0.5,
}
reasons = st.sampled_from(EndReason)


class NoJitter(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return a


def waits(reason: EndReason, count: int, rng: random.Random | None = None) -> list[float]:
    backoff = Backoff(rng or NoJitter())
    return [backoff.after(reason, 0.0) for _ in range(count)]


@pytest.mark.parametrize("reason", EndReason)
def test_waits_start_small_double_and_stay_at_a_limit(reason: EndReason) -> None:
    found, limit = waits(reason, 40), MOST_S.get(reason, 15.0)
    assert found[0] == FIRST_S.get(reason, 0.25)
    for shorter, longer in pairwise(found):
        assert longer == min(2 * shorter, limit)
    assert found[-1] == limit


def test_a_wrong_password_is_tried_rarely() -> None:
    assert sum(waits(EndReason.UNAUTHORISED, 10)) > 10 * 60


@given(seed=st.integers(), ends=st.lists(st.tuples(reasons, st.floats(0, 9.9)), min_size=1, max_size=60))
def test_jitter_only_stretches(seed: int, ends: list[tuple[EndReason, float]]) -> None:
    steady, shaken = Backoff(NoJitter()), Backoff(random.Random(seed))
    for reason, lived in ends:
        wait = steady.after(reason, lived)
        assert wait <= shaken.after(reason, lived) <= 1.5 * wait


@given(failures=st.integers(0, 50), reason=reasons, lived=st.floats(HEALTHY_AFTER_S, 1e7))
def test_a_healthy_session_makes_the_next_wait_small_again(
    failures: int, reason: EndReason, lived: float
) -> None:
    backoff = Backoff(NoJitter())
    for _ in range(failures):
        backoff.after(EndReason.UNREACHABLE, 0.0)
    assert backoff.after(reason, lived) == FIRST_S.get(reason, 0.25)


def test_a_short_session_is_a_failed_attempt() -> None:
    backoff = Backoff(NoJitter())
    found = [backoff.after(EndReason.STALLED, HEALTHY_AFTER_S - 0.1) for _ in range(4)]
    assert found == [0.25, 0.5, 1.0, 2.0]


def test_a_thousand_cameras_that_went_down_together_come_back_spread_out() -> None:
    backoffs = [Backoff(random.Random(number)) for number in range(1000)]
    tries = [0.0] * 1000
    for _ in range(7):
        tries = [
            at + each.after(EndReason.UNREACHABLE, 0.0) for at, each in zip(tries, backoffs, strict=True)
        ]
    busiest = max(sum(at <= other < at + 1 for other in tries) for at in tries)
    assert busiest < 350
    assert max(tries) < 60
