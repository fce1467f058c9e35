"""Which frames are kept: as many as wanted, with probabilities that are true."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.quality.review.chance import chance
from vedette.quality.review.sampling import (
    Period,
    Reason,
    Signs,
    Targeted,
    TargetedSettings,
    Uniform,
    UniformSettings,
    flickers,
    weak_boxes,
)

HOUR = 3600.0


def test_chance_is_even_and_can_be_repeated() -> None:
    drawn = [chance(1, "gate", number) for number in range(20_000)]
    assert drawn == [chance(1, "gate", number) for number in range(20_000)]
    assert [chance(2, "gate", number) for number in range(20_000)] != drawn
    assert all(0 <= each < 1 for each in drawn)
    tenths = Counter(int(each * 10) for each in drawn)
    assert all(1800 < tenths[tenth] < 2200 for tenth in range(10))
    assert chance(1, "a", "b") != chance(1, "ab")


def kept(uniform: Uniform, times: list[float], camera: str = "gate") -> list[tuple[float, float]]:
    drawn = ((at, uniform.draw(camera, at)) for at in times)
    return [(at, probability) for at, probability in drawn if probability is not None]


def test_a_camera_keeps_as_many_as_it_may() -> None:
    per_day = [
        len(kept(Uniform(UniformSettings(per_hour=4), seed), [float(at) for at in range(86_400)][::2]))
        for seed in range(4)
    ]
    assert sum(per_day) / 4 == pytest.approx(96, rel=0.15)


def test_a_burst_of_frames_cannot_overrun_the_budget() -> None:
    """Two minutes of 100 times as many frames: what is kept grows with the logarithm."""
    settings, expected = UniformSettings(per_hour=60, period=600), []
    for seed in range(5):
        uniform = Uniform(settings, seed)
        kept(uniform, [number * 10.0 for number in range(300)])
        kept(uniform, [3000 + number * 0.1 for number in range(6000)])
        uniform.forget("gate")
        expected.append(uniform.closed()[-1].expected)
    assert max(expected) < 10 * (1 + math.log(100)) + 1


def test_what_is_counted_is_right_on_average_whatever_is_in_the_frames() -> None:
    """Horvitz and Thompson, with a camera whose rate jumps, and objects that come when it does."""
    rng = random.Random(7)
    times: list[float] = []
    at = 0.0
    while at < 4 * HOUR:
        busy = 3600 <= at < 4200
        at += 0.25 if busy else 4.0
        times.append(at)
    objects = {each: (5 if 3600 <= each < 4200 else 1) * (rng.random() < 0.3) for each in times}
    truth = sum(objects.values())
    estimates = []
    for seed in range(80):
        uniform = Uniform(UniformSettings(per_hour=60), seed)
        estimates.append(sum(objects[each] / p for each, p in kept(uniform, times)))
    mean = sum(estimates) / len(estimates)
    deviation = math.sqrt(sum((each - mean) ** 2 for each in estimates) / (len(estimates) - 1))
    assert abs(mean - truth) < 3.5 * deviation / math.sqrt(len(estimates))
    assert deviation < 0.5 * truth


def test_the_probability_does_not_depend_on_what_was_drawn() -> None:
    times = [number * 0.7 for number in range(5000)]
    by_seed = [dict(kept(Uniform(UniformSettings(per_hour=600), seed), times)) for seed in (1, 2)]
    both = by_seed[0].keys() & by_seed[1].keys()
    assert both
    assert all(by_seed[0][at] == by_seed[1][at] for at in both)


@settings(max_examples=50, deadline=None)
@given(
    gaps=st.lists(st.floats(0.01, 400), min_size=1, max_size=300),
    per_hour=st.floats(0.1, 500),
    period=st.floats(10, 3600),
)
def test_every_frame_belongs_to_one_period(gaps: list[float], per_hour: float, period: float) -> None:
    uniform = Uniform(UniformSettings(per_hour=per_hour, period=period), 3)
    at, drawn = 0.0, []
    for gap in gaps:
        at += gap
        drawn.append(uniform.draw("gate", at))
    assert all(each is None or 0 < each <= 1 for each in drawn)
    uniform.end()
    closed = uniform.closed()
    assert uniform.closed() == []
    assert sum(each.frames for each in closed) == len(gaps)
    assert sum(each.kept for each in closed) == len([each for each in drawn if each is not None])
    assert all(each.expected <= each.frames for each in closed)
    assert len({each.start for each in closed}) == len(closed)


def test_a_clock_that_was_far_ahead_puts_nothing_off() -> None:
    year, now = 365 * 86_400.0, 1_800_000_000.0
    uniform = Uniform(UniformSettings(per_hour=60, expected=600), 1)
    for start in (now, now - year, now - year + 86_400):
        taken = sum(uniform.draw("gate", start + second) is not None for second in range(86_400))
        assert 1000 < taken < 2000, "about 1440 a day"
    targeted = Targeted(TargetedSettings())
    signs = Signs(suspected=True)
    found = [targeted.reason("gate", at, signs) for at in (now, now - year, now - year + 3600)]
    assert found == [Reason.SUSPECTED_LOSS] * 3


def test_a_clock_that_is_set_back_stays_in_its_period() -> None:
    uniform = Uniform(UniformSettings(period=600), 1)
    for at in (1000.0, 1001.0, 500.0, 1300.0):
        uniform.draw("gate", at)
    assert uniform.closed() == [
        Period("gate", 600.0, 600.0, 3, pytest.approx(0, abs=3), pytest.approx(0.6, abs=0.1))
    ]


def test_many_cameras_share_what_the_node_may_keep() -> None:
    uniform = Uniform(UniformSettings(per_hour=4, node_per_hour=40, period=600), 5)
    cameras = [f"camera{number}" for number in range(100)]
    count = 0
    for at in range(0, 8 * 3600, 20):
        count += sum(
            uniform.draw(camera, at + number / 1000) is not None for number, camera in enumerate(cameras)
        )
    assert count / 8 < 80, "40, and what the first period costs in which nothing is known"


# ---- targeted


def reasons(targeted: Targeted, signs: Signs, times: list[float], camera: str = "gate") -> list[Reason]:
    return [reason for at in times if (reason := targeted.reason(camera, at, signs))]


def test_a_frame_without_signs_is_not_kept() -> None:
    assert reasons(Targeted(TargetedSettings()), Signs(), [float(at) for at in range(1000)]) == []


def test_the_first_reason_is_the_most_pressing() -> None:
    signs = Signs(suspected=True, unseen=True, new_objects=1, disagreements=1, flickers=1, weak=9)
    targeted = Targeted(TargetedSettings(per_hour=dict.fromkeys(Reason, 1.0), apart=0.0))
    assert reasons(targeted, signs, [float(at) for at in range(10)]) == [
        *(Reason.SUSPECTED_LOSS, Reason.UNSEEN_CONDITIONS, Reason.NEW_OBJECTS),
        *(Reason.MODEL_DISAGREES, Reason.TRACK_DISAGREES),
    ], "each has one an hour; nine weak boxes are usual here"


def test_frames_of_a_camera_lie_apart() -> None:
    targeted = Targeted(TargetedSettings(apart=20))
    kept_at = [at for at in range(200) if targeted.reason("gate", float(at), Signs(suspected=True))]
    assert kept_at[:3] == [0, 20, 40]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    per_hour=st.floats(0.5, 20),
    camera_per_hour=st.floats(1, 30),
    node_per_hour=st.floats(1, 60),
)
def test_no_budget_is_overrun(
    seed: int, per_hour: float, camera_per_hour: float, node_per_hour: float
) -> None:
    rng = random.Random(seed)
    targeted = Targeted(
        TargetedSettings(dict.fromkeys(Reason, per_hour), camera_per_hour, node_per_hour, apart=0.0)
    )
    at, found = 0.0, []
    for _ in range(1500):
        at += rng.random() * 20
        camera = rng.choice(["a", "b", "c"])
        signs = Signs(suspected=rng.random() < 0.5, unseen=rng.random() < 0.5, flickers=rng.randrange(2))
        if reason := targeted.reason(camera, at, signs):
            found.append((camera, reason))
    hours = at / HOUR

    def most(rate: float) -> float:
        return max(1.0, rate) + rate * hours + 1e-6

    assert len(found) <= most(node_per_hour)
    assert all(count <= most(camera_per_hour) for count in Counter(camera for camera, _ in found).values())
    assert all(count <= most(per_hour) for count in Counter(found).values())


def test_a_reason_without_a_budget_is_none() -> None:
    targeted = Targeted(TargetedSettings(per_hour={Reason.NEW_OBJECTS: 1.0}))
    assert targeted.reason("gate", 0.0, Signs(suspected=True)) is None
    assert targeted.reason("gate", 0.0, Signs(suspected=True, new_objects=1)) is Reason.NEW_OBJECTS


def test_many_weak_boxes_are_more_than_this_camera_usually_has() -> None:
    """One with a busy background has ten in every frame; that is no reason."""
    rng = random.Random(1)
    targeted = Targeted(TargetedSettings(per_hour={Reason.WEAK_BOXES: 1e6}, apart=0.0))
    busy = [targeted.reason("busy", float(at), Signs(weak=rng.randrange(8, 13))) for at in range(4000)]
    assert sum(each is not None for each in busy[2000:]) < 100
    assert targeted.reason("busy", 5000.0, Signs(weak=25)) is Reason.WEAK_BOXES
    quiet = [targeted.reason("quiet", float(at), Signs(weak=0)) for at in range(1000)]
    assert not any(quiet)
    assert targeted.reason("quiet", 5000.0, Signs(weak=2)) is None, "two are never many"
    assert targeted.reason("quiet", 5001.0, Signs(weak=4)) is Reason.WEAK_BOXES


def test_what_a_camera_used_up_is_forgotten_with_it() -> None:
    targeted = Targeted(TargetedSettings(per_hour={Reason.NEW_OBJECTS: 1.0}))
    assert targeted.reason("gate", 0.0, Signs(new_objects=1))
    assert targeted.reason("gate", 60.0, Signs(new_objects=1)) is None
    targeted.forget("gate")
    assert targeted.reason("gate", 60.0, Signs(new_objects=1))


def test_weak_boxes_have_scores_between() -> None:
    assert weak_boxes([0.04, 0.05, 0.3, 0.4999, 0.5, 0.9]) == 3


@pytest.mark.parametrize(
    ("now", "count"),
    [
        ({1: "car", 2: "person"}, 0),
        ({2: "person"}, 1),
        ({1: "truck", 2: "person"}, 1),
        ({}, 2),
        ({3: "dog"}, 2),
    ],
)
def test_a_track_flickers_when_it_misses_a_frame_or_changes_its_class(
    now: dict[int, str], count: int
) -> None:
    before = {1: "car", 2: "person", 9: "car"}
    after = {1: "car", 2: "person", 9: "truck", 4: "person"}
    assert flickers(before, now, after) == count


# ---- targeted frames of cameras that move from worker to worker

SUSPECTED = Signs(suspected=True)
CAMERAS = ("gate", "yard", "dock")


def worker(cameras: int, **more: float) -> Targeted:
    """One with so many of three cameras, which share thirty frames an hour."""
    return Targeted(TargetedSettings(node_per_hour=10.0 * cameras, apart=0.0, **more))


def watches(targeted: Targeted, camera: str, at: float) -> bool:
    """A frame is looked at; whether it is kept."""
    targeted.many_weak(camera, 0)
    return targeted.choose(camera, at, SUSPECTED, many_weak=False) is not None


def test_what_is_left_of_a_budget_goes_along_when_a_camera_moves() -> None:
    one, other = worker(3, camera_per_hour=4.0), worker(0, camera_per_hour=4.0)
    assert sum(watches(one, "gate", HOUR + second) for second in range(100)) == 4
    other.go_on("gate", one.left("gate"))
    one.forget("gate")
    assert not any(watches(other, "gate", HOUR + second) for second in range(100, 200))
    later = 2 * HOUR + 100
    assert sum(watches(other, "gate", later + second) for second in range(100)) == 4


def test_a_worker_that_replaces_another_has_what_that_one_had_left() -> None:
    one, other = worker(3), worker(0)
    spent = sum(watches(one, camera, HOUR + second) for second in range(5) for camera in CAMERAS)
    assert spent == 15
    for camera in CAMERAS:
        other.go_on(camera, one.left(camera))
        one.forget(camera)
    other.follow(TargetedSettings(node_per_hour=30.0, apart=0.0))
    kept = sum(watches(other, camera, HOUR + 10 + second) for second in range(60) for camera in CAMERAS)
    assert kept == 15


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(CAMERAS), st.integers(0, 2)), max_size=40), st.data())
def test_however_cameras_move_no_more_is_kept_than_there_was_a_budget_for(
    moves: list[tuple[str, int]], data: st.DataObject
) -> None:
    workers = [worker(3), worker(0), worker(0)]
    where = dict.fromkeys(CAMERAS, 0)
    for camera in CAMERAS:
        workers[0].many_weak(camera, 0)
    kept, at = Counter[str](), HOUR
    for camera, to in moves:
        for _ in range(data.draw(st.integers(0, 8))):
            at += 1.0
            for each in CAMERAS:
                kept[each] += watches(workers[where[each]], each, at)
        if to != where[camera]:
            workers[to].go_on(camera, workers[where[camera]].left(camera))
            workers[where[camera]].forget(camera)
            where[camera] = to
    passed = (at - HOUR) / HOUR
    assert all(count <= 12 * (1 + passed) + 1e-6 for count in kept.values())
    assert kept.total() <= 30 * (1 + passed) + 1e-6
