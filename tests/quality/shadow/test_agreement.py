"""How far two detectors agree, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.shadow import agreement
from vedette.quality.shadow.agreement import Tally, agreement_of, summed
from vedette.quality.shadow.compare import Told

told = st.builds(Told, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


def tally(*frames: Told, apart: float = 1.0) -> Tally:
    found = Tally()
    for number, each in enumerate(frames):
        found.add(each, number * apart, 0.02)
    return found


def test_it_is_the_f1_of_one_against_the_other() -> None:
    found = agreement_of([tally(Told(3, 1, 1), Told(3, 1, 1))])
    assert found is not None
    assert found.value == pytest.approx(12 / 16)
    assert found.lower < found.value < found.upper


def test_nothing_found_by_either_says_nothing() -> None:
    assert agreement_of([]) is None
    assert agreement_of([tally(Told(0, 0, 0))]) is None


def test_frames_of_the_same_ten_seconds_are_one_look() -> None:
    crowded = agreement_of([tally(*[Told(1, 0, 0)] * 100, apart=0.05)])
    spread = agreement_of([tally(*[Told(1, 0, 0)] * 100, apart=10.0)])
    assert crowded is not None
    assert spread is not None
    assert (crowded.stretches, spread.stretches) == (1, 100)
    assert crowded.lower < 0.1 < 0.9 < spread.lower


def test_the_interval_holds_where_stretches_differ() -> None:
    """Of 300 hours in which each object is missed with the same probability, by whole stretches."""
    rng, truth, held = np.random.default_rng(1), 0.8, 0
    for _ in range(300):
        frames = []
        for _ in range(200):
            parts = int(rng.binomial(4, truth))
            frames += [Told(parts, 4 - parts, 0)] * 3
        found = agreement_of([tally(*frames, apart=10 / 3)])
        assert found is not None
        # 2·both / (2·both + one side's) of shares p of 4 boxes.
        held += found.lower <= 2 * truth / (1 + truth) <= found.upper
    assert held >= 0.92 * 300


def test_a_long_life_takes_no_more_memory_and_no_box_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "STRETCHES_AT_MOST", 16)
    found = tally(*[Told(1, 1, 0)] * 1000, apart=10.0)
    assert len(found.stretches) <= 16
    assert found.stretch_s == 640.0
    assert sum(parts for parts, _ in found.stretches) == 2000
    assert sum(wholes for _, wholes in found.stretches) == 3000


@given(st.lists(st.lists(told, max_size=30), max_size=4))
def test_all_cameras_together_are_the_sum_of_each(cameras: list[list[Told]]) -> None:
    tallies = [tally(*frames) for frames in cameras]
    in_all, found = summed(tallies), agreement_of(tallies)
    assert in_all.frames == sum(len(frames) for frames in cameras)
    assert in_all.only_candidate == sum(each.only_candidate for frames in cameras for each in frames)
    whole = 2 * in_all.both + in_all.only_running + in_all.only_candidate
    assert (found is None) == (whole == 0)
    if found is not None:
        assert found.value == pytest.approx(2 * in_all.both / whole)
        assert 0 <= found.lower <= found.value <= found.upper <= 1


def test_times_are_told_as_quantiles() -> None:
    found = Tally()
    for number in range(100):
        found.add(Told(0, 0, 0), float(number), 0.1 if number < 90 else 0.4)
    assert found.took(0.5) == pytest.approx(0.1, rel=0.02)
    assert found.took(0.95) == pytest.approx(0.4, rel=0.02)
    assert found.took_s == pytest.approx(13.0)
