"""The whole node in one look: what the first screen shows. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from vedette import __version__
from vedette.observe.views import CameraView, NodeView
from vedette.web.api.rows import Ages, CameraRow
from vedette.web.api.trouble import AT_MOST, Trouble
from vedette.web.api.words import HEALTH_WORDS

__all__ = ["Cameras", "Status", "away", "status"]


class Cameras(msgspec.Struct, frozen=True):
    """How many are how."""

    total: int = 0
    seen: int = 0
    degraded: int = 0
    blind: int = 0
    paused: int = 0
    starting: int = 0
    finished: int = 0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """``answers``: whether the node does; if not, ``detail`` says why, and the rest says nothing. ``at``:
    Unix seconds. ``age_ms``: of results, the worst camera's for each figure but ``p50``, which is the median
    camera's. ``blind_s_today``: of all cameras since midnight here, without pauses; null where there is no
    ledger. ``bottleneck``: what holds the node back, null where nothing does; ``bottleneck_stage``: null also
    where it is not clear. ``ladder``: cameras by step. ``problems``: the worst first, the first 50 of
    ``problems_total``."""

    node: str
    version: str = __version__
    answers: bool = True
    detail: str = ""
    at: float
    uptime_s: float = 0.0
    detector: str = ""
    input_size: tuple[int, int] = (0, 0)
    cameras: Cameras = Cameras()
    sites: list[str] = []
    analysed_per_s: float = 0.0
    age_ms: Ages = Ages()
    max_age_ms: float = 0.0
    blind_s_today: float | None = None
    bottleneck: str | None = None
    bottleneck_stage: str | None = None
    ladder: Mapping[str, int] = {}
    cpu_busy: float = 0.0
    cpu_percent: float = 0.0
    pss_mb: float = 0.0
    drift: bool = False
    problems: list[Trouble] = []
    problems_total: int = 0


def away(node: str, why: str, at: float) -> Status:
    """Of a node that does not answer."""
    return Status(
        node=node,
        answers=False,
        detail=why,
        at=at,
        problems=[
            Trouble(
                severity="error",
                kind="node",
                what="The node does not answer",
                why=why,
                doing="it is asked again and again",
                advice="Is it running? `vedette top` asks it as well.",
            )
        ],
        problems_total=1,
    )


def status(
    node: str,
    view: NodeView,
    rows: Sequence[CameraRow],
    found: Sequence[Trouble],
    *,
    at: float,
    bottleneck: tuple[str | None, str] | None,
    blind_s_today: float | None,
) -> Status:
    """``rows``: of the cameras that somebody still wants. ``bottleneck``: (stage, sentence), None for
    none; the stage is None where it is not clear."""
    how = Counter(row.health for row in rows)
    return Status(
        node=node,
        at=at,
        uptime_s=round(view.uptime_s, 1),
        detector=view.detector,
        input_size=view.input_size,
        cameras=Cameras(len(rows), **{word: how[word] for word in HEALTH_WORDS if word != "removed"}),
        sites=sorted({row.site for row in rows if row.site}),
        analysed_per_s=round(view.analysed_per_s, 1),
        age_ms=_ages(view.cameras),
        max_age_ms=round(1000 * view.max_age_s, 1),
        blind_s_today=None if blind_s_today is None else round(blind_s_today, 1),
        bottleneck=bottleneck[1] if bottleneck else None,
        bottleneck_stage=bottleneck[0] if bottleneck else None,
        ladder=Counter(row.step for row in rows),
        cpu_busy=round(view.cpu_busy, 3),
        cpu_percent=round(view.cpu_percent, 1),
        pss_mb=round(view.pss_mb, 1),
        drift=view.drift,
        problems=list(found[:AT_MOST]),
        problems_total=len(found),
    )


def _ages(cameras: Sequence[CameraView]) -> Ages:
    """Percentiles of several cameras cannot be added; the worst one of each is true of all."""
    aged = [camera.age_ms for camera in cameras if camera.frames.analysed]
    if not aged:
        return Ages()
    medians = sorted(age.p50 for age in aged)
    worst = (max(getattr(age, name) for age in aged) for name in ("p95", "p99", "max"))
    p95, p99, most = (round(value, 1) if math.isfinite(value) else 0.0 for value in worst)
    return Ages(round(medians[len(medians) // 2], 1), p95, p99, most)
