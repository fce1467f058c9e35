"""How long a camera waits before it is tried again, and how long an attempt may take."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.facts import EndReason
from vedette.ingest.reconnect import HEALTHY_AFTER_S, Backoff, attempt_timeout

MOST_S = {
    EndReason.UNAUTHORISED: 120.0,
    EndReason.UNSUPPORTED: 120.0,
    EndReason.CORRUPT: 30.0,
    EndReason.TLS: 30.0,
}
FIRST_S = {
    EndReason.UNAUTHORISED: 10.0,
    EndReason.UNSUPPORTED: 10.0,
    EndReason.CORRUPT: 1.0,
    EndReason.TLS: 1.0,
}
PATIENT = sorted(set(EndReason) - set(MOST_S))
reasons = st.sampled_from(EndReason)


class NoJitter(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return a


def waits(reason: EndReason, count: int, rng: random.Random | None = None) -> list[float]:
    backoff = Backoff(rng or NoJitter())
    return [backoff.after(reason, 0.0) for _ in range(count)]


@pytest.mark.parametrize("reason", sorted(MOST_S))
def test_waits_that_time_does_not_mend_double_and_stay_at_a_limit(reason: EndReason) -> None:
    found, limit = waits(reason, 40), MOST_S[reason]
    assert found[0] == FIRST_S[reason]
    for shorter, longer in pairwise(found):
        assert longer == min(2 * shorter, limit)
    assert found[-1] == limit


@pytest.mark.parametrize("reason", PATIENT)
def test_waits_for_a_camera_that_is_away_start_small_and_grow_with_the_outage(reason: EndReason) -> None:
    backoff, now = Backoff(NoJitter()), 5000.0
    found = []
    while now < 5000.0 + 3600:
        wait = backoff.after(reason, 0.0, now)
        found.append(wait)
        assert wait <= max(1.0, (now - 5000.0) / 20) + 1e-6
        now += wait
    assert found[:3] == [0.25, 0.5, 1.0]
    assert found[-1] == 15.0
    assert found == sorted(found)


@given(seed=st.integers(), away=st.floats(0, 3600), attempt_s=st.floats(0.1, 5))
def test_a_camera_is_found_soon_after_it_is_back(seed: int, away: float, attempt_s: float) -> None:
    backoff, now, wait = Backoff(random.Random(seed)), 0.0, 0.0
    while now <= away:
        wait = backoff.after(EndReason.UNREACHABLE, 0.0, now)
        now += wait + attempt_s
    assert wait <= 1.5 * min(15.0, max(1.0, (now - wait) / 20)) + 1e-6


def test_after_twenty_seconds_it_waits_for_a_second_and_a_half_at_most() -> None:
    for seed in range(200):
        backoff, now, wait = Backoff(random.Random(seed)), 0.0, 0.0
        while now <= 20:
            wait = backoff.after(EndReason.UNREACHABLE, 0.0, now)
            now += wait
        assert wait <= 1.5


def test_hours_away_cost_about_four_attempts_a_minute() -> None:
    backoff, now, attempts = Backoff(random.Random(3)), 0.0, 0
    while now < 7200:
        now += backoff.after(EndReason.UNREACHABLE, 0.0, now)
        attempts += now > 3600
    assert 2.5 <= attempts / 60 <= 4


def test_a_wrong_password_is_tried_rarely() -> None:
    assert sum(waits(EndReason.UNAUTHORISED, 10)) > 10 * 60


def test_a_camera_that_boots_does_not_pay_for_its_absence_with_the_wait_for_its_password() -> None:
    backoff = Backoff(NoJitter())
    for second in range(30):
        backoff.after(EndReason.UNREACHABLE, 0.0, float(second))
    assert backoff.after(EndReason.UNAUTHORISED, 0.0, 30.0) == 10.0


def test_a_wrong_password_stays_slow_when_the_camera_is_refusing_in_between() -> None:
    backoff, now, asked = Backoff(NoJitter()), 0.0, []
    for number in range(20):
        reason = EndReason.UNAUTHORISED if number % 2 else EndReason.REFUSED
        if number % 2:
            asked.append(now)
        now += backoff.after(reason, 0.0, now)
    assert asked[-1] - asked[0] > 8 * 60


@given(seed=st.integers(), ends=st.lists(st.tuples(reasons, st.floats(0, 9.9)), min_size=1, max_size=60))
def test_jitter_only_stretches(seed: int, ends: list[tuple[EndReason, float]]) -> None:
    steady, shaken = Backoff(NoJitter()), Backoff(random.Random(seed))
    now = 0.0
    for reason, lived in ends:
        now += lived + 1.0
        wait = steady.after(reason, lived, now)
        assert wait <= shaken.after(reason, lived, now) <= 1.5 * wait


@given(failures=st.integers(0, 50), reason=reasons, lived=st.floats(HEALTHY_AFTER_S, 1e7))
def test_a_healthy_session_makes_the_next_wait_small_again(
    failures: int, reason: EndReason, lived: float
) -> None:
    backoff = Backoff(NoJitter())
    for _ in range(failures):
        backoff.after(EndReason.UNREACHABLE, 0.0)
    assert backoff.after(reason, lived) == FIRST_S.get(reason, 0.25)
    assert backoff.outage <= 15.0


def test_sessions_that_soon_die_are_one_outage_and_wait_longer_each_time() -> None:
    backoff, now, found = Backoff(NoJitter()), 100.0, []
    for _ in range(8):
        now += 3.0
        found.append(backoff.after(EndReason.CONNECTION_LOST, 3.0, now))
        now += found[-1]
    assert found == sorted(found)
    assert found[0] == 0.25
    assert found[-1] == 15.0
    assert backoff.outage > 30


@given(ends=st.lists(st.tuples(reasons, st.floats(0, 100), st.floats(0, 100)), max_size=200))
def test_it_never_gives_up(ends: list[tuple[EndReason, float, float]]) -> None:
    backoff, now = Backoff(random.Random(1)), 0.0
    for reason, lived, took in ends:
        now += max(lived, took)
        assert 0.25 <= backoff.after(reason, lived, now) <= 180.0


def test_a_thousand_cameras_that_went_down_together_come_back_spread_out() -> None:
    backoffs = [Backoff(random.Random(number)) for number in range(1000)]
    tries = [0.0] * 1000
    for number, backoff in enumerate(backoffs):
        while tries[number] < 600:
            tries[number] += backoff.after(EndReason.UNREACHABLE, 0.0, tries[number])
    busiest = max(sum(at <= other < at + 1 for other in tries) for at in tries)
    assert busiest < 150
    assert max(tries) < 600 + 22.5


def test_attempts_are_short_and_every_third_gets_all_the_time() -> None:
    assert [attempt_timeout(number, 0.1, 5.0) for number in range(1, 7)] == [1.5, 1.5, 5.0] * 2


def test_the_first_attempt_at_a_camera_never_opened_gets_all_the_time() -> None:
    backoff = Backoff(NoJitter())
    assert [backoff.timeout(5.0) for _ in range(6)] == [5.0, 1.5, 5.0, 1.5, 1.5, 5.0]


def test_a_camera_that_is_slow_to_open_gets_longer_attempts() -> None:
    backoff = Backoff(NoJitter())
    backoff.timeout(5.0)
    for _ in range(20):
        backoff.opened(0.8)
    backoff.after(EndReason.CONNECTION_LOST, 60.0, 100.0)
    assert backoff.timeout(5.0) == pytest.approx(4.0)
    assert backoff.timeout(2.0) == 2.0


@given(attempt=st.integers(1, 1000), usual=st.none() | st.floats(0, 100), full=st.floats(0.1, 60))
def test_no_attempt_takes_longer_than_it_may(attempt: int, usual: float | None, full: float) -> None:
    assert min(full, 1.5) <= attempt_timeout(attempt, usual, full) <= full
