"""Which worker is replaced when; days in simulated time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.supervise.leaks import Leak
from vedette.supervise.recycle import (
    AGAIN_S,
    FRESH_S,
    LIMIT_SHARE,
    Decision,
    GiveUpChurning,
    Look,
    Postpone,
    Reason,
    Replace,
    State,
    decide,
)
from vedette.supervise.seen import Kind, Limits, Measure, Seen

NOW = 1_000_000.0
HOUR = 3600.0
GB = 10**9
LIMITS = Limits(most={Measure.MEMORY: GB, Measure.GPU: 4 * GB}, lifetime=24 * HOUR, apart=600.0)
YOUNG = Seen(name="camera-1", kind=Kind.CAMERA, started_at=NOW - HOUR, uss=300_000_000)
OLD = replace(YOUNG, name="camera-2", started_at=NOW - 25 * HOUR)
FULL = replace(YOUNG, name="camera-3", uss=950_000_000)
LEAK = Leak(Measure.MEMORY, 20e6, 15e6, 35 * HOUR, named=True, urgent=True)


def decided(
    *workers: Seen, state: State | None = None, limits: Limits = LIMITS, **more: object
) -> Decision | None:
    return decide(state or State(), Look(workers=workers, **more), limits, NOW, random.Random(1))[1]  # type: ignore[arg-type]


def reason(decision: Decision | None) -> tuple[str, Reason] | None:
    return (decision.worker, decision.reason) if isinstance(decision, Replace) else None


def test_a_worker_that_is_well_is_left() -> None:
    assert decided(YOUNG) is None


def test_an_old_worker_is_replaced_and_its_age_said() -> None:
    decision = decided(YOUNG, OLD)
    assert decision == Replace("camera-2", Reason.LIFETIME, "25.0 h old")


def test_frames_count_too() -> None:
    limits = replace(LIMITS, frames=1000)
    assert reason(decided(replace(YOUNG, frames=1000), limits=limits)) == ("camera-1", Reason.FRAMES)
    assert decided(replace(YOUNG, frames=700), limits=limits) is None


def test_the_hard_limit_is_acted_on_before_it_is_reached() -> None:
    most = LIMITS.most[Measure.MEMORY]
    assert decided(replace(YOUNG, uss=int(LIMIT_SHARE * most) - 1)) is None
    decision = decided(replace(YOUNG, uss=int(LIMIT_SHARE * most)))
    assert decision == Replace("camera-1", Reason.MEMORY_LIMIT, "900 MB of 1 GB")


def test_memory_of_the_gpu_has_a_hard_limit_as_well() -> None:
    decision = decided(replace(YOUNG, gpu=3_700_000_000))
    assert decision == Replace("camera-1", Reason.MEMORY_LIMIT, "3.7 GB on the GPU of 4 GB")


def test_the_hard_limit_goes_first_then_the_operator_then_leaks_then_age() -> None:
    others = {"requests": {"camera-1": NOW}, "leaks": {"camera-4": (LEAK,)}}
    leaky = replace(YOUNG, name="camera-4")
    assert reason(decided(OLD, leaky, YOUNG, FULL, **others)) == ("camera-3", Reason.MEMORY_LIMIT)
    assert reason(decided(OLD, leaky, YOUNG, **others)) == ("camera-1", Reason.OPERATOR)
    assert reason(decided(OLD, leaky, **others)) == ("camera-4", Reason.LEAK_MEMORY)
    assert reason(decided(OLD, **others)) == ("camera-2", Reason.LIFETIME)


@pytest.mark.parametrize("measure", list(Measure))
def test_each_measure_that_leaks_has_a_reason_of_its_own(measure: Measure) -> None:
    decision = decided(YOUNG, leaks={"camera-1": (replace(LEAK, measure=measure),)})
    assert reason(decision) == ("camera-1", Reason(f"leak_{measure}"))


def test_a_leak_that_is_only_named_or_that_nobody_asked_about_is_left() -> None:
    assert decided(YOUNG, leaks={"camera-1": (replace(LEAK, urgent=False),)}) is None
    assert decided(YOUNG, leaks={"camera-1": (LEAK,)}, limits=replace(LIMITS, leak=False)) is None


def test_nobody_is_replaced_while_another_one_is() -> None:
    assert decided(OLD, FULL, requests={"camera-2": NOW}, under_way=True) is None


def test_a_worker_that_is_not_ready_is_left_to_the_supervisor() -> None:
    assert decided(replace(FULL, ready=False), requests={"camera-3": NOW}) is None


def test_a_worker_that_just_started_is_replaced_for_its_hard_limit_only() -> None:
    started = {"started_at": NOW - FRESH_S + 1}
    limits = replace(LIMITS, frames=10)
    assert decided(replace(YOUNG, frames=99, **started), limits=limits) is None
    assert reason(decided(replace(FULL, **started))) == ("camera-3", Reason.MEMORY_LIMIT)


def test_a_request_is_met_by_the_instance_that_started_after_it() -> None:
    assert reason(decided(YOUNG, requests={"camera-1": NOW - 1})) == ("camera-1", Reason.OPERATOR)
    assert decided(YOUNG, requests={"camera-1": YOUNG.started_at - 1}) is None
    assert decided(YOUNG, requests={"camera-9": NOW}) is None


def test_where_there_is_no_room_for_two_it_is_said_once_and_the_next_one_is_looked_at() -> None:
    look = Look(workers=(FULL, OLD), available=500_000_000)
    state, first = decide(State(), look, LIMITS, NOW, random.Random(1))
    assert isinstance(first, Postpone)
    assert first.reason is Reason.MEMORY_LIMIT
    assert first.why == "no room for two: 500 MB of memory available, 1.08 GB needed"
    state, second = decide(state, look, LIMITS, NOW + 5, random.Random(1))
    assert reason(second) == ("camera-2", Reason.LIFETIME)
    _, third = decide(state, replace(look, available=2 * GB), LIMITS, NOW + 10, random.Random(1))
    assert reason(third) == ("camera-3", Reason.MEMORY_LIMIT)


def test_the_gpu_must_have_room_for_two_as_well() -> None:
    decision = decided(replace(OLD, gpu=2 * GB), gpu_available=GB)
    assert isinstance(decision, Postpone)
    assert "GPU memory" in decision.why


def test_what_cannot_be_handed_over_is_waited_for() -> None:
    look = Look(workers=(replace(FULL, movable=False),))
    state, decision = decide(State(), look, LIMITS, NOW, random.Random(1))
    assert isinstance(decision, Postpone)
    assert decide(state, look, LIMITS, NOW + 5, random.Random(1))[1] is None
    movable = replace(look, workers=(FULL,))
    assert reason(decide(state, movable, LIMITS, NOW + 10, random.Random(1))[1]) is not None


def test_a_replacement_that_failed_is_not_tried_again_at_once() -> None:
    look = Look(workers=(FULL,))
    state, _ = decide(State(), look, LIMITS, NOW, random.Random(1))
    assert decide(state, look, LIMITS, NOW + AGAIN_S - 1, random.Random(1))[1] is None
    assert decide(state, look, LIMITS, NOW + AGAIN_S, random.Random(1))[1] is not None


def test_one_that_leaks_as_fast_as_before_is_given_up_once_and_its_hard_limit_holds() -> None:
    again = replace(LEAK, before=25e6)
    look = Look(workers=(YOUNG,), leaks={"camera-1": (again,)})
    state, decision = decide(State(), look, LIMITS, NOW, random.Random(1))
    assert isinstance(decision, GiveUpChurning)
    assert decision.detail == "20 MB an hour, 35 h to the limit; 25 MB before it was replaced"
    for later in range(10):
        state, decision = decide(state, look, LIMITS, NOW + 700 * later, random.Random(1))
        assert decision is None
    full = replace(look, workers=(replace(YOUNG, uss=950_000_000),))
    assert reason(decide(state, full, LIMITS, NOW + 9000, random.Random(1))[1]) == (
        "camera-1",
        Reason.MEMORY_LIMIT,
    )


def test_one_that_leaks_far_slower_than_before_is_replaced() -> None:
    decision = decided(YOUNG, leaks={"camera-1": (replace(LEAK, before=50e6),)})
    assert reason(decision) == ("camera-1", Reason.LEAK_MEMORY)


def test_giving_up_outlasts_the_instance_and_ends_with_one_that_does_not_leak() -> None:
    again = replace(LEAK, before=25e6)
    look = Look(workers=(YOUNG,), leaks={"camera-1": (again,)})
    state, _ = decide(State(), look, LIMITS, NOW, random.Random(1))
    state, _ = decide(state, Look(workers=()), LIMITS, NOW + 5, random.Random(1))
    newer = (replace(YOUNG, started_at=NOW + 10),)
    state, decision = decide(state, replace(look, workers=newer), LIMITS, NOW + 9000, random.Random(1))
    assert decision is None
    well = {"camera-1": (replace(LEAK, named=False, urgent=False),)}
    state, _ = decide(state, Look(workers=newer, leaks=well), LIMITS, NOW + 9100, random.Random(1))
    leaks = {"camera-1": (LEAK,)}
    decision = decide(state, Look(workers=newer, leaks=leaks), LIMITS, NOW + 9200, random.Random(1))[1]
    assert reason(decision) == ("camera-1", Reason.LEAK_MEMORY)


# ---- nodes that run for days


@dataclass
class Simulated:
    """A node whose replacements take ``warm_s``; what was decided, with its time."""

    workers: list[Seen]
    limits: Limits
    warm_s: float = 20.0
    log: list[tuple[float, Decision]] = field(default_factory=list)
    highest: int = 0

    def run(self, hours: float, every: float, grow: float = 0.0) -> None:
        state, rng, ready_at, pending = State(), random.Random(4), 0.0, ""
        now = NOW
        while now < NOW + hours * HOUR:
            if pending and now >= ready_at:
                self.workers = [self._turned(each, pending, now) for each in self.workers]
                pending = ""
            self.workers = [
                replace(each, uss=(each.uss or 0) + int(grow * every / HOUR)) for each in self.workers
            ]
            self.highest = max(self.highest, *(seen.uss or 0 for seen in self.workers))
            look = Look(workers=tuple(self.workers), under_way=bool(pending))
            state, decision = decide(state, look, self.limits, now, rng)
            if decision is not None:
                self.log.append((now, decision))
            if isinstance(decision, Replace):
                assert not pending
                pending, ready_at = decision.worker, now + self.warm_s
            now += every

    def _turned(self, seen: Seen, name: str, now: float) -> Seen:
        return replace(seen, started_at=now, uss=300_000_000) if seen.name == name else seen

    def replaced(self) -> Iterator[tuple[float, Replace]]:
        return ((at, each) for at, each in self.log if isinstance(each, Replace))


def started_together(count: int) -> list[Seen]:
    return [
        Seen(name=f"camera-{number}", kind=Kind.CAMERA, started_at=NOW, uss=300_000_000)
        for number in range(count)
    ]


def test_workers_that_started_together_are_replaced_one_by_one_within_their_lifetime() -> None:
    node = Simulated(started_together(16), replace(LIMITS, most={}))
    node.run(hours=75, every=60)
    first = dict.fromkeys(each.name for each in node.workers)
    times = [at for at, _ in node.replaced()]
    for at, each in node.replaced():
        if first[each.worker] is None:
            first[each.worker] = at
    assert all(at is not None and 17.9 * HOUR <= at - NOW <= 24.1 * HOUR for at in first.values())
    assert all(later - sooner >= LIMITS.apart for sooner, later in pairwise(times))
    assert 16 * 3 <= len(times) <= 16 * 4


def test_workers_that_all_fill_up_at_once_are_replaced_before_any_passes_its_limit() -> None:
    node = Simulated(started_together(16), LIMITS)
    node.run(hours=6, every=10, grow=400e6)
    assert node.highest < LIMITS.most[Measure.MEMORY]
    assert {each.reason for _, each in node.replaced()} == {Reason.MEMORY_LIMIT}


seen_values = st.builds(
    Seen,
    name=st.sampled_from(["camera-1", "camera-2", "inference-1"]),
    kind=st.sampled_from(list(Kind)),
    started_at=st.floats(NOW - 50 * HOUR, NOW),
    frames=st.integers(0, 2000),
    uss=st.none() | st.integers(0, 2 * GB),
    gpu=st.none() | st.integers(0, 8 * GB),
    ready=st.booleans(),
    movable=st.booleans(),
)
leak_values = st.builds(
    Leak,
    measure=st.sampled_from(list(Measure)),
    slope_per_hour=st.floats(0, 1e9),
    lower=st.floats(0, 1e9),
    forecast_s=st.floats(0, 1e6),
    named=st.booleans(),
    urgent=st.booleans(),
    before=st.none() | st.floats(0, 1e9),
)
names = st.sampled_from(["camera-1", "camera-2", "inference-1"])
looks = st.builds(
    Look,
    workers=st.lists(seen_values, max_size=3, unique_by=lambda seen: seen.name).map(tuple),
    leaks=st.dictionaries(names, st.lists(leak_values, max_size=3).map(tuple)),
    available=st.none() | st.integers(0, 4 * GB),
    gpu_available=st.none() | st.integers(0, 16 * GB),
    under_way=st.booleans(),
    requests=st.dictionaries(names, st.floats(NOW - 100 * HOUR, NOW)),
)


@given(looks=st.lists(looks, min_size=1, max_size=4), seed=st.integers(0, 9))
def test_whatever_is_seen_only_what_is_ready_movable_and_fits_is_replaced(
    looks: list[Look], seed: int
) -> None:
    state, rng = State(), random.Random(seed)
    limits = replace(LIMITS, frames=1000)
    for step, look in enumerate(looks):
        state, decision = decide(state, look, limits, NOW + 5 * step, rng)
        assert not (look.under_way and decision is not None)
        if isinstance(decision, Replace):
            seen = next(each for each in look.workers if each.name == decision.worker)
            assert seen.ready
            assert seen.movable
            assert look.available is None or look.available >= (seen.uss or 0)


@given(look=looks, seed=st.integers(0, 9))
def test_whatever_else_is_wanted_a_hard_limit_wins(look: Look, seed: int) -> None:
    look = replace(look, workers=(*look.workers, replace(FULL, gpu=None)), under_way=False, available=None)
    look = replace(
        look, workers=tuple(replace(each, movable=True) for each in look.workers), gpu_available=None
    )
    decision = decide(State(), look, replace(LIMITS, frames=1000), NOW, random.Random(seed))[1]
    assert isinstance(decision, Replace)
    assert decision.reason is Reason.MEMORY_LIMIT


@given(looks=st.lists(looks, min_size=2, max_size=6), seed=st.integers(0, 9))
def test_nothing_is_put_off_twice_in_the_same_words(looks: list[Look], seed: int) -> None:
    state, rng, said = State(), random.Random(seed), []
    workers = looks[0].workers
    for step, look in enumerate(looks):
        state, decision = decide(state, replace(look, workers=workers), LIMITS, NOW + 5 * step, rng)
        if isinstance(decision, Postpone):
            said.append((decision.worker, decision.reason, decision.why.split(":")[0], "GPU" in decision.why))
    assert len(said) == len(set(said))
