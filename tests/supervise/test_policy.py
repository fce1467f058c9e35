"""Which worker is left, killed or started again; a thousand of them in simulated time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.supervise.policy import (
    BEAT_WITHIN_S,
    BUDGET,
    BUDGET_WITHIN_S,
    DETECTOR_MOST_S,
    FORGIVE_AFTER_S,
    QUARANTINE_FIRST_S,
    QUARANTINE_MOST_S,
    RESPAWN_FIRST_S,
    RESPAWN_MOST_S,
    START_WITHIN_S,
    STARVED_MOST_S,
    STEADY_AFTER_S,
    STILL_WITHIN_S,
    STOPPED_WITHIN_S,
    SUPERVISOR_LATE_S,
    TERMINATE_WITHIN_S,
    Action,
    Health,
    decide,
    quarantine_lasts,
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
    assert verdict(starting, NOW + 2) is Action.TERMINATE


def test_a_worker_that_is_just_ready_has_time_for_its_first_beat() -> None:
    assert verdict(replace(WELL, spawned_at=NOW - 1, beat_at=0.0)) is Action.LEAVE


def test_a_silent_worker_is_told_to_end_then_killed_and_the_reason_said() -> None:
    silent = replace(WELL, beat_at=NOW - BEAT_WITHIN_S - 0.1)
    assert decide(silent, NOW, NOW - LOOK_S).action is Action.TERMINATE
    assert "sign of life" in decide(silent, NOW, NOW - LOOK_S).why
    told = replace(silent, told_at=NOW)
    assert verdict(told, NOW + TERMINATE_WITHIN_S - 0.01) is Action.LEAVE, "it is told once"
    assert verdict(told, NOW + TERMINATE_WITHIN_S + 0.01) is Action.KILL
    assert verdict(replace(told, beat_at=NOW), NOW + 1) is Action.KILL, "there is no way back"


def test_a_batch_that_takes_too_long_ends_a_worker_even_while_it_beats() -> None:
    hung = replace(WELL, batch_started=NOW - 5.1, batch_limit=5.0)
    assert verdict(hung) is Action.TERMINATE
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
        replace(WELL, stopped_since=NOW - 3600),
        replace(WELL, beat_at=NOW - 3, still_since=NOW - 3),
    ],
)
def test_a_supervisor_that_was_late_itself_condemns_nobody(hopeless: Health) -> None:
    assert verdict(hopeless) in (Action.TERMINATE, Action.KILL)
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
    waits = [wait_after(tuple(NOW + 0.001 * n for n in range(count))) for count in range(1, BUDGET)]
    assert waits[0] == pytest.approx(RESPAWN_FIRST_S, abs=0.02)
    for shorter, longer in pairwise(waits[:9]):
        assert longer == pytest.approx(2 * shorter, rel=0.15)
    assert waits[-1] == waits[-2] == pytest.approx(RESPAWN_MOST_S, abs=0.02)


def test_deaths_of_long_ago_are_forgiven() -> None:
    old = tuple(NOW - FORGIVE_AFTER_S - n for n in range(10, 0, -1))
    assert wait_after((*old, NOW)) == pytest.approx(RESPAWN_FIRST_S, abs=0.02)


@given(
    deaths=st.lists(st.floats(NOW - 200, NOW), max_size=BUDGET - 1).map(sorted),
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
    deaf: bool = False
    told_at: float = 0.0
    essential: bool = False
    quarantined_at: float = 0.0
    quarantines: int = 0
    quarantined: list[float] = field(default_factory=list)
    released: list[float] = field(default_factory=list)

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
        match action:
            case Action.TERMINATE if self.deaf:
                self.told_at = now
            case Action.KILL | Action.TERMINATE:
                self.kills += 1
                self.dies(now)
            case Action.RESPAWN:
                self.alive, self.ready, self.hangs, self.spawned_at = True, False, False, now
                self.told_at = self.quarantined_at = 0.0
                self.starts.append(now)
            case Action.QUARANTINE:
                self.quarantined_at, self.quarantines = now, self.quarantines + 1
                self.quarantined.append(now)
            case Action.RELEASE:
                self.quarantines = 0
                self.released.append(now)

    def health(self) -> Health:
        return Health(
            self.alive,
            self.ready,
            self.spawned_at,
            self.beat_at,
            tuple(self.deaths[-16:]),
            told_at=self.told_at,
            quarantined_at=self.quarantined_at,
            quarantines=self.quarantines,
            essential=self.essential,
        )


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
                worker.hangs, worker.deaf = True, number % 2 == 0
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


# ---- stopped, starved, hung


def test_a_stopped_worker_is_killed_at_once_because_it_hears_nothing_else() -> None:
    stopped = replace(WELL, stopped_since=NOW)
    assert verdict(stopped, NOW + STOPPED_WITHIN_S - 0.1) is Action.LEAVE
    assert verdict(stopped, NOW + STOPPED_WITHIN_S + 0.1) is Action.KILL
    assert "stopped" in decide(stopped, NOW + 3, NOW + 3 - LOOK_S).why
    assert verdict(replace(stopped, ready=False, spawned_at=NOW), NOW + 3) is Action.KILL, (
        "also while it starts"
    )


def test_a_silent_worker_that_does_nothing_hangs_and_one_that_is_starved_does_not() -> None:
    silent = replace(WELL, beat_at=NOW)
    later = NOW + STILL_WITHIN_S + 0.5
    assert verdict(replace(silent, still_since=NOW + 0.3), later) is Action.TERMINATE
    assert verdict(silent, later) is Action.LEAVE, "it runs, or waits for a core or a disk"
    assert verdict(silent, NOW + BEAT_WITHIN_S + 0.1) is Action.TERMINATE, "but not for ever"


def test_the_time_in_which_a_worker_waited_for_a_core_does_not_count_but_not_for_ever() -> None:
    silent = replace(WELL, beat_at=NOW)
    assert verdict(replace(silent, starved=9.0), NOW + 18) is Action.LEAVE
    assert verdict(replace(silent, starved=9.0), NOW + 19.5) is Action.TERMINATE
    assert verdict(replace(silent, starved=1000.0), NOW + STARVED_MOST_S - 1) is Action.LEAVE
    assert verdict(replace(silent, starved=1000.0), NOW + STARVED_MOST_S + 1) is Action.TERMINATE


def test_a_worker_that_beats_or_starts_may_do_nothing_for_as_long_as_it_likes() -> None:
    assert verdict(replace(WELL, still_since=NOW - 100)) is Action.LEAVE
    starting = replace(WELL, ready=False, spawned_at=NOW - 60, beat_at=NOW - 70, still_since=NOW - 50)
    assert verdict(starting) is Action.LEAVE, "it may wait for somebody outside"


# ---- quarantine


def lived(worker: Simulated, seconds: float, dies: Callable[[float], bool]) -> None:
    """Look after one worker for so long. ``dies(age)``: whether it does, at this age in seconds."""
    now = NOW
    while now < NOW + seconds:
        worker.turn(now)
        if worker.alive and dies(now - worker.spawned_at):
            worker.dies(now)
        look_after([worker], now, now - LOOK_S)
        now += 1.0 if worker.quarantined_at else LOOK_S


def test_a_worker_that_keeps_dying_is_quarantined_and_tried_ever_more_rarely() -> None:
    worker = Simulated()
    lived(worker, 4 * 3600, lambda age: age > 0.2)
    assert len([at for at in worker.starts if at < worker.quarantined[0]]) == BUDGET
    waits = [later - earlier for earlier, later in pairwise(worker.quarantined)]
    assert waits[0] == pytest.approx(QUARANTINE_FIRST_S, abs=2)
    assert waits[1] == pytest.approx(2 * QUARANTINE_FIRST_S, abs=2)
    assert waits[-1] == pytest.approx(QUARANTINE_MOST_S, abs=2)


def test_a_detector_is_tried_sooner_because_nobody_sees_without_it() -> None:
    worker = Simulated(essential=True)
    lived(worker, 2 * 3600, lambda age: age > 0.2)
    waits = [later - earlier for earlier, later in pairwise(worker.quarantined)]
    assert waits[-1] == pytest.approx(DETECTOR_MOST_S, abs=2)
    assert len(waits) > 10


def test_a_worker_that_lives_after_its_quarantine_is_released_and_has_its_whole_budget_again() -> None:
    worker, end = Simulated(), NOW + 1000
    lived(worker, 1000, lambda age: age > 0.2 and not worker.quarantined)
    assert len(worker.quarantined) == 1
    (released,) = worker.released
    assert released - worker.starts[-1] == pytest.approx(STEADY_AFTER_S, abs=1)
    assert worker.alive
    worker.dies(end)
    assert verdict(worker.health(), end + 1, end + 1) is Action.RESPAWN


def test_a_worker_that_lives_for_a_minute_between_its_deaths_is_never_quarantined() -> None:
    worker = Simulated()
    lived(worker, 3600, lambda age: age > 61)
    assert not worker.quarantined
    assert len(worker.deaths) > 50


def test_an_operator_who_pardons_a_worker_has_it_started_at_once() -> None:
    held = replace(DEAD, quarantined_at=NOW, quarantines=3, deaths=(NOW,), spawned_at=NOW - 1)
    assert verdict(held, NOW + 100) is Action.LEAVE
    pardoned = replace(held, quarantined_at=0.0, deaths=())
    assert verdict(pardoned, NOW + 100) is Action.RESPAWN
    again = replace(pardoned, spawned_at=NOW + 100, deaths=(NOW + 101,))
    assert verdict(again, NOW + 101) is Action.QUARANTINE


@given(lives=st.lists(st.floats(0.05, 400), min_size=1, max_size=60), essential=st.booleans())
@settings(max_examples=25, deadline=None)
def test_whatever_lives_it_has_a_worker_stays_within_its_budget_and_always_comes_back(
    lives: list[float], essential: bool
) -> None:
    worker, now = Simulated(essential=essential), NOW
    for life in lives:
        # What changes nothing is skipped: a look each tenth of a second, but not for hours.
        wait = 0.0
        while not worker.alive:
            look_after([worker], now, now - LOOK_S)
            step = 1.0 if worker.quarantined_at else LOOK_S
            now, wait = now + step, wait + step
            most = DETECTOR_MOST_S if essential else QUARANTINE_MOST_S
            assert wait < RESPAWN_MOST_S + most + 2, "it comes back"
        ends = worker.spawned_at + life
        worker.ready, now = True, max(now, ends)
        worker.beat_at = now
        look_after([worker], now, now - LOOK_S)
        worker.dies(now)
    for first, last in zip(worker.starts, worker.starts[BUDGET:], strict=False):
        # One start more than the budget has deaths takes longer than its time, or somebody lived in between.
        inside = [at for at in worker.deaths if first <= at <= last]
        calm = any(later - earlier > FORGIVE_AFTER_S for earlier, later in pairwise(inside))
        assert last - first > BUDGET_WITHIN_S or calm


@given(quarantines=st.integers(1, 10_000), essential=st.booleans())
def test_a_quarantine_never_lasts_longer_than_the_most(quarantines: int, essential: bool) -> None:
    most = DETECTOR_MOST_S if essential else QUARANTINE_MOST_S
    lasts = quarantine_lasts(quarantines, essential=essential)
    assert 0 < lasts <= most
    assert quarantine_lasts(quarantines + 1, essential=essential) >= lasts
