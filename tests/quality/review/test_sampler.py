"""Which studied frames of a worker are kept, and of how many they are a part."""

from __future__ import annotations

import gc
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.review.counts import PERIOD_S, PERIODS_AT_MOST, Counts
from vedette.quality.review.sampler import CANDIDATES_AT_MOST, Orders, Sampler
from vedette.quality.review.sampling import Period, Reason, Signs

START = 1_700_000_400.0
assert START % PERIOD_S == 0


def orders(**changed: object) -> Orders:
    made: dict[str, object] = {
        "seed": 7,
        "per_hour": 60.0,
        "expected": 600.0,
        "by_reason": {"suspected_loss": 12.0, "weak_boxes": 1.0, "track_disagrees": 1.0},
        "camera_per_hour": 12.0,
        "worker_per_hour": 100.0,
        "redact": [],
        "quality": 90,
    }
    return Orders(**(made | changed))  # type: ignore[arg-type]


def test_what_is_drawn_is_fixed_before_anybody_looks() -> None:
    first, again = Sampler(orders()), Sampler(orders())
    asked = [first.asks("gate", START + second) for second in range(600)]
    assert [(each.probability, each.drawn) for each in asked] == [
        (each.probability, each.drawn) for each in (again.asks("gate", START + s) for s in range(600))
    ]
    assert any(each.drawn for each in asked)
    assert all(each.picture for each in asked if each.drawn)


def test_many_cameras_that_begin_together_do_not_all_keep_their_first_frame() -> None:
    sampler = Sampler(orders(per_hour=0.4))
    first = [sampler.asks(f"cam{number}", START) for number in range(1000)]
    assert all(each.probability == pytest.approx(0.4 / 6 / 600) for each in first)
    assert sum(each.drawn for each in first) <= 3


def test_frames_that_come_to_nothing_do_not_make_the_next_ones_rarer() -> None:
    sampler = Sampler(orders(expected=0.0))
    failed = [sampler.asks("gate", START + number).probability for number in range(5)]
    assert set(failed) == {1.0}
    for number in range(5, 40):
        asked = sampler.asks("gate", START + number)
        sampler.analysed("gate", asked, 0)
    assert asked.probability == pytest.approx(10 / 35)


def test_a_camera_that_moves_is_drawn_at_the_same_rate_where_it_comes_to() -> None:
    one, other = Sampler(orders()), Sampler(orders())
    for second in range(900):
        one.analysed("gate", one.asks("gate", START + second), 0)
    before = one.asks("gate", START + 900)
    other.go_on("gate", one.left("gate"))
    after = other.asks("gate", START + 900)
    assert (after.probability, after.drawn) == (before.probability, before.drawn)
    for second in range(900, 1300):
        other.analysed("gate", other.asks("gate", START + second), 0)
    # Both halves of the second period count for the third.
    assert other.asks("gate", START + 1300).probability == pytest.approx(10 / 600)


def test_few_pictures_are_held_back_and_frames_that_are_gone_make_room() -> None:
    sampler = Sampler(orders(per_hour=0.0))
    held = [sampler.asks(f"cam{number}", START) for number in range(20)]
    assert sum(each.picture for each in held) == CANDIDATES_AT_MOST
    del held
    gc.collect()
    assert sampler.asks("cam0", START + 1).picture


def test_a_targeted_frame_is_followed_by_none_for_a_while() -> None:
    sampler = Sampler(orders(per_hour=0.0))
    suspected = Signs(suspected=True)
    asked = sampler.asks("gate", START)
    many = sampler.analysed("gate", asked, 0)
    assert sampler.choose("gate", asked, suspected, many_weak=many) is Reason.SUSPECTED_LOSS
    assert not sampler.asks("gate", START + 10).picture
    assert sampler.asks("gate", START + 20).picture


def test_orders_may_change() -> None:
    sampler = Sampler(orders(per_hour=0.0, worker_per_hour=0.0))
    asked = sampler.asks("gate", START)
    assert sampler.choose("gate", asked, Signs(suspected=True), many_weak=False) is None
    sampler.follow(orders(per_hour=3600.0))
    assert sampler.asks("gate", START + 600).probability == 1.0
    assert sampler.choose("gate", asked, Signs(suspected=True), many_weak=False) is None, "it was spent"
    later = sampler.asks("gate", START + 3600)
    assert sampler.choose("gate", later, Signs(suspected=True), many_weak=False) is Reason.SUSPECTED_LOSS


# ---- counts


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 3000), st.booleans()), max_size=60))
def test_every_frame_counts_once_however_often_they_are_taken_out(
    frames: list[tuple[str, float, bool]],
) -> None:
    counts, taken, rng = Counts(), [], random.Random(1)
    for camera, at, kept in frames:
        counts.frame(camera, at, 0.25)
        if kept:
            counts.kept(camera, at)
        if rng.random() < 0.3:
            periods = counts.take()
            if rng.random() < 0.5:
                counts.give_back(periods)
            else:
                taken += periods
    taken += counts.take()
    assert not counts.take()
    for camera in ("a", "b"):
        mine = [each for each in frames if each[0] == camera]
        told = [each for each in taken if each.camera == camera]
        assert sum(each.frames for each in told) == len(mine)
        assert sum(each.kept for each in told) == sum(kept for _, _, kept in mine)
        assert sum(each.expected for each in told) == pytest.approx(0.25 * len(mine))
        for _, at, _ in mine:
            assert any(each.start <= at < each.start + each.seconds for each in told)


def test_what_cannot_be_written_down_for_days_takes_no_more_memory() -> None:
    counts = Counts()
    for number in range(PERIODS_AT_MOST + 10):
        counts.frame("gate", number * PERIOD_S, 0.1)
    periods = counts.take()
    assert len(periods) == PERIODS_AT_MOST
    assert Period("gate", 0.0, PERIOD_S, 1, 0, 0.1) not in periods
