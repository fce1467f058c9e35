"""The sequential test: Shiryaev–Roberts e-detectors for all cameras at once.

Each chain of blocks multiplies and starts anew with every block, R = L (R_before + n): n, the windows between
its blocks, is what a start at each of them stakes. If nothing is worse than usual, E[L | past] ≤ 1, so
E[R] ≤ the windows that went by, and their mean over bets, layers and sides, the *evidence* of a camera, is an
e-detector too: told when it reaches ``arl``, false alarms are at least ``arl`` windows apart in the mean
(Shin, Ramdas, Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", 2023,
theorem 2.4).

What that rests on. Chains of sixths see only every sixth block: that E[L | past] ≤ 1 holds given the past of
their own chain, by spacing and ``alike``; given everything seen up to then, only as far as ten minutes apart
say nothing of each other. If it held within each chain alone, the bound that survives any dependence between
chains is ``arl`` / (2 × chains). Simulation (``benchmarks/drift``) says what it comes to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.bets import BETS, factors, payoffs
from vedette.quality.drift.light import LIGHTS, UNKNOWN
from vedette.quality.drift.measured import JUDGED, LEARNT, OF_BOXES, SIDES, Floats, Measure
from vedette.quality.drift.norms import LAYERS, PHASES, Norms
from vedette.quality.drift.windows import STRONG_LEAST

__all__ = ["Evidence", "Strongest"]

Rows = NDArray[np.intp]
CHAINS = 1 + PHASES
"""Of each side: the whole blocks, then the sixths."""

_MOST = 1e30
"""No wealth is more: it is a float32."""

EMPTY_BELOW = 0.5
"""Of the usual number of sure boxes: a window with fewer is of an empty scene. Where everybody has left, a
false box on a sign is all there is, and every share and mean of boxes is unlike the usual."""

EMPTY_WEIGHT = 1 / 30
"""Of a window in ``emptiness``, which so remembers five minutes."""

_OF_MEASURE = np.array([side.measure for side in JUDGED])
_OF_BOXES = _OF_MEASURE[_OF_MEASURE <= Measure.UNUSUAL]
"""The measures of the first sides, which are shares and means over boxes."""
_SIGNS = np.array([side.sign for side in JUDGED], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Strongest:
    """What the evidence of a camera mostly rests on. ``side``: its place in ``JUDGED``; ``since``: number of
    the window with which the change most likely began; ``deviations``: how far the last block was off."""

    side: int
    since: int
    deviations: float


class Evidence:
    """Rows are cameras. A row without norms gathers nothing. 3 kB a row, and 4 kB of norms.

    ``emptiness`` [rows]: the share of the last minutes in which it was unusually empty, 0…1.
    ``wealth``, ``runs`` [rows, 8 sides, 7 chains, 3 bets]: R, and the same as CUSUM, max(1, run) L, which
    says since when: ``begun``, number of the first window. ``deviations`` [rows, 8]: how far the last block
    was off.
    """

    def __init__(self, rows: int) -> None:
        chains = (rows, SIDES, CHAINS, len(BETS))
        self.wealth = np.zeros(chains, np.float32)
        self.runs = np.zeros(chains, np.float32)
        self.begun = np.zeros(chains, np.int32)
        self.deviations = np.zeros((rows, SIDES), np.float32)
        self.emptiness = np.zeros(rows, np.float32)
        self._paid = np.ones(chains, np.float32)
        self._sum = np.zeros((rows, SIDES, LAYERS), np.float32)
        self._count = np.zeros((rows, SIDES, LAYERS), np.int16)
        self._first = np.zeros((rows, SIDES, LAYERS), np.int32)
        self._phase = np.zeros((rows, SIDES), np.int8)
        self._light = np.full(rows, UNKNOWN, np.int8)
        self._length = np.ones((rows, SIDES, LAYERS), np.int16)
        nan = float("nan")
        self._mean = np.full((rows, LIGHTS, LEARNT), nan, np.float32)
        self._often = np.full((rows, LIGHTS, LEARNT), nan, np.float32)
        self._number = np.full((rows, LIGHTS, OF_BOXES), nan, np.float32)
        self._sure = np.full((rows, LIGHTS), nan, np.float32)
        self._tolerance = np.full((rows, LIGHTS, SIDES, LAYERS), nan, np.float32)
        self._spread = np.full((rows, LIGHTS, SIDES, LAYERS), nan, np.float32)
        self._alike = np.full((rows, LIGHTS, SIDES, LAYERS), nan, np.float32)
        self._expectation = np.full((rows, LIGHTS, SIDES, LAYERS, len(BETS)), nan, np.float32)
        self._share = np.zeros((rows, SIDES, CHAINS), np.float32)

    def __len__(self) -> int:
        return len(self.wealth)

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in vars(self).values())

    def grown(self, rows: int) -> Evidence:
        """The same with room for more."""
        more = Evidence(rows)
        for name, array in vars(self).items():
            vars(more)[name][: len(self)] = array
        return more

    def judge(self, row: int, norms: Norms | None) -> None:
        """Hold a camera against these from now on; what was gathered is dropped."""
        blank = Evidence(1)
        for name, array in vars(blank).items():
            vars(self)[name][row] = array[0]
        if norms is None:
            return
        self._mean[row], self._often[row], self._sure[row] = norms.mean, norms.often, norms.sure
        self._number[row] = norms.number
        self._tolerance[row], self._spread[row] = norms.tolerance, norms.spread
        self._alike[row], self._expectation[row] = norms.alike, norms.expectation
        single = norms.spacing == 1
        self._length[row, :, 0] = norms.spacing
        # Where every window is a block there are no sixths: longer than any count.
        self._length[row, :, 1] = np.where(single, np.iinfo(np.int16).max, norms.spacing // PHASES)
        self._share[row, :, 0] = np.where(single, 1.0, 0.5) / SIDES
        self._share[row, :, 1:] = np.where(single, 0.0, 0.5 / PHASES)[:, None] / SIDES

    def step(self, rows: Rows, lights: NDArray[np.int8], values: Floats, counts: Floats, window: int) -> None:
        """One more window, number ``window``, of these cameras, each at most once.

        ``values``, ``counts`` [n, 6]: the judged measures, NaN where too little was seen, and how many boxes
        or looks each is the mean of.
        """
        turned = rows[self._light[rows] != lights]
        self._sum[turned] = 0.0
        self._count[turned] = 0
        self._light[rows] = lights
        off = self._off(rows, lights, values, counts)
        seen = ~np.isnan(off)
        fresh = (self._count[rows] == 0) & seen[..., None]
        self._first[rows] = np.where(fresh, window, self._first[rows])
        self._sum[rows] += np.where(seen, off, 0.0)[..., None]
        self._count[rows] += seen[..., None]
        for layer in range(LAYERS):
            at, sides = np.nonzero(self._count[rows, :, layer] >= self._length[rows, :, layer])
            if len(at):
                self._bet(rows[at], sides, layer, lights[at])

    def _off(self, rows: Rows, lights: NDArray[np.int8], values: Floats, counts: Floats) -> Floats:
        """How far the values are from the usual, in the direction of harm, [n, 8 sides]. Of fewer boxes than
        usual a mean varies more: it is taken for as much nearer, so that a quiet hour does not look like a
        wild one."""
        usual = self._mean[rows, lights]
        few = np.minimum(1.0, counts / self._often[rows, lights])
        off = ((values - usual) * np.sqrt(few))[:, _OF_MEASURE] * _SIGNS
        sure, half = counts[:, Measure.CONFIDENCE], EMPTY_BELOW * self._sure[rows, lights]
        self.emptiness[rows] += EMPTY_WEIGHT * ((sure < half) - self.emptiness[rows])
        # Where it is empty most of the time, too, nobody there for an hour is not to look like half seen.
        empty = np.flatnonzero(sure < np.maximum(half, STRONG_LEAST))
        if len(empty):
            # Not ``few``: where crowds come now and then, the mean number is more than most windows have.
            usually = self._number[rows[empty], lights[empty]]
            there = np.minimum(1.0, counts[empty, :OF_BOXES] / usually)
            in_number = _bad(values[empty]) * there[:, _OF_BOXES] - _bad(usual[empty])
            of_boxes = np.ix_(empty, np.arange(len(_OF_BOXES)))
            off[of_boxes] = np.minimum(off[of_boxes], in_number)
        return np.asarray(off)

    def _bet(self, rows: Rows, sides: Rows, layer: int, lights: NDArray[np.int8]) -> None:
        """Of blocks that are full, one for each of ``rows`` and ``sides``."""
        here = rows, sides, layer
        mean = self._sum[here] / self._count[here]
        began = self._first[here]
        self._sum[here], self._count[here] = 0.0, 0
        chain = np.zeros(len(rows), np.intp)
        if layer:
            chain = 1 + self._phase[rows, sides].astype(np.intp)
            self._phase[rows, sides] = chain % PHASES
        norm = rows, lights, sides, layer
        z = (mean - self._tolerance[norm]) / self._spread[norm]
        known = ~np.isnan(z)
        if not known.all():
            rows, sides, lights, chain, z, began = (
                each[known] for each in (rows, sides, lights, chain, z, began)
            )
            norm = rows, lights, sides, layer
        at = rows, sides, chain
        paid = payoffs(z, self._expectation[norm].astype(np.float64))
        gains = factors(paid, self._paid[at].astype(np.float64), self._alike[norm].astype(np.float64))
        self._paid[at] = paid
        self.deviations[rows, sides] = z
        runs = self.runs[at]
        self.begun[at] = np.where(runs <= 1, began[:, None], self.begun[at])
        self.runs[at] = np.minimum(gains * np.maximum(runs, 1), _MOST)
        apart = self._length[rows, sides, 0]
        self.wealth[at] = np.minimum(gains * (self.wealth[at] + apart[:, None]), _MOST)

    def evidence(self, rows: Rows) -> Floats:
        """Of each of these cameras, in windows: the mean over its bets, layers and sides."""
        return np.asarray((self.wealth[rows].mean(axis=3) * self._share[rows]).sum(axis=(1, 2)), np.float64)

    def of_boxes(self, row: int) -> float:
        """The part of it that rests on boxes, not on the picture."""
        return float(self._by_side(row)[: len(_OF_BOXES)].sum())

    def hold(self, row: int, most: float) -> None:
        """Let a camera's evidence of no side grow beyond ``most``: what is long told would never be over."""
        now = self._by_side(row)
        self.wealth[row] *= np.minimum(1.0, most / np.maximum(now, most))[:, None, None]

    def _by_side(self, row: int) -> Floats:
        return np.asarray((self.wealth[row].mean(axis=2) * self._share[row]).sum(axis=1), np.float64)

    def usual(self, row: int, light: int, measure: int) -> float:
        """Its mean in this light; NaN where that is not known."""
        return float(self._mean[row, light, measure])

    def strongest(self, row: int) -> Strongest:
        """See :class:`Strongest`."""
        shares = self.wealth[row].mean(axis=2) * self._share[row]
        side = int(shares.sum(axis=1).argmax())
        chain = int(shares[side].argmax())
        bet = int(self.runs[row, side, chain].argmax())
        return Strongest(side, int(self.begun[row, side, chain, bet]), float(self.deviations[row, side]))


def _bad(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """The bad share of the boxes, [n, sides of boxes], of measures [n, 6]: weak, sure, in doubt, unusual.

    In an empty scene that has to be more than usual as a number: a share of the boxes that are there usually,
    not of those that are left. It is never more evidence than without.
    """
    of = values[:, _OF_BOXES]
    return np.where(_SIGNS[: len(_OF_BOXES)] > 0, of, 1 - of)
