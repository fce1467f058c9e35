"""Batch sizes are learnt from what batches cost. Everything in simulated time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.infer.batching import BatchSizer

Cost = Callable[[int], float]
"""Frames in a batch → seconds."""


def cpu(count: int) -> float:
    return 0.010 * count


def gpu(count: int) -> float:
    return 0.004 + 0.001 * count


def tiles_of_four(count: int) -> float:
    return 0.008 * -(-count // 4)


def thrashing(count: int) -> float:
    """More than fits into some cache: worse than one after the other."""
    return 0.010 * count**2


@dataclass
class Detector:
    """Runs batches as the sizer says. ``scatter``: of the logarithm of what each takes; ``spikes``: the share
    of batches that take ten times as long."""

    sizer: BatchSizer
    cost: Cost
    scatter: float = 0.0
    spikes: float = 0.0
    seed: int = 0
    frames: int = 0
    seconds: float = 0.0
    sizes: Counter[int] = field(default_factory=Counter)

    def run(self, batches: int, waiting: int = 64) -> Detector:
        """Go on for so many batches, counting from here."""
        rng = np.random.default_rng(self.seed)
        factors = np.exp(rng.normal(0, self.scatter, batches))
        factors *= np.where(rng.random(batches) < self.spikes, 10, 1)
        self.frames, self.seconds, self.sizes = 0, 0.0, Counter()
        for factor in factors:
            count = self.sizer.size(waiting)
            took = self.cost(count) * factor
            self.sizer.took(count, took)
            self.frames, self.seconds = self.frames + count, self.seconds + took
            self.sizes[count] += 1
        return self

    @property
    def usual(self) -> int:
        return self.sizes.most_common(1)[0][0]

    def over(self, budget_s: float) -> float:
        """Share of the batches that take longer than the budget by what they cost, chance left out."""
        late = sum(number for size, number in self.sizes.items() if self.cost(size) > budget_s)
        return late / self.sizes.total()


def learnt(cost: Cost, most: int = 16, budget_s: float = 0.05, **noise: float) -> Detector:
    """A detector that has run long enough to know its costs."""
    return Detector(BatchSizer(most, budget_s), cost, **noise).run(4000)  # type: ignore[arg-type]


@pytest.mark.parametrize("scatter", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("cost", [cpu, thrashing])
def test_one_frame_at_a_time_where_more_buys_nothing(cost: Cost, scatter: float) -> None:
    for seed in range(5):
        detector = learnt(cost, scatter=scatter, spikes=0.02, seed=seed)
        assert detector.sizes[1] > 0.9 * detector.sizes.total()


@pytest.mark.parametrize(
    ("cost", "budget_s", "best"),
    [
        (gpu, 0.05, 16),
        (gpu, 0.013, 8),  # 8 take 12 ms
        (gpu, 0.011, 4),
        (gpu, 0.001, 1),  # even one takes longer, but something must run
        (tiles_of_four, 0.05, 4),  # 8 take twice as long as 4
        (tiles_of_four, 0.004, 1),
        (lambda count: 0.02 + 0.0001 * count, 0.05, 16),
    ],
)
def test_the_biggest_batch_that_pays_and_keeps_the_budget(cost: Cost, budget_s: float, best: int) -> None:
    assert learnt(cost, budget_s=budget_s).run(2000).usual == best


@pytest.mark.parametrize("scatter", [0.1, 0.3])
def test_learns_the_same_from_noisy_costs(scatter: float) -> None:
    for seed in range(5):
        assert learnt(gpu, scatter=scatter, spikes=0.02, seed=seed).run(2000).usual >= 8
        assert learnt(tiles_of_four, scatter=scatter, spikes=0.02, seed=seed).run(2000).usual in (4, 8)


@pytest.mark.parametrize("cost", [cpu, gpu, tiles_of_four, thrashing])
def test_learning_costs_less_than_two_percent_of_the_throughput(cost: Cost) -> None:
    detector = learnt(cost).run(5000)
    best = detector.usual / cost(detector.usual)
    assert detector.frames / detector.seconds > 0.98 * best


def test_learning_that_a_batch_is_of_no_use_costs_less_than_two_percent_from_the_start() -> None:
    detector = Detector(BatchSizer(16, 0.05), thrashing).run(1000)
    assert detector.frames / detector.seconds > 0.98 * 100


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.0001, 0.05), st.floats(0.0001, 0.02), st.floats(0.005, 0.1), st.sampled_from([1, 2, 5, 8, 32])
)
def test_the_budget_holds_once_costs_are_known(start: float, each: float, budget_s: float, most: int) -> None:
    detector = learnt(lambda count: start + each * count, most, budget_s).run(2000)
    if start + each <= budget_s:
        assert detector.over(budget_s) < 0.002
    else:
        assert detector.sizes[1] > 0.99 * detector.sizes.total()


@pytest.mark.parametrize("cost", [cpu, gpu, tiles_of_four])
def test_a_single_slow_batch_changes_nothing(cost: Cost) -> None:
    quiet, shaken = learnt(cost), learnt(cost)
    for batch in range(700):
        count = shaken.sizer.size(64)
        assert count == quiet.sizer.size(64)
        quiet.sizer.took(count, cost(count))
        shaken.sizer.took(count, cost(count) * (10 if batch % 100 == 42 else 1))


def test_a_crowd_makes_batches_smaller_and_its_leaving_makes_them_bigger_again() -> None:
    detector = learnt(gpu, budget_s=0.025)
    assert detector.run(200).usual == 16
    detector.cost = lambda count: 3 * gpu(count)
    detector.run(30)
    assert detector.run(500).usual == 4  # 24 ms
    assert detector.over(0.025) < 0.01
    detector.cost = gpu
    assert detector.run(300).usual == 16


def test_a_scene_that_fills_slowly_is_not_taken_for_a_batch_that_does_not_pay() -> None:
    detector = learnt(gpu, budget_s=0.2)
    for crowd in np.linspace(1, 6, 40):
        detector.cost = lambda count, crowd=crowd: crowd * gpu(count)
        assert detector.run(50).usual == 16


def test_a_device_that_changes_for_good_is_learnt_anew() -> None:
    detector = learnt(gpu)
    detector.cost = cpu
    detector.run(20_000)
    assert detector.run(1000).usual == 1
    detector.cost = gpu
    detector.run(60_000)
    assert detector.run(1000).usual == 16


@given(st.integers(1, 20), st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(0, 99))
def test_never_more_than_wait_nor_than_allowed(most: int, waiting: list[int], seed: int) -> None:
    sizer, rng = BatchSizer(most, 0.05), np.random.default_rng(seed)
    for frames in waiting * 5:
        count = sizer.size(frames)
        assert 1 <= count <= max(1, min(frames, most))
        sizer.took(count, float(rng.exponential(0.01)))


def test_a_number_between_two_sizes_is_taken_where_it_pays() -> None:
    assert learnt(gpu).run(300, waiting=7).usual == 7
    four_fit = learnt(lambda count: 0.008 if count <= 4 else 0.014, 8)
    four_fit.run(400, waiting=5)
    assert four_fit.run(300, waiting=5).usual == 4


def test_bigger_batches_are_tried_only_when_enough_frames_wait() -> None:
    detector = Detector(BatchSizer(16, 0.05), gpu)
    assert set(detector.run(1000, waiting=1).sizes) == {1}
    assert detector.run(1000, waiting=3).usual == 3


def test_expected_times_are_those_measured() -> None:
    sizer = learnt(gpu).sizer
    for count in (1, 2, 4, 8, 16):
        assert sizer.expected_s(count) == pytest.approx(gpu(count), rel=0.01)
    assert BatchSizer(4, 0.05).expected_s(1) is None


def test_what_cannot_be_is_refused() -> None:
    for most, budget_s in ((0, 0.05), (4, 0.0), (4, float("nan"))):
        with pytest.raises(ValueError, match="a batch holds at least 1 frame and takes time"):
            BatchSizer(most, budget_s)
