"""What is wrong now, since when, why, and what is being done: a short list, the worst first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from vedette.alerts.phrases import ADVICE, RULES
from vedette.causes import Cause
from vedette.observe.views import AccuracyView, NodeView, WorkerView
from vedette.top.quality import accuracy_words
from vedette.web.api.rows import CameraRow
from vedette.web.api.words import reason

__all__ = ["AT_MOST", "Incident", "Trouble", "troubles"]

AT_MOST = 50
"""More nobody reads; the cameras themselves say the rest."""
STARTS_WITHIN_S = 60.0
"""A camera that has given no picture for longer after it was added is not just starting."""

_TOGETHER = frozenset(
    {Cause.DETECTOR_LOST, Cause.WORKER_LOST, Cause.NODE_DOWN, Cause.OVERLOADED, Cause.DECODE_BEHIND}
) | {Cause.THINNED, Cause.HANDED_OVER, Cause.NODE_ASLEEP}
"""Our own doing, which all cameras have at once: told once."""

_BYTES = ("memory", "gpu")


class Incident(msgspec.Struct, frozen=True):
    """Cameras that went together and are not back. ``since``: Unix seconds."""

    id: str
    scope: str
    since: float
    cause: str
    cameras: list[str]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """``severity``: error, warning or info. ``kind``: node, detector, worker, incident, blind, degraded,
    accuracy, validation, drift, canary or leak. ``what`` is wrong, ``why``, what is being done (``doing``),
    and what people can do (``advice``): sentences; may be empty but for the first. ``since``: Unix seconds,
    null where it is not known. ``cameras``: whom it concerns, where that is more than one."""

    severity: str
    kind: str
    what: str
    since: float | None = None
    why: str = ""
    doing: str = ""
    advice: str = ""
    camera: str | None = None
    worker: str | None = None
    cameras: list[str] = []


def troubles(
    view: NodeView, rows: Sequence[CameraRow], incidents: Iterable[Incident], *, now: float, cause: str = ""
) -> list[Trouble]:
    """All of them. ``rows``: of the view's cameras. ``now``: Unix seconds. ``cause``: the sentence that says
    what holds the node back."""
    told = list(incidents)
    in_common = {name for incident in told for name in incident.cameras}
    found = [
        *_of_workers(view),
        *(_incident(each, rows) for each in told),
        *_of_cameras(rows, in_common, now, cause),
        *_of_the_detector(view),
        *(_lost(each) for each in view.sites if each.lost),
        *_of_quality(rows),
        *(_leak(worker) for worker in view.workers if worker.leaks),
    ]
    return sorted(found, key=_rank)


_SEVERITY = {"error": 0, "warning": 1, "info": 2}
_KINDS = (
    "node",
    "detector",
    "worker",
    "incident",
    "blind",
    "accuracy",
    "validation",
    "canary",
    "degraded",
    "drift",
    "leak",
)


def _rank(trouble: Trouble) -> tuple[int, int, int, float]:
    """What concerns more cameras is worse; of two that are alike the older one."""
    concerned = -len(trouble.cameras)
    since = trouble.since if trouble.since is not None else float("inf")
    return _SEVERITY[trouble.severity], _KINDS.index(trouble.kind), concerned, since


# ---- the node's own


def _of_workers(view: NodeView) -> Iterable[Trouble]:
    detectors = [worker for worker in view.workers if worker.kind == "inference" and worker.pid is not None]
    if view.workers and not detectors:
        yield Trouble(
            severity="error",
            kind="detector",
            what=RULES["detector"].one,
            doing="one is being started",
            advice=ADVICE["detector"],
        )
    for worker in view.workers:
        if worker.quarantined:
            yield Trouble(
                severity="error",
                kind="worker",
                what=RULES["quarantine"].one.format(name=worker.name),
                why=f"it died {worker.deaths} times",
                doing="it is left alone for a while, then tried again",
                advice=ADVICE["quarantine"],
                worker=worker.name,
            )


def _leak(worker: WorkerView) -> Trouble:
    amounts = ", ".join(_amount(measure, rate) for measure, rate in worker.leaks.items())
    return Trouble(
        severity="info",
        kind="leak",
        what=f"Worker {worker.name} leaks {amounts} an hour",
        doing="it is replaced before that does harm, with nothing lost",
        worker=worker.name,
    )


def _amount(measure: str, rate: float) -> str:
    return f"{rate / 1e6:.1f} MB of {measure}" if measure in _BYTES else f"{rate:.1f} {measure}"


def _of_the_detector(view: NodeView) -> Iterable[Trouble]:
    if view.validation is not None and not view.validation.passed:
        yield Trouble(
            severity="warning",
            kind="validation",
            what=RULES["validation"].one,
            since=view.validation.at,
            why="; ".join(view.validation.problems),
            advice=ADVICE["validation"],
        )
    if view.canary is not None and view.canary.why in (
        "died",
        "hung",
        "failed",
        "suspected",
        "found_nothing",
    ):
        from vedette.observe.canary_words import canary_words

        yield Trouble(
            severity="info",
            kind="canary",
            what="A candidate did worse than the model before it",
            why=canary_words(view.canary).removeprefix("canary:").strip(),
            doing="the model before detects again",
        )


# ---- cameras


def _incident(incident: Incident, rows: Sequence[CameraRow]) -> Trouble:
    concerned = set(incident.cameras)
    still = [row for row in rows if row.name in concerned and row.health == "blind"]
    doing = next((row.doing for row in still if row.doing), "")
    return Trouble(
        severity="error",
        kind="incident",
        what=RULES["incident"].one.format(n=len(incident.cameras), detail=incident.scope),
        since=incident.since,
        why=reason(incident.cause),
        doing=doing,
        # Of a process of ours nobody has to look for a cable.
        advice=ADVICE[incident.cause if incident.cause == Cause.WORKER_LOST else "incident"],
        cameras=incident.cameras,
    )


def _of_cameras(
    rows: Sequence[CameraRow], in_common: set[str], now: float, held_back: str
) -> Iterable[Trouble]:
    together: dict[tuple[str, str], list[CameraRow]] = defaultdict(list)
    for row in rows:
        if row.health == "starting" and row.since is not None and now - row.since > STARTS_WITHIN_S:
            yield _blind(row)
        elif row.health not in ("blind", "degraded") or (row.health == "blind" and row.name in in_common):
            continue
        elif row.cause in _TOGETHER:
            together[row.health, row.cause or ""].append(row)
        else:
            yield _blind(row) if row.health == "blind" else _degraded(row)
    for (health, cause), some in together.items():
        yield _common(health, cause, some, held_back)


def _blind(row: CameraRow) -> Trouble:
    said = RULES["down"].one.format(name=row.name, cause=reason(row.cause or row.state))
    return Trouble(
        severity="error",
        kind="blind",
        what=said,
        since=row.since,
        why=_with_blame(row),
        doing=row.doing,
        advice=ADVICE.get(row.cause or "", ""),
        camera=row.name,
    )


def _degraded(row: CameraRow) -> Trouble:
    return Trouble(
        severity="warning",
        kind="degraded",
        what=f"{row.name}: {', '.join(reason(each) for each in row.degraded)}",
        since=row.since,
        why=_with_blame(row),
        doing=row.doing,
        advice=next((ADVICE[each] for each in row.degraded if each in ADVICE), ""),
        camera=row.name,
    )


def _with_blame(row: CameraRow) -> str:
    return f"{row.why} (whose doing: {row.blame})" if row.blame and row.why else row.why


def _common(health: str, cause: str, rows: list[CameraRow], held_back: str) -> Trouble:
    names = [row.name for row in rows]
    whom = names[0] if len(names) == 1 else f"{len(names)} cameras"
    known = [row.since for row in rows if row.since is not None]
    return Trouble(
        severity="error" if health == "blind" else "warning",
        kind=health,
        what=f"{whom}: {reason(cause)}",
        since=min(known, default=None),
        why=held_back if cause in (Cause.OVERLOADED, Cause.THINNED, Cause.DECODE_BEHIND) else rows[0].why,
        doing=rows[0].doing,
        advice=ADVICE.get(cause, ""),
        camera=names[0] if len(names) == 1 else None,
        cameras=names if len(names) > 1 else [],
    )


# ---- how well it is seen


def _lost(known: AccuracyView) -> Trouble:
    return Trouble(
        severity="error",
        kind="accuracy",
        what=RULES["accuracy"].one.format(name=known.camera or known.site, detail=accuracy_words(known)),
        since=known.since or None,
        advice=ADVICE["accuracy"],
        camera=known.camera or None,
    )


def _of_quality(rows: Sequence[CameraRow]) -> Iterable[Trouble]:
    for row in rows:
        for known in row.accuracy:
            if known.lost:
                lost = f"{known.measure} {_share(known.value)}, floor {_share(known.floor)}"
                yield Trouble(
                    severity="error",
                    kind="accuracy",
                    what=RULES["accuracy"].one.format(name=row.name, detail=lost),
                    since=known.since,
                    advice=ADVICE["accuracy"],
                    camera=row.name,
                )
        if row.drift is not None and row.drift.stage == "suspected":
            yield Trouble(
                severity="warning",
                kind="drift",
                what=f"{row.name}: the detector is suspected to do worse than it did",
                since=row.drift.since,
                why=row.drift.why,
                doing="more of its frames are kept for review",
                advice="Review what is kept of it: that confirms the loss or refutes it.",
                camera=row.name,
            )


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
