"""``python -m benchmarks.drift.intervals CASE``: whether intervals hold, and how narrow scores make them.

Each trial draws frames from a period whose precision is known, judges them as people would, and asks for the
interval as the product does. ``widths``: coverage and width by what scores are worth. ``losses``: how often a
loss is confirmed that is none, and how soon one that is, when it is asked after every frame.

Periods are made up: 20 000 frames of 0 to 12 boxes, day and night. Whether a box is right follows from how
sure the detector is of it (alike within a frame), from the frame (rain, a crowd: no score shows it) and from
the light. The score is the detector's sureness through a curve that is not calibrated, differently by night.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine, today
from benchmarks.report import markdown, write_json
from vedette.quality.estimates.emitted import Emitted
from vedette.quality.estimates.intervals import Estimate, Method
from vedette.quality.estimates.loss import doubt
from vedette.quality.estimates.powered import Cells, powered
from vedette.quality.estimates.ratio import Shares, classical
from vedette.quality.estimates.stratified import stratified

Floats = NDArray[np.float64]

FRAMES, MOST = 20_000, 12
THRESHOLD, BINS = 0.3, 45
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``worth``: log odds of being right per deviation of sureness; 0 = scores say nothing. ``frame``: the
    deviation, in log odds, that boxes of a frame share. ``alike``: of the spread of sureness, the share that
    is between frames. ``night``: log odds that are lost at night, in a third of the frames. ``by_size``:
    frames are drawn by their number of boxes, not alike."""

    precision: float
    worth: float
    frame: float = 0.7
    alike: float = 0.25
    night: float = 1.0
    by_size: bool = False


@dataclass(frozen=True, eq=False)
class Period:
    """``right``, ``wrong``: boxes [frames, cells]. ``chance``: of each frame, in one draw. ``of_boxes``: the
    correlation of what a box's cell is worth with whether it is right; ``of_frames``: the same of frames'
    influences on the precision, which is what narrows an interval, to √(1 - r²) at best."""

    right: NDArray[np.float32]
    wrong: NDArray[np.float32]
    chance: Floats
    emitted: Emitted
    precision: float
    of_boxes: float
    of_frames: float


SETTINGS = {
    f"precision {precision:g}, scores {name}": World(precision=precision, worth=worth)
    for precision in (0.6, 0.8, 0.95)
    for name, worth in {"say nothing": 0.0, "weak": 1.0, "usual": 2.0, "good": 3.5}.items()
} | {
    "no day, no night, say nothing": World(precision=0.8, worth=0.0, night=0.0),
    "told within frames only": World(precision=0.8, worth=2.0, alike=0.0, frame=1.4, night=0.0),
    "drawn by size, usual": World(precision=0.8, worth=2.0, by_size=True),
}


def period(world: World, rng: np.random.Generator) -> Period:
    boxes = np.minimum(rng.negative_binomial(2, 1 / 3, FRAMES), MOST)
    of, total = np.repeat(np.arange(FRAMES), boxes), int(boxes.sum())
    night = rng.random(FRAMES) < 1 / 3
    between, within = np.sqrt([world.alike, 1 - world.alike])
    sureness = between * rng.normal(size=FRAMES)[of] + within * rng.normal(size=total)
    odds = world.worth * sureness + (world.frame * rng.normal(size=FRAMES) - world.night * night)[of]
    right = rng.random(total) < _with_mean(odds, world.precision)
    curve = np.tanh(0.6 * sureness - 0.3 * night[of] + 0.2)
    score = THRESHOLD + (1 - THRESHOLD) * (0.5 + 0.5 * curve) ** 0.8
    return _counted(of, score, night, right, boxes if world.by_size else np.ones(FRAMES))


def _with_mean(odds: Floats, mean: float) -> Floats:
    """Probabilities with these odds but for a constant."""
    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        shares: Floats = 1 / (1 + np.exp(-odds - middle))
        low, high = (middle, high) if shares.mean() < mean else (low, middle)
    return shares


def _counted(
    of: NDArray[np.intp], score: Floats, night: NDArray[np.bool_], right: NDArray[np.bool_], size: Floats
) -> Period:
    edges = np.linspace(THRESHOLD, 1, BINS + 1)
    bins = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, BINS - 1)
    cell = bins + BINS * night[of]
    counts = np.bincount(cell, minlength=2 * BINS)
    tallies = np.zeros((2, FRAMES, 2 * BINS), np.float32)
    np.add.at(tallies, ((~right).astype(int), of, cell), 1)
    worth = np.bincount(cell, right, 2 * BINS) / np.maximum(counts, 1)
    told = np.bincount(of, worth[cell] - right.mean(), FRAMES)
    influence = np.bincount(of, right - right.mean(), FRAMES)
    return Period(
        *tallies,
        chance=size / size.sum(),
        emitted=Emitted(counts.reshape(2, BINS), edges, ("day", "night")),
        precision=float(right.mean()),
        of_boxes=_correlation(worth[cell], right.astype(float)),
        of_frames=_correlation(told, influence),
    )


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 else 0.0


def samples(world: Period, frames: int, trials: int, rng: np.random.Generator) -> Iterator[Cells]:
    for _ in range(trials):
        chosen = rng.choice(FRAMES, frames, p=world.chance)
        right, wrong = (each[chosen].astype(np.float64) for each in (world.right, world.wrong))
        yield Cells(1 / world.chance[chosen], right, wrong, np.zeros_like(right))


def widths(name: str, frames: int, trials: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, frames, [*SETTINGS].index(name)])
    world = period(SETTINGS[name], rng)
    started, judged, found = time.perf_counter(), 0, np.zeros((3, trials, 2))
    cautious = 0
    for trial, cells in enumerate(samples(world, frames, trials, rng)):
        answers = (
            classical(cells.shares, LEVEL),
            powered(cells, world.emitted, LEVEL),
            stratified(cells, world.emitted, LEVEL),
        )
        found[:, trial] = [_said(answer, world.precision) for answer in answers]
        judged += answers[0].judged
        cautious += answers[1].method is Method.CAUTIOUS
    held, half = found[:, :, 0].mean(axis=1), found[:, :, 1].mean(axis=1)
    return {
        "setting": name,
        "frames": frames,
        "labels": judged / trials,
        "trials": trials,
        "seed": seed,
        "precision": world.precision,
        "of_boxes": world.of_boxes,
        "of_frames": world.of_frames,
        "best": float(np.sqrt(1 - world.of_frames**2)),
        "half": half[0],
        "ratio": half[1] / half[0],
        "ratio_stratified": half[2] / half[0],
        "held": held[0],
        "held_powered": held[1],
        "held_stratified": held[2],
        "cautious": cautious / trials,
        "seconds": time.perf_counter() - started,
    }


def _said(answer: Estimate, truth: float) -> tuple[bool, float]:
    return answer.lower <= truth <= answer.upper, answer.half_width


WIDTHS = {
    "setting": "{setting}",
    "frames · labels": "{frames} · {labels:.0f}",
    "correlation of boxes · frames": "{of_boxes:.2f} · {of_frames:.2f}",
    "classical ±": "{half:.3f}",
    "width: powered": "{ratio:.2f}",
    "best": "{best:.2f}",
    "stratified": "{ratio_stratified:.2f}",
    "held: classical": "{held:.1%}",
    "powered": "{held_powered:.1%}",
    "stratified ": "{held_stratified:.1%}",
    "cautious": "{cautious:.0%}",
}

ALPHA, LOOKS_FROM, PATIENCE = 0.01, 30, 400
LOSSES = {
    "precision · floor": "{precision:.2f} · {floor:.2f}",
    "confirmed": "{bet:.1%}",
    "frames p50 · p90": "{bet_p50} · {bet_p90}",
    "a plain 99% interval, asked after every frame": "{plain:.1%}",
}


def losses(precision: float, floor: float, trials: int, seed: int) -> dict[str, Any]:
    """Asked after each of 400 frames. ``plain``: the classical interval's upper bound, from 30 frames on."""
    rng = np.random.default_rng([seed, round(1000 * precision)])
    world = period(World(precision=precision, worth=2.0), rng)
    after, plain = np.full(trials, np.inf), 0
    for trial, cells in enumerate(samples(world, PATIENCE, trials, rng)):
        shares = Shares(np.ones(PATIENCE), cells.shares.parts, cells.shares.wholes)
        sure = np.flatnonzero(doubt(shares, floor, MOST) >= 1 / ALPHA)
        after[trial] = sure[0] + 1 if len(sure) else np.inf
        plain += _ever_below(shares, floor)
    p50, p90 = (round(each) if np.isfinite(each) else None for each in np.sort(after)[_places(trials)])
    return {
        "asked": precision,
        "precision": world.precision,
        "floor": floor,
        "trials": trials,
        "seed": seed,
        "bet": float(np.isfinite(after).mean()),
        "bet_p50": p50,
        "bet_p90": p90,
        "plain": plain / trials,
    }


def _places(trials: int) -> list[int]:
    return [trials // 2, trials * 9 // 10]


def _ever_below(shares: Shares, floor: float) -> bool:
    """Whether the upper bound of a one-sided plain interval ever lay below: Wald's, of ratios, by frame."""
    n = np.arange(1, PATIENCE + 1)
    parts, wholes = np.cumsum(shares.parts), np.cumsum(shares.wholes)
    share = parts / np.maximum(wholes, 1)
    squares = [np.cumsum(a * b) for a, b in ((shares.parts,) * 2, (shares.parts, shares.wholes))]
    squares.append(np.cumsum(shares.wholes**2))
    spread = squares[0] - 2 * share * squares[1] + share**2 * squares[2]
    off = np.sqrt(np.maximum(spread, 0) * n / np.maximum(n - 1, 1)) / np.maximum(wholes, 1)
    return bool((share + 2.326 * off < floor)[LOOKS_FROM - 1 :].any())


PAIRS = ((0.8, 0.8), (0.75, 0.8), (0.7, 0.8), (0.6, 0.8), (0.95, 0.95), (0.9, 0.95), (0.8, 0.95))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift.intervals", description=__doc__)
    parser.add_argument("case", choices=["widths", "losses"])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--frames", type=int, nargs="*", default=[50, 200], help="reviewed in a trial")
    parser.add_argument("--only", default="", help="settings with this in their name")
    parser.add_argument("--seed", type=int, default=1, help="another one: another part of the same benchmark")
    parser.add_argument("--save", action="store_true", help="add to results/DATE-drift-CASE.json")
    options = parser.parse_args()
    before, rows = machine(), []
    for row in _rows(options):
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    print(markdown(rows, WIDTHS if options.case == "widths" else LOSSES))
    if options.save:
        name, command = f"drift-{options.case}", f"python -m benchmarks.drift.intervals {options.case} --save"
        write_json(name, _with_earlier(name, rows), command, before)


def _with_earlier(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """After those that today's other parts have written, unless they were measured again."""
    path = Path(__file__).parents[1] / "results" / f"{today()}-{name}.json"
    known = json.loads(path.read_text())["rows"] if path.exists() else []
    again = [_which(row) for row in rows]
    return [row for row in known if _which(row) not in again] + rows


def _which(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(key) for key in ("setting", "frames", "asked", "floor", "seed"))


def _rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.case == "losses":
        yield from (losses(*pair, options.trials, options.seed) for pair in PAIRS)
        return
    for frames in options.frames:
        for name in SETTINGS:
            if options.only in name:
                yield widths(name, frames, options.trials, options.seed)


if __name__ == "__main__":
    main()
