"""Which worker is left, killed or started again; a thousand of them in simulated time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.policy import (
    BEAT_WITHIN_S,
    FORGIVE_AFTER_S,
    RESPAWN_FIRST_S,
    RESPAWN_MOST_S,
    START_WITHIN_S,
    SUPERVISOR_LATE_S,
    Action,
    Health,
    decide,
)

LOOK_S = 0.1
NOW = 10_000.0
WELL = Health(alive=True, ready=True, spawned_at=NOW - 500, beat_at=NOW - 0.1)
DEAD = Health(alive=False, ready=False, spawned_at=NOW - 500, beat_at=NOW - 50)


def verdict(health: Health, now: float = NOW, looked: float | None = None) -> Action:
    return decide(health, now, now - LOOK_S if looked is None else looked).action


def test_a_worker_that_beats_is_left() -> None:
    assert verdict(WELL) is Action.LEAVE


def test_a_worker_that_starts_is_left_however_silent() -> None:
    starting = Health(alive=True, ready=False, spawned_at=NOW - START_WITHIN_S + 1, beat_at=0.0)
    assert verdict(starting) is Action.LEAVE
    assert verdict(starting, NOW + 2) is Action.KILL


def test_a_worker_that_is_just_ready_has_time_for_its_first_beat() -> None:
    assert verdict(replace(WELL, spawned_at=NOW - 1, beat_at=0.0)) is Action.LEAVE


def test_a_silent_worker_is_killed_and_the_reason_said() -> None:
    silent = replace(WELL, beat_at=NOW - BEAT_WITHIN_S - 0.1)
    assert decide(silent, NOW, NOW - LOOK_S).action is Action.KILL
    assert "sign of life" in decide(silent, NOW, NOW - LOOK_S).why


def test_a_batch_that_takes_too_long_kills_even_while_the_worker_beats() -> None:
    hung = replace(WELL, batch_started=NOW - 5.1, batch_limit=5.0)
    assert verdict(hung) is Action.KILL
    assert "detector.timeout (5 s)" in decide(hung, NOW, NOW - LOOK_S).why
    assert verdict(replace(hung, batch_started=NOW - 4.9)) is Action.LEAVE
    assert verdict(replace(hung, batch_started=0.0)) is Action.LEAVE, "none runs"
    assert verdict(replace(hung, batch_limit=0.0)) is Action.LEAVE, "no limit is set"


@pytest.mark.parametrize(
    "hopeless",
    [
        replace(WELL, beat_at=NOW - 3600),
        replace(WELL, ready=False, spawned_at=NOW - 3600),
        replace(WELL, batch_started=NOW - 3600, batch_limit=1.0),
    ],
)
def test_a_supervisor_that_was_late_itself_condemns_nobody(hopeless: Health) -> None:
    assert verdict(hopeless) is Action.KILL
    assert verdict(hopeless, looked=NOW - SUPERVISOR_LATE_S - 1) is Action.LEAVE


def test_a_worker_that_never_died_starts_at_once() -> None:
    assert verdict(DEAD) is Action.RESPAWN


def test_a_late_supervisor_still_starts_what_is_dead() -> None:
    assert verdict(DEAD, looked=NOW - 3600) is Action.RESPAWN


def wait_after(deaths: tuple[float, ...]) -> float:
    """Seconds from the last death to the new start."""
    now = deaths[-1]
    while verdict(replace(DEAD, deaths=deaths), now) is Action.LEAVE:
        now += 0.01
    return now - deaths[-1]


def test_waits_double_with_each_death_in_a_row_and_are_capped() -> None:
    waits = [wait_after(tuple(NOW + 0.001 * n for n in range(count))) for count in range(1, 13)]
    assert waits[0] == pytest.approx(RESPAWN_FIRST_S, abs=0.02)
    for shorter, longer in pairwise(waits[:9]):
        assert longer == pytest.approx(2 * shorter, rel=0.15)
    assert waits[-1] == waits[-2] == pytest.approx(RESPAWN_MOST_S, abs=0.02)


def test_deaths_of_long_ago_are_forgiven() -> None:
    old = tuple(NOW - FORGIVE_AFTER_S - n for n in range(10, 0, -1))
    assert wait_after((*old, NOW)) == pytest.approx(RESPAWN_FIRST_S, abs=0.02)


@given(
    deaths=st.lists(st.floats(NOW - 200, NOW), max_size=16).map(sorted),
    later=st.floats(0, RESPAWN_MOST_S + 1),
)
def test_a_dead_worker_is_never_left_for_longer_than_the_cap(deaths: list[float], later: float) -> None:
    health = replace(DEAD, deaths=tuple(deaths))
    assert verdict(health) is not Action.KILL
    assert verdict(health, NOW + RESPAWN_MOST_S + later) is Action.RESPAWN


# ---- a thousand workers


@dataclass
class Simulated:
    """A worker: how it is, and what was done to it."""

    spawned_at: float = 0.0
    alive: bool = False
    ready: bool = False
    hangs: bool = False
    beat_at: float = 0.0
    deaths: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    kills: int = 0

    def turn(self, now: float) -> None:
        """The worker's own loop."""
        if self.alive and now - self.spawned_at > 1.0:
            self.ready = True
        if self.alive and self.ready and not self.hangs:
            self.beat_at = now

    def dies(self, now: float) -> None:
        self.alive = self.ready = False
        self.deaths.append(now)

    def perform(self, action: Action, now: float) -> None:
        if action is Action.KILL:
            self.kills += 1
            self.dies(now)
        elif action is Action.RESPAWN:
            self.alive, self.ready, self.hangs, self.spawned_at = True, False, False, now
            self.starts.append(now)

    def health(self) -> Health:
        return Health(self.alive, self.ready, self.spawned_at, self.beat_at, tuple(self.deaths[-16:]))


def look_after(workers: list[Simulated], now: float, looked: float) -> None:
    for worker in workers:
        worker.perform(decide(worker.health(), now, looked).action, now)


def test_a_thousand_workers_that_die_and_hang_all_come_back() -> None:
    rng = random.Random(5)
    workers = [Simulated() for _ in range(1000)]
    hung = set(rng.sample(range(1000), 100))
    crashing = set(rng.sample(sorted(set(range(1000)) - hung), 10))
    for step in range(600):
        now = NOW + step * LOOK_S
        for number, worker in enumerate(workers):
            worker.turn(now)
            if number in crashing and worker.alive and now - worker.spawned_at > 0.2:
                worker.dies(now)
            if number in hung and step == 100:
                worker.hangs = True
        look_after(workers, now, now - LOOK_S)
    healthy = set(range(1000)) - hung - crashing
    assert all(workers[number].starts == [NOW] and not workers[number].kills for number in healthy)
    assert all(workers[number].kills == 1 and workers[number].alive for number in hung)
    # 60 s of crashing at once would be 200 starts; doubling waits make it a handful, spread out.
    assert all(5 <= len(workers[number].starts) <= 12 for number in crashing)


def test_a_machine_that_slept_kills_nobody() -> None:
    workers = [Simulated() for _ in range(1000)]
    now = looked = NOW
    for step in range(400):
        # It sleeps for ten minutes; the supervisor happens to be the first to wake up.
        now += 600.0 if step == 200 else LOOK_S
        look_after(workers, now, looked)
        looked = now
        for worker in workers:
            worker.turn(now)
    assert all(not worker.kills and len(worker.starts) == 1 for worker in workers)
