"""Weak boxes that are alike, and unlike what was there before, are noticed as something new."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.quality.review.novelty import Novelty, NoveltySettings, UnreadableNovelty

QUICK = NoveltySettings(learn=288)
EVERY_S = 30.0
"""Between two frames here. A cell counts once in five minutes, so it matters little."""
DAY_S = 86_400.0


@dataclass
class Yard:
    """People and cars on their ways, some of them weak; a little noise, by night thrice as much of another
    kind. ``new``: visits an hour of something nobody knows, which the detector takes for a weak 17."""

    seed: int = 1
    novelty: Novelty = field(default_factory=lambda: Novelty(QUICK))
    at: float = 1_700_000_000.0
    offered: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def passes(self, seconds: float, *, new: float = 0.0) -> None:
        for _ in range(int(seconds / EVERY_S)):
            boxes, kinds = self._usual()
            if self.rng.random() < new * EVERY_S / 3600:
                boxes.append(self._box(0.62, 0.4, 0.06, 0.05))
                kinds.append(17)
            found = self._frame(boxes, kinds)
            if found:
                self.offered.append(self.at)
            self.at += EVERY_S

    def _frame(self, boxes: list[NDArray[np.float64]], kinds: list[int]) -> int:
        if not boxes:
            return self.novelty.frame(self.at, *_nothing())
        confidence = self.rng.uniform(0.06, 0.49, len(boxes)).astype(np.float32)
        return self.novelty.frame(self.at, np.array(boxes, np.float32), np.array(kinds, np.int32), confidence)

    def _usual(self) -> tuple[list[NDArray[np.float64]], list[int]]:
        rng, boxes, kinds = self.rng, [], []
        night = (self.at % DAY_S) > 0.75 * DAY_S
        for _ in range(rng.poisson(0.15 if night else 0.5)):
            way = rng.integers(3)
            along = rng.random()
            size = 0.04 + 0.1 * along
            boxes.append(self._box(0.1 + 0.8 * along, 0.3 + 0.15 * way + 0.1 * along, size, 2 * size))
            kinds.append(int(rng.choice([0, 0, 2, 7])))
        for _ in range(rng.poisson(0.3 if night else 0.1)):
            boxes.append(self._box(rng.random(), rng.random(), 0.02 + 0.1 * rng.random(), 0.05))
            kinds.append(int(rng.integers(20, 40) if night else rng.integers(0, 20)))
        return boxes, kinds

    def _box(self, x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
        x, y = (each + self.rng.normal(0, 0.01) for each in (x, y))
        width, height = (each * np.exp(self.rng.normal(0, 0.15)) for each in (width, height))
        return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def _nothing() -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    return np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32)


def offers(times: list[float], apart: float = 1800.0) -> int:
    """As many as the budget of two an hour lets through."""
    kept: list[float] = []
    for at in times:
        if not kept or at - kept[-1] >= apart:
            kept.append(at)
    return len(kept)


@pytest.fixture(scope="module")
def usual() -> Yard:
    """Six days of what is usual."""
    yard = Yard()
    yard.passes(4 * DAY_S)
    return yard


def test_what_is_usual_is_offered_less_than_once_a_day(usual: Yard) -> None:
    assert offers(usual.offered) <= 3, "three days after the first"


def test_something_new_is_offered_within_hours_and_is_usual_after_a_day_or_two() -> None:
    yard = Yard(seed=2)
    yard.passes(2 * DAY_S)
    before, began = len(yard.offered), yard.at
    yard.passes(DAY_S / 2, new=6.0)
    fresh = yard.offered[before:]
    assert fresh
    assert fresh[0] - began < 4 * 3600
    assert offers(fresh) >= 3
    yard.passes(2 * DAY_S, new=6.0)
    known = len(yard.offered)
    yard.passes(DAY_S / 2, new=6.0)
    assert offers(yard.offered[known:]) <= 1


def test_nothing_is_new_while_everything_is() -> None:
    yard = Yard(seed=3)
    yard.passes(0.9 * DAY_S, new=12.0)
    assert yard.novelty.learnt < 1
    assert not yard.offered


def test_one_that_stays_in_the_same_five_minutes_is_no_cluster() -> None:
    novelty = Novelty(NoveltySettings(learn=1))
    box = np.array([[0.1, 0.1, 0.2, 0.2]], np.float32), np.array([3], np.int32), np.array([0.2], np.float32)
    assert [novelty.frame(1e6 + second, *box) for second in range(100)] == [0] * 100


def test_strong_boxes_are_nobodys_news() -> None:
    novelty = Novelty(NoveltySettings(learn=1))
    box = np.array([[0.1, 0.1, 0.2, 0.2]], np.float32), np.array([3], np.int32)
    for slot in range(20):
        assert novelty.frame(1e6 + 300 * slot, *box, np.array([0.9], np.float32)) == 0


def test_it_goes_on_where_it_was(usual: Yard) -> None:
    data = usual.novelty.to_bytes()
    again = Novelty.from_bytes(data, QUICK)
    assert again.learnt == 1.0
    assert again.to_bytes() == data
    for broken in (b"", data[:100], data.replace(b"version\x01", b"version\x07")):
        with pytest.raises(UnreadableNovelty):
            Novelty.from_bytes(broken)


boxes = st.lists(
    st.tuples(*[st.floats(-2, 3, width=32)] * 4, st.integers(0, 200), st.floats(0, 1, width=32)), max_size=30
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1e7), boxes), max_size=10))
def test_whatever_comes_memory_stays_the_same(frames: list[tuple[float, list[tuple[float, ...]]]]) -> None:
    novelty = Novelty(NoveltySettings(learn=1))
    for at, some in frames:
        table = np.array(some, np.float64).reshape(-1, 6)
        found = novelty.frame(
            at, table[:, :4].astype(np.float32), table[:, 4].astype(np.int32), table[:, 5].astype(np.float32)
        )
        assert 0 <= found <= len(some)
    assert novelty.nbytes == 65_536
    assert all(len(met) <= 512 for met in novelty._met)
