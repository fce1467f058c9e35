"""Since when each camera has been as it is, and why: kept from what was decided of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vedette.quality.drift.decisions import (
    ChangedPicture,
    Decision,
    Noticed,
    Stage,
    SuspectedLoss,
    SuspicionOver,
)
from vedette.quality.drift.monitor import Status

__all__ = ["Standing", "Standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """``since``: Unix seconds; of a suspicion and a changed picture, when that most likely began; of the
    others, since when they were seen, which is not before the node's start. ``noticed``: what it rests on,
    while it lasts.
    ``suspicions``: how many there were, since the node's start."""

    stage: Stage
    since: float
    noticed: Noticed | None = None
    suspicions: int = 0


class Standings:
    """Of all cameras."""

    def __init__(self) -> None:
        self._all: dict[str, Standing] = {}

    def decided(self, decision: Decision) -> None:
        """To be called with each decision, before the statuses of the same moment."""
        known = self._all.get(decision.camera) or Standing(Stage.LEARNING, decision.at)
        match decision:
            case SuspectedLoss():
                known = replace(known, noticed=decision, suspicions=known.suspicions + 1)
            case ChangedPicture():
                known = replace(known, noticed=decision)
            case SuspicionOver():
                known = replace(known, noticed=None)
        self._all[decision.camera] = known

    def stands(self, camera: str, status: Status, now: float) -> Standing:
        """How it stands by its status of ``now`` (Unix seconds)."""
        known = self._all.get(camera)
        since = known.since if known is not None and known.stage is status.stage else now
        if status.stage is Stage.UNSEEN and status.unseen_since is not None:
            since = status.unseen_since
        noticed = known.noticed if known is not None else None
        if status.stage in (Stage.SUSPECTED, Stage.CHANGED) and noticed is not None:
            since = noticed.since
        found = Standing(status.stage, since, noticed, known.suspicions if known is not None else 0)
        self._all[camera] = found
        return found

    def forget(self, camera: str) -> None:
        """It is not watched any more."""
        self._all.pop(camera, None)
