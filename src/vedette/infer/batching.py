"""How many frames to put in a batch, learnt from what batches cost: pure, and without a clock.

A bigger batch is worth having only where it buys something. On a CPU a batch of four takes four times as
long as one frame: nothing is won, and the first of the four is answered last. On a GPU most of a small
batch's time is spent on starting it, so that four take little longer than one.

Two things are learnt apart, because they change apart:

- the *shape*: what a frame costs in a batch of some size, relative to the next smaller size (``gain``). Both
  are measured within moments of each other, so a scene that fills or a device that slows down cancels out.
  It hardly ever changes.
- the *level*: what one frame by itself would cost now, from the last few batches of any size. It follows the
  scene and the device's clock.

Both are medians, so one slow batch among them changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

__all__ = ["BatchSizer"]

WORTH = 0.90
"""A bigger batch must bring the cost of a frame below this part of the next smaller size's …"""

STILL_WORTH = 0.95
"""… and is kept while it stays below this one: no swinging between two sizes that are much alike."""

SURELY = 0.98
"""Where costs scatter, even the upper end of what the gain may truly be must be below this part: chance makes
a bigger batch look cheaper now and then."""

HEADROOM = 0.95
"""A bigger batch must be expected to take less than this part of the budget; one in use, less than all."""

RECENT = 15
"""Batches that the level is taken from: half of them must be slow before it is."""

GAINS, ENOUGH = 31, 6
"""Measurements of a gain that are kept, and that are needed before it is believed."""

NEIGHBOURS = 5
"""Batches of the next smaller size among the recent ones that a measurement is compared with, at least."""

TRY_EVERY, TRY_SELDOM = 50, 3200
"""Batches from one try of the next bigger size to the next one. While the tries show that it is of no use
they become rarer, down to the second; but never end, because a device may change."""

LOOK_BACK_EVERY = 100
"""Batches after which the next smaller size is measured again, so that what was gained is known."""

_Gains = dict[int, deque[float]]


class BatchSizer:
    """Sizes of batches between 1 and ``most`` frames that take about ``budget_s`` seconds at most.

    To be used by one thread. Sizes in use are 1, 2, 4 … and ``most``; and when fewer frames wait, any number
    between them that costs no more a frame than the smaller of its neighbours.
    """

    def __init__(self, most: int, budget_s: float) -> None:
        if most < 1 or not budget_s > 0:
            raise ValueError(f"a batch holds at least 1 frame and takes time, not {most} and {budget_s} s")
        self._sizes = [*(1 << power for power in range(most.bit_length()) if 1 << power < most), most]
        self._budget_s = budget_s
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT)
        """(frames, seconds a frame)"""
        self._gains: _Gains = {count: deque(maxlen=GAINS) for count in range(2, most + 1)}
        self._batches = 0
        self._measured = dict.fromkeys(self._gains, 0)
        """After how many batches each gain was measured last: too soon again is the same chance twice."""
        self._relative = {1: 1.0}
        """Cost of a frame in a batch of so many, relative to one alone; of the numbers known by now."""
        self._best = 1
        self._since_try = self._since_look_back = self._since_change = 0
        self._try_every = dict.fromkeys(range(1, most + 1), TRY_EVERY)

    def size(self, waiting: int) -> int:
        """How many of ``waiting`` frames (at least 1) to take next; mostly the best size known, now and then
        another one to learn."""
        limit = max(1, min(waiting, self._sizes[-1]))
        usable = self._usable(limit)
        bigger = min(limit, self._above(self._best))
        if bigger > usable == self._best and self._time_to_try(bigger):
            self._since_try = 0
            return bigger
        known = usable == 1 or len(self._gains[usable]) >= ENOUGH
        if usable > 1 and self._since_look_back >= (LOOK_BACK_EVERY if known else TRY_EVERY):
            self._since_look_back = 0
            return self._below(usable)
        return usable

    def took(self, count: int, seconds: float) -> None:
        """A batch of ``count`` frames kept the detector for so long."""
        if not 1 <= count <= self._sizes[-1] or seconds <= 0:
            return
        self._batches += 1
        self._since_try += 1
        self._since_look_back += 1
        self._since_change += 1
        self._compare(count, seconds / count)
        self._recent.append((count, seconds / count))
        best = self._best_now()
        if best > self._best:
            # One step at a time, and not before the level is that of this size: what is known of those above
            # may be out of date, and shows to be on the way.
            best = self._above(self._best) if self._since_change >= RECENT else self._best
        if best != self._best:
            self._since_try = self._since_look_back = self._since_change = 0
        self._best = best

    def expected_s(self, count: int) -> float | None:
        """How long a batch of so many frames would take now; None where that is not known."""
        level = self._level()
        relative = self._relative.get(count)
        return None if level is None or relative is None else level * relative * count

    # ---- learning

    def _compare(self, count: int, cost: float) -> None:
        """Measure the gain of this size over the one below it, and of those above it over this."""
        bigger_ones = {frames for frames, _ in self._recent if frames > 1 and self._below(frames) == count}
        for bigger in bigger_ones | ({count} if count > 1 else set()):
            other = self._below(count) if bigger == count else bigger
            costs = [each for frames, each in self._recent if frames == other]
            if len(costs) >= NEIGHBOURS and self._batches - self._measured[bigger] >= NEIGHBOURS:
                self._measured[bigger] = self._batches
                gain = cost / _median(costs) if bigger == count else _median(costs) / cost
                self._learn(bigger, gain, tried=bigger == count)

    def _learn(self, bigger: int, gain: float, tried: bool) -> None:
        self._gains[bigger].append(gain)
        if bigger > self._best and tried:
            useless = len(self._gains[bigger]) >= ENOUGH and gain > WORTH
            self._try_every[bigger] = min(TRY_SELDOM, 2 * self._try_every[bigger]) if useless else TRY_EVERY
        self._relative = self._relatives()

    def _relatives(self) -> dict[int, float]:
        found = {1: 1.0}
        for count, gains in self._gains.items():
            below = found.get(self._below(count))
            if below is not None and len(gains) >= ENOUGH:
                found[count] = below * _median(gains)
        return found

    def _level(self) -> float | None:
        alone = [cost / self._relative[count] for count, cost in self._recent if count in self._relative]
        return _median(alone) if alone else None

    # ---- deciding

    def _best_now(self) -> int:
        """The biggest size up to which each pays and is expected to be within the budget."""
        best = 1
        for size in self._sizes[1:]:
            if not self._fits(size, used=size <= self._best):
                break
            best = size
        return best

    def _usable(self, limit: int) -> int:
        """The best number of frames up to ``limit``. A number between two sizes is used where it pays, and
        below the best size until it is known not to."""
        if limit in self._sizes or limit > self._above(self._best):
            return min(limit, self._best)
        if limit < self._best:
            gains = self._gains[limit]
            return self._below(limit) if len(gains) >= ENOUGH and _median(gains) > 1.0 else limit
        return limit if self._fits(limit, used=False) else self._best

    def _fits(self, size: int, used: bool) -> bool:
        """Whether it is known to pay, and expected to be within the budget."""
        level, relative = self._level(), self._relative.get(size)
        if level is None or relative is None:
            return False
        took = level * relative * size
        return _pays(self._gains[size], used) and took <= self._budget_s * (1.0 if used else HEADROOM)

    def _time_to_try(self, size: int) -> bool:
        """Whether to measure a size beyond the best one now: seldom where it is too slow by all we know."""
        level = self._level()
        if level is None or self._since_try < self._try_every[size]:
            return False
        expected = self.expected_s(size)
        if expected is None:
            # What the last step cost says what this one will; for the very first there is only hope.
            best, below = level * self._relative[self._best] * self._best, self._below(self._best)
            step = (best - level * self._relative[below] * below) / max(1, self._best - below)
            expected = best + step * (size - self._best)
        return expected <= self._budget_s * HEADROOM or self._since_try >= TRY_SELDOM

    def _below(self, count: int) -> int:
        """The next smaller size; 1 has none but itself."""
        return max((size for size in self._sizes if size < count), default=1)

    def _above(self, count: int) -> int:
        """The next bigger size; the biggest has none but itself."""
        return min((size for size in self._sizes if size > count), default=count)


def _pays(gains: Sequence[float] | deque[float], used: bool) -> bool:
    """Whether the bigger size is worth having; one that is ``used`` goes only on good evidence against it."""
    gain = _median(gains)
    # 1.25 · 1.48 · (median deviation) / √n is the standard error of a median.
    error = 1.85 * _median([abs(each - gain) for each in gains]) / len(gains) ** 0.5
    if used:
        return gain <= STILL_WORTH and gain + error <= SURELY
    return gain <= WORTH and gain + 2.5 * error <= SURELY


def _median(values: Sequence[float] | deque[float]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
