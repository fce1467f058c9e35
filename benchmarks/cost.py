"""What a tree of processes costs, looked at from outside."""

from __future__ import annotations

import re
import statistics
import time
from collections import defaultdict
from typing import Any

import psutil

__all__ = ["Costs", "cpu_columns", "cpu_s", "pss_columns", "pss_mb", "pss_samples", "total"]

Costs = dict[str, float]
"""By kind of process: ``main`` is the one that was started, the others are named by what they were told."""


def cpu_s(pid: int) -> Costs:
    """CPU seconds, user and system, of a process and all of its children, ended ones included."""
    found: Costs = defaultdict(float)
    for process in _tree(pid):
        times = process.cpu_times()
        found[_kind(process, pid)] += sum(
            (times.user, times.system, times.children_user, times.children_system)
        )
    return dict(found)


def pss_mb(pid: int) -> Costs:
    """Proportional memory of the tree, 10^6 bytes."""
    found: Costs = defaultdict(float)
    for process in _tree(pid):
        found[_kind(process, pid)] += process.memory_full_info().pss / 1e6
    return dict(found)


def pss_samples(pid: int, count: int = 6, every: float = 0.5) -> list[Costs]:
    """:func:`pss_mb`, several times over."""
    samples = []
    for _ in range(count):
        samples.append(pss_mb(pid))
        time.sleep(every)
    return samples


def total(costs: Costs) -> float:
    return sum(costs.values())


def cpu_columns(before: Costs, after: Costs, seconds: float) -> dict[str, Any]:
    """Cores that were busy, in all and by kind of process."""
    cores = {kind: round((used - before.get(kind, 0.0)) / seconds, 3) for kind, used in after.items()}
    return {"cpu_cores": round(total(cores), 3), "cpu_cores_by_process": cores}


def pss_columns(samples: list[Costs]) -> dict[str, Any]:
    """Median and peak of all processes together, and the last sample by kind of process."""
    totals = [total(sample) for sample in samples]
    return {
        "pss_mb": round(statistics.median(totals), 1),
        "pss_peak_mb": round(max(totals), 1),
        "pss_mb_by_process": {kind: round(mb, 1) for kind, mb in samples[-1].items()},
    }


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _kind(process: psutil.Process, root: int) -> str:
    if process.pid == root:
        return "main"
    words = [word for word in process.cmdline()[1:] if re.fullmatch(r"[a-z][a-z_.]+", word)]
    return " ".join(words) or process.name()
