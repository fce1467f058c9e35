"""A camera as the API says it: a row of the table, and all there is to know. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from vedette.observe.views import AccuracyView, CameraView, Percentiles
from vedette.top.quality import drift_word
from vedette.top.quality import why as drift_why
from vedette.web.api.words import HEALTH_WORDS, cause_of, health_word, why

__all__ = [
    "SORTS",
    "Accuracy",
    "Ages",
    "CameraDetail",
    "CameraRow",
    "Drift",
    "Open",
    "arranged",
    "detail",
    "row",
]


class Open(NamedTuple):
    """What the ledger knows of what a camera has open. ``since``: Unix seconds."""

    cause: str
    since: float
    detail: str = ""
    incident: str | None = None


class Ages(msgspec.Struct, frozen=True):
    """Milliseconds; all 0 while nothing was measured."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class Drift(msgspec.Struct, frozen=True):
    """How the detector does on it. ``stage``: learning, watching, unseen, changed or suspected. ``word``: the
    same, with how far learning is, or what reviews confirm. ``learnt``: 0…1. ``why``: what a suspicion rests
    on. ``since``: Unix seconds, null where it is not known."""

    stage: str
    word: str
    learnt: float
    light: str
    evidence: float
    why: str
    since: float | None


class Accuracy(msgspec.Struct, frozen=True):
    """By reviewed frames. ``measure``: precision or recall; ``value`` from ``lower`` to ``upper``, 0…1, null
    while there are too few ``frames``. ``floor``: what it must not fall below. ``lost``: it surely does."""

    measure: str
    frames: int
    value: float | None
    lower: float | None
    upper: float | None
    floor: float | None
    lost: bool
    since: float | None
    camera: str = ""
    site: str = ""


class CameraRow(msgspec.Struct, frozen=True, kw_only=True):
    """``health``: seen, degraded, blind, starting, paused, finished or removed. ``since``: Unix seconds since
    when it is so, null where that is not known. ``cause``, ``blame``: of the ledger's words, null where there
    is none. ``why`` and ``doing``: the same for people, and what is being done. ``state``: of its connection.
    ``objects``: how many of each class are in the newest result; null while it is not seen. ``gaps``,
    ``blind_s``: how often and for how long it was blind since the node's start."""

    name: str
    site: str
    health: str
    since: float | None
    cause: str | None
    blame: str | None
    degraded: tuple[str, ...]
    why: str
    doing: str
    state: str
    fps_in: float
    fps_analysed: float
    age_ms: Ages
    lag_ms: float
    step: str
    decodes: str
    objects: Mapping[str, int] | None
    epoch: int
    sessions: int
    gaps: int
    blind_s: float
    drift: Drift | None
    accuracy: list[Accuracy]
    width: int
    height: int
    priority: float


class CameraDetail(CameraRow, frozen=True, kw_only=True):
    """With ``at``, when this was so; ``stages_ms`` by stage; ``frames`` by outcome and ``endings`` of frames
    by place and outcome, since the start; ``blind_by_cause_s``; ``settings`` as in the YAML file, addresses
    without credentials; ``review``: frames kept for people by stream and outcome, null where none are;
    ``lights``: hours of data of each light that drift has learnt, ``lights_unknown`` of others."""

    at: float
    stages_ms: Mapping[str, Ages]
    frames: Mapping[str, int]
    endings: Mapping[str, int]
    blind_by_cause_s: Mapping[str, float]
    last_end_reason: str | None
    backlog: int
    kept: int
    settings: Mapping[str, Any]
    review: Mapping[str, Mapping[str, int]] | None
    drift_whole: Mapping[str, Any] | None


def ages(of: Percentiles) -> Ages:
    return Ages(round(of.p50, 1), round(of.p95, 1), round(of.p99, 1), round(of.max, 1))


def row(camera: CameraView, site: str, known: Mapping[str, Open]) -> CameraRow:
    """``known``: what the ledger has open of it, by cause."""
    return CameraRow(**_fields(camera, site, known))


def _fields(camera: CameraView, site: str, known: Mapping[str, Open]) -> dict[str, Any]:
    cause = cause_of(camera)
    opened = known.get(cause) if cause else None
    paused = cause == "paused" and camera.since is not None  # the ledger knows since when it is here
    return {
        "name": camera.name,
        "site": camera.site or site,
        "health": health_word(camera),
        "since": opened.since if opened and not paused else camera.since,
        "cause": cause,
        "blame": camera.blame,
        "degraded": camera.degraded,
        "why": why(camera, opened.detail if opened else camera.detail),
        "doing": camera.doing,
        "state": camera.state,
        "fps_in": round(camera.fps_in, 1),
        "fps_analysed": round(camera.fps_analysed, 1),
        "age_ms": ages(camera.age_ms),
        "lag_ms": round(camera.lag_ms, 1),
        "step": camera.step,
        "decodes": camera.decodes,
        "objects": camera.objects,
        "epoch": camera.epoch,
        "sessions": camera.sessions,
        "gaps": camera.gaps,
        "blind_s": round(sum(camera.blind_s.values()), 1),
        "drift": drift(camera),
        "accuracy": [accuracy(each) for each in camera.accuracy],
        "width": camera.width,
        "height": camera.height,
        "priority": camera.priority,
    }


def drift(camera: CameraView) -> Drift | None:
    """None where nobody watches."""
    found = camera.drift
    if found is None:
        return None
    return Drift(
        found.stage,
        drift_word(camera),
        round(found.learnt, 3),
        found.light,
        round(found.evidence, 3),
        drift_why(found),
        found.since or None,
    )


def accuracy(known: AccuracyView) -> Accuracy:
    return Accuracy(
        known.measure,
        known.frames,
        known.value,
        known.lower,
        known.upper,
        known.floor,
        known.lost,
        known.since or None,
        known.camera,
        known.site,
    )


def detail(
    camera: CameraView, settings: Mapping[str, Any], known: Mapping[str, Open], *, at: float
) -> CameraDetail:
    """``settings``: the camera's, as in the YAML file."""
    review: dict[str, dict[str, int]] = {}
    for (stream, became), count in (camera.review or {}).items():
        review.setdefault(stream, {})[became] = count
    frames = camera.frames
    return CameraDetail(
        **_fields(camera, str(settings.get("site", "")), known),
        at=at,
        stages_ms={stage: ages(times) for stage, times in camera.stages_ms.items()},
        frames={name: getattr(frames, name) for name in frames.__slots__},
        endings=camera.endings,
        blind_by_cause_s={cause: round(seconds, 3) for cause, seconds in camera.blind_s.items()},
        last_end_reason=camera.last_end_reason,
        backlog=camera.backlog,
        kept=camera.kept,
        settings=settings,
        review=None if camera.review is None else review,
        drift_whole=None if camera.drift is None else msgspec.to_builtins(camera.drift),
    )


# ---- which rows, and in which order

_DIGITS = re.compile(r"([0-9]+)")
_DRIFT = {"": 0, "watching": 1, "learning": 2, "unseen": 3, "changed": 4, "suspected": 5}


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """As people count: cam2 before cam10."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(name)]


SORTS: Mapping[str, Callable[[CameraRow], Any]] = {
    "name": lambda row: _natural(row.name),
    "health": lambda row: (HEALTH_WORDS.index(row.health), row.since or float("inf")),
    "site": lambda row: (row.site, _natural(row.name)),
    "since": lambda row: row.since or float("inf"),
    "age": lambda row: -row.age_ms.p99,
    "lag": lambda row: -row.lag_ms,
    "fps": lambda row: -row.fps_analysed,
    "gaps": lambda row: -row.gaps,
    "blind": lambda row: -row.blind_s,
    "drift": lambda row: (
        -(
            6
            if any(each.lost for each in row.accuracy)
            else _DRIFT.get(row.drift.stage if row.drift else "", 1)
        )
    ),
}
"""The worst, largest or first one first."""


def arranged(
    rows: Iterable[CameraRow],
    *,
    q: str = "",
    health: Iterable[str] = (),
    site: str | None = None,
    sort: str | None = None,
    backwards: bool = False,
) -> list[CameraRow]:
    """Those that have each word of ``q`` in their name or in what is said of them, and are of one of the
    ``health`` words and of the ``site``, where these are given."""
    words, wanted = q.casefold().split(), frozenset(health)
    found = [
        row
        for row in rows
        if (not wanted or row.health in wanted)
        and (site is None or row.site == site)
        and (not words or _said(row, words))
    ]
    if sort is not None:
        found.sort(key=SORTS[sort])
    return found[::-1] if backwards else found


def _said(row: CameraRow, words: list[str]) -> bool:
    parts = (row.name, row.site, row.health, row.state, row.cause, row.blame, row.why, row.step, row.decodes)
    drift = row.drift.word if row.drift else ""
    said = " ".join((*(part or "" for part in parts), *row.degraded, drift)).casefold()
    return all(word in said for word in words)
