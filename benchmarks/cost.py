"""What a tree of processes costs, looked at from outside."""

from __future__ import annotations

import time

import psutil

__all__ = ["cpu_s", "pss_mb", "pss_samples"]


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process and all of its children, ended ones included."""
    total = 0.0
    for process in _tree(pid):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def pss_mb(pid: int) -> float:
    """Proportional memory of the tree, 10^6 bytes."""
    return sum(float(process.memory_full_info().pss) for process in _tree(pid)) / 1e6


def pss_samples(pid: int, count: int = 6, every: float = 0.5) -> list[float]:
    samples = []
    for _ in range(count):
        samples.append(round(pss_mb(pid), 1))
        time.sleep(every)
    return samples
