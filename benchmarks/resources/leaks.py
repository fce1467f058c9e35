"""A leak in one of sixteen workers, and in none: who is named, when, and who is replaced for nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.resources.world import EVERY_S, Leaking, Life, Node, lives
from vedette.supervise.history import BIN_S, WARM_UP_S
from vedette.supervise.leaks import Leaks, Rule, watched
from vedette.supervise.seen import Kind, Limits, Measure, Seen
from vedette.supervise.slope import kendall

__all__ = ["COLUMNS", "LEAKS", "RULES", "measured", "most_likely_below"]

WORKERS = 16
HOURS = 24
LIMITS = Limits(most={Measure.MEMORY: 1e9, Measure.FILES: 1024.0, Measure.THREADS: 500.0})
LEAKS = {
    "5 MB/h": Leaking(memory=5e6),
    "20 MB/h": Leaking(memory=20e6),
    "200 MB/h": Leaking(memory=200e6),
    "5 MB/h from hour 8": Leaking(memory=5e6, since=8.0),
    "10 descriptors/h": Leaking(files=10.0),
}
COLUMNS = {
    "rule": "{rule}",
    "worker-days without a leak": "{days}",
    "named for nothing": "{named}",
    "per 100 worker-days (95%)": "{named_rate:.2f} (≤ {named_most:.2f})",
    "would be replaced for nothing": "{urgent}",
    "per 100 (95%) ": "{urgent_rate:.2f} (≤ {urgent_most:.2f})",
    **{f"{name} named within 8 h": f"{{by_8[{name}]:.0%}}" for name in LEAKS},
}

Hits = dict[str, tuple[bool, bool]]
"""At the end of a bin, by worker: named, urgent."""

Judge = Callable[[list[Life]], Iterator[Hits]]


def _by_vedette(rule: Rule) -> Judge:
    """One look at the end of each bin with its minima is what looks every few seconds come to."""

    def judge(lived: list[Life]) -> Iterator[Hits]:
        state, minima = Leaks(), [_minima(life) for life in lived]
        for step in range(minima[0].shape[1]):
            state = watched(state, _seen(minima, step), LIMITS, step * BIN_S, rule)
            yield {
                name: (any(leak.named for leak in found), any(leak.urgent for leak in found))
                for name, found in state.found.items()
            }

    return judge


def _by_kendall(hours: float) -> Judge:
    """Mann and Kendall's test alone, of memory, one-sided at 95%, two bins in a row; forecast by a line."""
    count, warm = round(hours * 3600 / BIN_S), round(WARM_UP_S / BIN_S)

    def rises(memory: NDArray[np.float64], end: int) -> bool:
        return end - count >= warm and kendall(memory[end - count : end]) > 1.645

    def judge(lived: list[Life]) -> Iterator[Hits]:
        memories = [_minima(life)[0] for life in lived]
        for end in range(len(memories[0])):
            named = [rises(memory, end) and rises(memory, end - 1) for memory in memories]
            yield {
                f"camera-{number}": (said, said and _forecast_h(memory[end - count : end]) < 96)
                for number, (said, memory) in enumerate(zip(named, memories, strict=True))
            }

    return judge


RULES: dict[str, Judge] = {
    "as it is: beside the peers, 6 to 16 h": _by_vedette(Rule()),
    "the same, 6 h": _by_vedette(Rule(most_hours=6.0)),
    "the same, 6 to 12 h": _by_vedette(Rule(most_hours=12.0)),
    "the same, 12 h": _by_vedette(Rule(least_hours=12.0, most_hours=12.0)),
    "without peers, against the day alone, 6 to 16 h": _by_vedette(Rule(peers=99)),
    "Sen's bound above zero alone, 6 h": _by_vedette(
        Rule(most_hours=6.0, peers=99, day_share=0.0, floor=dict.fromkeys(Measure, 0.0))
    ),
    "Sen's bound above zero alone, 12 h": _by_vedette(
        Rule(least_hours=12.0, most_hours=12.0, peers=99, day_share=0.0, floor=dict.fromkeys(Measure, 0.0))
    ),
    "Mann–Kendall alone, 6 h": _by_kendall(6.0),
    "Mann–Kendall alone, 12 h": _by_kendall(12.0),
}


@dataclass
class _Count:
    """``onsets``: how often somebody who does not leak was named, and urgent. ``after_h``: by leak,
    hours from its beginning until it was named, inf = not within the day."""

    onsets: list[int] = field(default_factory=lambda: [0, 0])
    after_h: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in LEAKS})


def measured(name: str, worlds: int, kind: str) -> dict[str, Any]:
    """A row: one rule over so many node-days without a leak, and as many with each of the leaks."""
    judge, count = RULES[name], _Count()
    for seed in range(worlds):
        lived, leaking = _world(seed, kind)
        before: Hits = {}
        for hits in judge(lived):
            for worker, hit in hits.items():
                was = before.get(worker, (False, False))
                count.onsets = [old + (hit[at] and not was[at]) for at, old in enumerate(count.onsets)]
            before = hits
        for leak, life in leaking:
            count.after_h[leak].append(_named_after([life, *lived[1:]], judge, LEAKS[leak].since))
    return _row(name, worlds * WORKERS * HOURS // 24, count, kind)


def _named_after(lived: list[Life], judge: Judge, since: float) -> float:
    """Hours from the beginning of its leak until the first of them is named; inf = not within the day."""
    for bins, hits in enumerate(judge(lived)):
        after = bins * BIN_S / 3600 - since
        if after > 0 and hits.get("camera-0", (False, False))[0]:
            return after
    return math.inf


def _world(seed: int, kind: str) -> tuple[list[Life], Iterator[tuple[str, Life]]]:
    """The sixteen without a leak, and the first of them with each; the same for each rule."""
    rng = np.random.default_rng([2026, seed])
    node = Node.drawn(rng, kind)
    seeds = rng.integers(2**31, size=WORKERS)
    lived = [lives(np.random.default_rng(each), node, 0.0, HOURS) for each in seeds]
    leaking = (
        (name, lives(np.random.default_rng(seeds[0]), node, 0.0, HOURS, leak)) for name, leak in LEAKS.items()
    )
    return lived, leaking


def _row(name: str, days: int, count: _Count, kind: str) -> dict[str, Any]:
    (named, urgent), after = count.onsets, count.after_h
    return {
        "rule": name,
        "kind": kind,
        "days": days,
        "named": named,
        "named_rate": 100 * named / days,
        "named_most": 100 * most_likely_below(named) / days,
        "urgent": urgent,
        "urgent_rate": 100 * urgent / days,
        "urgent_most": 100 * most_likely_below(urgent) / days,
        "by_8": {leak: float(np.mean([hours <= 8.001 for hours in each])) for leak, each in after.items()},
        "by_12": {leak: float(np.mean([hours <= 12.001 for hours in each])) for leak, each in after.items()},
        "hours_p50_p95": {leak: [_share(each, 0.5), _share(each, 0.95)] for leak, each in after.items()},
    }


def most_likely_below(count: int) -> float:
    """The expected number of events of which so few happen once in twenty times (Poisson)."""
    low, high = 0.0, 10.0 + 3 * count
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(math.exp(-middle + k * math.log(middle) - math.lgamma(k + 1)) for k in range(count + 1))
        low, high = (middle, high) if chance > 0.05 else (low, middle)
    return high


def _minima(life: Life) -> NDArray[np.float64]:
    """Least memory, descriptors and threads of each bin, float64 [3, bins + 1]; the last closes the day."""
    per = round(BIN_S / EVERY_S)
    least = np.array([each.reshape(-1, per).min(axis=1) for each in (life.memory, life.files, life.threads)])
    return np.concatenate([least, least[:, -1:]], axis=1)


def _seen(minima: list[NDArray[np.float64]], step: int) -> list[Seen]:
    return [
        Seen(
            name=f"camera-{number}",
            kind=Kind.CAMERA,
            started_at=0.0,
            uss=int(least[0, step]),
            files=int(least[1, step]),
            threads=int(least[2, step]),
        )
        for number, least in enumerate(minima)
    ]


def _forecast_h(memory: NDArray[np.float64]) -> float:
    slope = float(np.polyfit(np.arange(len(memory)) * BIN_S / 3600, memory, 1)[0])
    return (LIMITS.most[Measure.MEMORY] - float(memory[-1])) / slope if slope > 0 else math.inf


def _share(hours: list[float], share: float) -> float | None:
    """The hours after which this share of them was named; None = not within the day."""
    value = sorted(hours)[math.ceil(share * len(hours)) - 1]
    return round(value, 2) if math.isfinite(value) else None
