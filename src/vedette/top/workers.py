"""What the table shows of a worker, and of the node's own process beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from vedette.observe.views import NodeView, WorkerView
from vedette.supervise.seen import Measure
from vedette.top.column import Cell, Column, number, text
from vedette.top.words import clock, count, milliseconds, plain_name, share

__all__ = ["WORKER_COLUMNS", "processes"]


def processes(view: NodeView) -> list[WorkerView]:
    """The workers, and the node as if it were one of them; without it while nothing is known of it."""
    if view.usage is None:
        return list(view.workers)
    return [*view.workers, WorkerView("node", "node", view.usage.pid, usage=view.usage, peak=view.peak)]


def _busy(value: float) -> Cell:
    return share(value), "bold red" if value >= 0.95 else "yellow" if value >= 0.8 else ""


def _of(name: str) -> Callable[[WorkerView], int]:
    """A figure of its usage; 0 while it is not known."""
    return lambda worker: (getattr(worker.usage, name) or 0) if worker.usage else 0


def _cores(worker: WorkerView) -> float:
    return sum(worker.usage.cpu.values()) if worker.usage else 0.0


def _groups(worker: WorkerView) -> str:
    """What each group of its threads takes; those that do nothing are left out."""
    cpu = worker.usage.cpu if worker.usage else {}
    return " ".join(f"{group} {cores:.2f}" for group, cores in cpu.items() if cores >= 0.005)


def _absent(worker: WorkerView) -> str:
    return "quarantined" if worker.quarantined else "not running"


def _leaks(worker: WorkerView) -> str:
    """What it leaks in an hour, for sure."""
    return ", ".join(Measure(measure).written(amount) for measure, amount in worker.leaks.items())


def tried(worker: WorkerView) -> str:
    """The model that a candidate tries, and since when; empty for all others."""
    if not worker.model:
        return ""
    name = plain_name(PurePath(worker.model).name)
    return f"{name} {clock(worker.ran_s)}" if worker.ran_s else f"{name} (loading)"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}"


def _figure(
    rank: int,
    key: str,
    title: str,
    about: str,
    value: Callable[[WorkerView], Any],
    shown: Callable[[Any], str] = count,
) -> Column[WorkerView]:
    """A number that is left out before those of a lower ``rank``."""
    width = max(5, len(title))
    return Column(
        key, title, about, lambda each: number(shown(value(each)), value(each)), value, width, rank=rank
    )


WORKER_COLUMNS: tuple[Column[WorkerView], ...] = (
    Column(
        "name",
        "worker",
        "its name",
        lambda worker: text(worker.name),
        lambda worker: worker.name,
        14,
        grows=10,
        number=False,
        down=False,
    ),
    Column(
        "kind",
        "kind",
        "camera, inference, or that of a candidate: canary, shadow",
        lambda worker: text(worker.kind),
        lambda worker: worker.kind,
        9,
        number=False,
        down=False,
    ),
    Column(
        "pid",
        "pid",
        "of its process",
        lambda worker: (str(worker.pid), "") if worker.pid is not None else (_absent(worker), "bold red"),
        lambda worker: worker.pid or 0,
        11,
        down=False,
    ),
    Column(
        "cameras",
        "cameras",
        "how many it reads, or detects for as a canary",
        lambda worker: number(str(worker.cameras), worker.cameras),
        lambda worker: worker.cameras,
        7,
    ),
    Column(
        "busy",
        "busy",
        "share of the last second without rest",
        lambda worker: _busy(worker.busy),
        lambda worker: worker.busy,
        5,
    ),
    Column(
        "waited",
        "no core",
        "the part of it in which it got no core",
        lambda worker: number(share(worker.waited), worker.waited, "yellow" if worker.waited >= 0.2 else ""),
        lambda worker: worker.waited,
        7,
    ),
    Column(
        "late",
        "late ms",
        "the most that a turn of its loop was late",
        lambda worker: number(milliseconds(worker.late_ms), worker.late_ms),
        lambda worker: worker.late_ms,
        7,
    ),
    Column(
        "outbox",
        "outbox",
        "messages that the node has not taken",
        lambda worker: number(count(worker.outbox), worker.outbox),
        lambda worker: worker.outbox,
        6,
    ),
    _figure(1, "memory", "MB", "memory, pages that it shares counted in parts", _of("pss"), _megabytes),
    _figure(2, "cores", "cores", "how many it has in use", _cores, "{:.2f}".format),
    _figure(3, "files", "files", "file descriptors that it has open", _of("fds")),
    Column(
        "groups",
        "cores by threads",
        "cores in use by what its threads do: loop, decode, take; detect, ask; other",
        lambda worker: text(_groups(worker)),
        _groups,
        31,
        rank=4,
        grows=11,
        number=False,
    ),
    _figure(5, "threads", "threads", "how many it has", _of("threads")),
    _figure(6, "peak", "most MB", "the most it had", lambda worker: worker.peak.pss, _megabytes),
    _figure(7, "own", "own MB", "memory that it shares with nobody", _of("uss"), _megabytes),
    _figure(8, "gpu", "GPU MB", "memory on GPUs", _of("gpu"), _megabytes),
    _figure(9, "died", "died", "how often it did", lambda worker: worker.deaths),
    _figure(
        10, "replaced", "replaced", "how often, as planned", lambda worker: sum(worker.replacements.values())
    ),
    Column(
        "leaks",
        "leaks an hour",
        "what it leaks for sure, in an hour",
        lambda worker: (_leaks(worker), "bold yellow"),
        lambda worker: max(worker.leaks.values(), default=0.0),
        14,
        rank=11,
        grows=10,
    ),
    Column(
        "model",
        "tries",
        "of a candidate: its model, and since when",
        lambda worker: text(tried(worker)),
        tried,
        16,
        rank=12,
        grows=20,
        number=False,
    ),
)
