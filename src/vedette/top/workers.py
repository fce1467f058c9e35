"""What the table shows of a worker, and what is said of the sinks below it."""

from __future__ import annotations

from vedette.observe.views import WorkerView
from vedette.top.column import Cell, Column, number, text
from vedette.top.words import count, milliseconds, share

__all__ = ["WORKER_COLUMNS"]


def _busy(value: float) -> Cell:
    return share(value), "bold red" if value >= 0.95 else "yellow" if value >= 0.8 else ""


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
        "camera or inference",
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
        lambda worker: ("not running", "bold red") if worker.pid is None else (str(worker.pid), ""),
        lambda worker: worker.pid or 0,
        11,
        down=False,
    ),
    Column(
        "cameras",
        "cameras",
        "how many it reads",
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
)
