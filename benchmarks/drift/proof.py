"""``python -m benchmarks.drift.proof``: ours and others on days that are put together from recorded clips.

``stationary``: nothing happens, ours alone, as many days as wanted. ``lasting``: after three days in which
nothing happened it is ``--of`` (like ``traffic``, ``empty``) for good, ours alone. ``nights``: dusk, dawn and
infrared, all arms. ``changes``: after three days of learning and two more, each corruption at each severity
at once, or over 1 h or 24 h; twice the traffic, nobody there, another kind of object; all arms. Others are as
shipped, or tuned until the two days before had no alarm of theirs. ``check``: that the cameras of
:mod:`~benchmarks.drift.watched` tell what the product's Monitor tells.

Needs what ``benchmarks.drift.recorded`` wrote, and its results of today or before.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.drift.arms import ours as by_the_monitor
from benchmarks.drift.cases import CASES, DAY, Run, lights_of, nights
from benchmarks.drift.corruptions import CORRUPTIONS
from benchmarks.drift.peers import (
    ADWIN_DELTAS,
    PAGE_HINKLEY,
    Hourly,
    Sequential,
    adwin,
    kolmogorov,
    page_hinkley,
    wasserstein,
)
from benchmarks.drift.pools import DRAWS, Pool, pool_of, stretches
from benchmarks.drift.recorded import CLEAN, EVENTS, read
from benchmarks.drift.streams import BLOCKS, Floats
from benchmarks.drift.watched import HOUR, Stream, Watched
from benchmarks.machine import machine
from benchmarks.report import write_json
from vedette.quality.drift.decisions import Noticed, SuspectedLoss, UnseenConditions
from vedette.quality.drift.light import light_of
from vedette.quality.drift.measured import LEARNT, Measure
from vedette.quality.drift.settings import Settings

LEARN_DAYS = 3
BEFORE_DAYS = 2
SETTINGS = Settings()
RESULTS = Path(__file__).parents[1] / "results"
SHIPPED = {"KS": -float(np.log10(0.05)), "Wasserstein": 0.1}
Places = npt.NDArray[np.intp]
"""Which kind of picture each window is of, [cameras, windows]."""


def stream(pool: Pool, rng: np.random.Generator, places: Places, block: int, first: int) -> Stream:
    cameras, windows = places.shape
    at = places, stretches(rng, cameras, windows, block, pool.stretches), rng.integers(0, DRAWS, places.shape)
    return Stream(pool.values[at], pool.counts[at], _lights(pool.luma[at], pool.infrared[at]), first)


def _lights(luma: Floats, infrared: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    """[cameras, windows]; at once for those that stay in one light."""
    lights = np.zeros(luma.shape, np.int8)
    for camera in range(len(luma)):
        ends = {light_of(float(at), bool(dark)) for at in (luma[camera].min(), luma[camera].max())
                for dark in (infrared[camera].min(), infrared[camera].max())}  # fmt: skip
        one = slice(camera, camera + 1)
        lights[one] = ends.pop() if len(ends) == 1 else lights_of(luma[one], infrared[one])
    return lights


def _usual(pool: Pool, cameras: int, windows: int) -> Places:
    return np.full((cameras, windows), pool.places[CLEAN])


def _nightly(pool: Pool, rng: np.random.Generator, cycle: str, cameras: int, days: int) -> Places:
    """Pictures get darker step by step, each window one of the two next to it; at night it is infrared."""
    night, _ = nights(cycle, rng, cameras, days * DAY)
    steps = [pool.places[CLEAN]] + [pool.places[f"dusk {place + 1}"] for place in range(len(EVENTS["dusk"]))]
    depth = -np.log([1.0, *EVENTS["dusk"]])
    level = np.interp(night * depth[-1], depth, np.arange(len(steps)))
    level = np.floor(level + rng.random(level.shape)).astype(np.intp)
    places = np.array(steps)[np.minimum(level, len(steps) - 1)]
    return np.where(night > 0.99, pool.places["infrared"], places)


def _ramped(pool: Pool, rng: np.random.Generator, name: str, cameras: int, windows: int, over: int) -> Places:
    steps = np.array([pool.places[CLEAN]] + [pool.places[f"{name} {severity}"] for severity in range(1, 6)])
    level = 5 * np.minimum(1, np.arange(1, windows + 1) / over)
    drawn = np.floor(level + rng.random((cameras, windows))).astype(np.intp)
    return steps[np.minimum(drawn, 5)]


def _steps(watched: Watched, part: Stream) -> Iterator[tuple[int, int, str]]:
    """(window of the part, camera, what was told: ``loss: …``, ``changed: …``, ``unseen``)."""
    for window in range(part.lights.shape[1]):
        told = watched.step(
            part.first + window, part.values[:, window], part.counts[:, window], part.lights[:, window]
        )
        for camera, each in told:
            if isinstance(each, Noticed):
                kind = "loss" if isinstance(each, SuspectedLoss) else "changed"
                yield window, camera, f"{kind}: {each.measure} {each.direction}"
            elif isinstance(each, UnseenConditions):
                yield window, camera, "unseen"


# ---- nothing happens


def stationary(
    clip: str, pool: Pool, block: str, cameras: int, days: int, seed: int, of: str = CLEAN
) -> dict[str, Any]:
    """``of``: the pictures of the days that are watched."""
    rng, began = _rng(clip, block, seed, 1), time.process_time()
    watched = Watched(stream(pool, rng, _usual(pool, cameras, LEARN_DAYS * DAY), BLOCKS[block], 0), SETTINGS)
    learnt, told = time.process_time() - began, []
    for day in range(days):
        places = np.full((cameras, DAY), pool.places[of])
        part = stream(pool, rng, places, BLOCKS[block], (LEARN_DAYS + day) * DAY)
        told += [(day, *each) for each in _steps(watched, part)]
    return {
        "part": "stationary" if of == CLEAN else "lasting", "of": of,
        "clip": clip, "block": block, "arm": "ours", "seed": seed,
        "camera_days": cameras * days, "alarms": len(told), "told": told,
        "spacing": np.array(watched.spacing).mean(axis=0).round(1).tolist(),
        "cpu_s": round(time.process_time() - began, 1), "learning_s": round(learnt, 1),
    }  # fmt: skip


def _rng(*of: Any) -> np.random.Generator:
    return np.random.default_rng([sum(map(ord, str(each))) if isinstance(each, str) else each for each in of])


# ---- others


class Others:
    """All other arms of some cameras, learnt and tuned. ``usual``: what was learnt, ``before``: the two days
    in which nothing happened, judged measures, [cameras, windows, 6] each."""

    def __init__(self, usual: Floats, before: Floats) -> None:
        self._before = before[:, -HOUR:]
        days = before.shape[0] * before.shape[1] / DAY
        self.rates: dict[str, tuple[float, float]] = {}
        """By arm: false alarms a camera-day in the days before, of the confidence and of the features."""
        self.settings: dict[str, tuple[float, float]] = {}
        self._sequential: dict[str, tuple[Sequential, Sequential]] = {}
        fed = usual[:, -DAY:]  # a day is enough for means that are not held against a reference
        for name, make, grid in (
            ("ADWIN", adwin, ADWIN_DELTAS),
            ("Page–Hinkley", page_hinkley, PAGE_HINKLEY),
        ):
            self._tune(name, make, grid, fed, before, days)
        self._hourly = {"KS": Hourly(usual, kolmogorov), "Wasserstein": Hourly(usual, wasserstein)}
        for name, arm in self._hourly.items():
            found = arm.statistics(before)
            sure = found[..., Measure.CONFIDENCE]
            shipped, tuned = (SHIPPED[name],) * 2, (float(np.nanmax(sure)), float(np.nanmax(found)))
            for kind, limits in (("shipped", shipped), ("tuned", tuned)):
                told = (sure > limits[0]).sum() / days, (found > limits[1]).any(axis=2).sum() / days
                self.settings[f"{name}, {kind}"] = limits
                self.rates[f"{name}, {kind}"] = float(told[0]), float(told[1])

    def _tune(
        self, name: str, make: Any, grid: tuple[float, ...], fed: Floats, before: Floats, days: float
    ) -> None:
        """The loosest setting of the grid without a false alarm. Page–Hinkley as shipped is deaf to numbers
        between 0 and 1: its grid goes the other way, to the last setting without one."""
        calm: list[tuple[float, Sequential, bool, bool]] = []
        for setting in grid:
            arm = Sequential.of(make, setting, len(fed))
            arm.alarms(fed)
            counted = arm.alarms(before)
            sure, any_of = int(counted[:, Measure.CONFIDENCE].sum()), int(counted.sum())
            if setting == grid[0]:
                self.rates[f"{name}, shipped"] = sure / days, any_of / days
                self.settings[f"{name}, shipped"] = setting, setting
                self._sequential[f"{name}, shipped"] = arm, arm
            calm.append((setting, arm, sure == 0, any_of == 0))
            enough = calm[-1][3] if name == "ADWIN" else not calm[-1][2]
            if enough:
                break
        chosen = []
        for which in (2, 3):
            fit = [each for each in calm if each[which]] or [calm[-1]]
            chosen.append(fit[0] if name == "ADWIN" else fit[-1])
        self.settings[f"{name}, tuned"] = chosen[0][0], chosen[1][0]
        self.rates[f"{name}, tuned"] = (0.0 if chosen[0][2] else np.nan), (0.0 if chosen[1][3] else np.nan)
        self._sequential[f"{name}, tuned"] = chosen[0][1], chosen[1][1]

    def alarms(self, values: Floats) -> dict[str, tuple[float, float]]:
        """A camera-day, over ``values`` that follow what was seen. Alarms of several features at once count
        one by one with ADWIN and Page–Hinkley, and once an hour with the others."""
        days, found = values.shape[0] * values.shape[1] / DAY, {}
        for name, arms in self._sequential.items():
            of = [
                Sequential.alarms(Sequential([[_copied(d) for d in row] for row in arm.detectors]), values)
                for arm in arms
            ]
            found[name] = float(of[0][:, Measure.CONFIDENCE].sum() / days), float(of[1].sum() / days)
        for name, arm in self._hourly.items():
            statistics = arm.statistics(values)
            for kind in ("shipped", "tuned"):
                limits = self.settings[f"{name}, {kind}"]
                told = (
                    (statistics[..., Measure.CONFIDENCE] > limits[0]).sum(),
                    (statistics > limits[1]).any(axis=2).sum(),
                )
                found[f"{name}, {kind}"] = float(told[0] / days), float(told[1] / days)
        return found

    def firsts(self, after: Floats) -> dict[str, Floats]:
        """[cameras, 2] by arm: windows until the first alarm, of the confidence and of any feature."""
        found = {}
        for name, (sure, any_of) in self._sequential.items():
            if sure is any_of:
                found[name] = sure.firsts(after)
            else:
                found[name] = np.stack([sure.firsts(after)[:, 0], any_of.firsts(after)[:, 1]], axis=1)
        for name, arm in self._hourly.items():
            for kind in ("shipped", "tuned"):
                limits = np.array(self.settings[f"{name}, {kind}"])
                found[f"{name}, {kind}"] = arm.firsts(self._before, after, limits)
        return found


def _copied(detector: Any) -> Any:
    import copy

    return copy.deepcopy(detector)


# ---- nights


def nightly(
    clip: str, pool: Pool, block: str, cycle: str, cameras: int, days: int, seed: int, others_too: bool
) -> list[dict[str, Any]]:
    rng = _rng(clip, block, cycle, seed, 2)
    places = _nightly(pool, rng, cycle, cameras, LEARN_DAYS + days)
    whole = stream(pool, rng, places, BLOCKS[block], 0)
    learnt = _part(whole, 0, LEARN_DAYS * DAY)
    after = _part(whole, LEARN_DAYS * DAY, whole.lights.shape[1])
    told = list(_steps(Watched(learnt, SETTINGS), after))
    of = {
        "part": "nights",
        "clip": clip,
        "block": block,
        "cycle": cycle,
        "camera_days": cameras * days,
        "seed": seed,
    }
    rows = [of | {"arm": "ours", "alarms": len(told), "told": told}]
    if not others_too:
        return rows
    values = whole.values[..., :LEARNT]
    # The others are tuned where nothing happens; here they go on with what they learnt of days and nights.
    calm = stream(pool, rng, _usual(pool, cameras, (1 + BEFORE_DAYS) * DAY), BLOCKS[block], 0).values[
        ..., :LEARNT
    ]
    others = Others(calm[:, :DAY], calm[:, DAY:])
    for name, arm in others._hourly.items():
        others._hourly[name] = Hourly(values[:, : LEARN_DAYS * DAY], arm.statistic)
    for name, rates in others.alarms(values[:, LEARN_DAYS * DAY :]).items():
        rows.append(of | {"arm": name, "a_day": rates})
    return rows


def _part(whole: Stream, first: int, end: int) -> Stream:
    return Stream(whole.values[:, first:end], whole.counts[:, first:end], whole.lights[:, first:end], first)


# ---- something happens


def changes(
    clip: str, pool: Pool, block: str, cameras: int, seed: int, others_of: int
) -> list[dict[str, Any]]:
    """``others_of``: the first so many cameras are watched by the others, too."""
    rng, block_windows = _rng(clip, block, seed, 3), BLOCKS[block]
    usual = stream(pool, rng, _usual(pool, cameras, LEARN_DAYS * DAY), block_windows, 0)
    before = stream(pool, rng, _usual(pool, cameras, BEFORE_DAYS * DAY), block_windows, LEARN_DAYS * DAY)
    watched = Watched(usual, SETTINGS)
    false = len(list(_steps(watched, before)))
    happenings = _happenings(pool, rng, cameras)
    first = (LEARN_DAYS + BEFORE_DAYS) * DAY
    parts = [stream(pool, rng, places, block_windows, first) for places in happenings.values()]
    ours = _first_told(watched, parts, cameras)
    few = slice(0, others_of)
    others = Others(usual.values[few, :, :LEARNT], before.values[few, :, :LEARNT]) if others_of else None
    of = {"part": "changes", "clip": clip, "block": block, "seed": seed}
    rows: list[dict[str, Any]] = [
        of | {"what": "before", "arm": "ours", "alarms": false, "camera_days": cameras * BEFORE_DAYS}
    ]
    if others is not None:
        rows += [
            of | {"what": "before", "arm": name, "a_day": rates, "setting": others.settings[name]}
            for name, rates in others.rates.items()
        ]
    for what, told, part in zip(happenings, ours, parts, strict=True):
        rows.append(of | {"what": what, "arm": "ours"} | told)
        if others is not None and _compared(what):
            for name, windows in others.firsts(part.values[few, :, :LEARNT]).items():
                minutes = np.where(np.isfinite(windows), windows / 6, -1).round(2)
                rows.append(
                    of
                    | {
                        "what": what,
                        "arm": name,
                        "confidence": minutes[:, 0].tolist(),
                        "features": minutes[:, 1].tolist(),
                    }
                )
    return rows


def _compared(what: str) -> bool:
    """Others take long: they see severity 5, and what is no corruption."""
    return (
        what in ("traffic", "half", "quarter", "empty", "new class", "swap", "dirt 3", "cover 3")
        or what[-1] == "5"
    )


def _happenings(pool: Pool, rng: np.random.Generator, cameras: int) -> dict[str, Places]:
    found = {}
    for name in CORRUPTIONS:
        for severity in range(1, 6):
            found[f"{name} {severity}"] = np.full((cameras, DAY), pool.places[f"{name} {severity}"])
    for name in ("traffic", "half", "quarter", "empty", "new class", "swap"):
        found[name] = np.full((cameras, DAY), pool.places[name])
    for name in CORRUPTIONS:
        for hours in (1, 24):
            found[f"{name} over {hours} h"] = _ramped(pool, rng, name, cameras, DAY, hours * HOUR)
    return found


def _first_told(watched: Watched, parts: list[Stream], cameras: int) -> list[dict[str, Any]]:
    """By part: minutes until each camera told of a loss, of a changed picture, or of unseen conditions; -1 =
    not within the day. Who has told of a loss is not followed any longer. ``by``: what the first of these two
    rested on."""
    told: list[dict[str, Any]] = [
        {**{kind: [-1.0] * cameras for kind in ("loss", "changed", "unseen")}, "by": [""] * cameras}
        for _ in parts
    ]
    rows = [(part, camera) for part in range(len(parts)) for camera in range(cameras)]
    many = watched.of(np.array([camera for _, camera in rows]))
    for start in range(0, DAY, HOUR // 6):
        end = start + HOUR // 6
        values, counts, lights = (
            np.stack([getattr(parts[part], name)[camera, start:end] for part, camera in rows])
            for name in ("values", "counts", "lights")
        )
        for window, row, what in _steps(many, Stream(values, counts, lights, parts[0].first + start)):
            part, camera = rows[row]
            kind = what.split(":")[0]
            if told[part][kind][camera] < 0:
                told[part][kind][camera] = round((start + window + 1) / 6, 2)
                if kind != "unseen":
                    told[part]["by"][camera] = told[part]["by"][camera] or what
        left = [row for row, (part, camera) in enumerate(rows) if told[part]["loss"][camera] < 0]
        many, rows = many.of(np.array(left, np.intp)), [rows[row] for row in left]
        if not rows:
            break
    return told


# ---- the same as the product


def check(pool: Pool) -> None:
    """Raises AssertionError where the Monitor tells anything else, or at another window."""
    rng, cameras = np.random.default_rng(5), 4
    settings = Settings(learn_days=(DAY - 1) / DAY, arl_days=2.0)
    usual = stream(pool, rng, _usual(pool, cameras, DAY), 6, 0)
    what = [pool.places[name] for name in ("dark 3", "jpeg 4", CLEAN, "fog 3")]
    rest = stream(pool, rng, np.repeat(np.array(what)[:, None], DAY // 2, axis=1), 6, DAY)
    both = Stream(*(np.concatenate(each, axis=1) for each in zip(_arrays(usual), _arrays(rest), strict=True)))
    # The Monitor has learnt after DAY - 1 windows, and judges the last of them, too.
    watched, after = Watched(_part(both, 0, DAY - 1), settings), _part(both, DAY - 2, both.lights.shape[1])
    ours = [
        (window + DAY - 2, camera, "unseen" if what == "unseen" else "loss")
        for window, camera, what in _steps(watched, after)
    ]
    run = Run(CASES["stationary"], both.values, both.lights, both.counts, DAY, np.full(cameras, DAY))
    monitored = by_the_monitor(run, settings.arl_days)
    theirs = [
        (window, camera, name[6:])
        for name, each in monitored.items()
        for camera, at in enumerate(each)
        for window in at
    ]
    assert sorted(ours) == sorted(theirs), (sorted(ours), sorted(theirs))
    print(f"the Monitor tells the same: {sorted(ours)}")


def _arrays(part: Stream) -> tuple[Any, ...]:
    return part.values, part.counts, part.lights


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift.proof", description=__doc__)
    parser.add_argument("parts", nargs="+", choices=["check", "stationary", "lasting", "nights", "changes"])
    parser.add_argument("--clips", default="vtest,driveway")
    parser.add_argument("--blocks", default=",".join(BLOCKS))
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--days", type=int, default=3, help="watched, of nights and of stationary cameras")
    parser.add_argument("--of", default="traffic", help="pictures that last")
    parser.add_argument("--ours-alone", action="store_true", help="without the other arms")
    parser.add_argument("--others-of", type=int, default=2, help="cameras: each takes them a second a day")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="add to benchmarks/results")
    options = parser.parse_args()
    before, rows = machine(), []
    for clip in options.clips.split(","):
        pool = pool_of(read(clip))
        for part in options.parts:
            if part == "check":
                check(pool)
                continue
            for row in _rows(part, clip, pool, options):
                rows.append(row)
                print(json.dumps(row)[:300], file=sys.stderr, flush=True)
    if options.save:
        _save(rows, before)


def _rows(part: str, clip: str, pool: Pool, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for block in options.blocks.split(","):
        if part in ("stationary", "lasting"):
            of = CLEAN if part == "stationary" else options.of
            yield stationary(clip, pool, block, options.cameras, options.days, options.seed, of)
        elif part == "nights":
            for cycle in ("dusk", "switch"):
                others_too = not options.ours_alone
                watched = options.cameras, options.days, options.seed, others_too
                yield from nightly(clip, pool, block, cycle, *watched)
        else:
            others_of = 0 if options.ours_alone else options.others_of
            yield from changes(clip, pool, block, options.cameras, options.seed, others_of)


def _save(rows: list[dict[str, Any]], before: dict[str, Any]) -> None:
    """A file for each part and what it was run with: parts may be run one by one."""
    command = " ".join(["python -m benchmarks.drift.proof", *sys.argv[1:]])
    for part in sorted({row["part"] for row in rows}):
        of = [row for row in rows if row["part"] == part]
        blocks = "-".join(sorted({row["block"] for row in of}))
        what = f"{part}-{of[0]['of']}" if part == "lasting" else part
        name = f"drift-{what}-{of[0]['clip']}-{blocks}-{of[0]['seed']}"
        print(f"written to {write_json(name, of, command, before).name}")


if __name__ == "__main__":
    main()
