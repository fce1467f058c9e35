"""Since when each camera has been as it is, and why: kept from what was decided of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vedette.quality.drift.decisions import Decision, Stage, SuspectedLoss, SuspicionOver
from vedette.quality.drift.monitor import Status

__all__ = ["Standing", "Standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """``since``: Unix seconds; of a suspicion, when the loss most likely began; of the other stages, since
    when they were seen, which is not before the node's start. ``loss``: what is suspected, while it is.
    ``suspicions``: how many there were, since the node's start."""

    stage: Stage
    since: float
    loss: SuspectedLoss | None = None
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
                known = replace(known, loss=decision, suspicions=known.suspicions + 1)
            case SuspicionOver():
                known = replace(known, loss=None)
        self._all[decision.camera] = known

    def stands(self, camera: str, status: Status, now: float) -> Standing:
        """How it stands by its status of ``now`` (Unix seconds)."""
        known = self._all.get(camera)
        since = known.since if known is not None and known.stage is status.stage else now
        if status.stage is Stage.UNSEEN and status.unseen_since is not None:
            since = status.unseen_since
        loss = known.loss if known is not None else None
        if status.stage is Stage.SUSPECTED and loss is not None:
            since = loss.since
        found = Standing(status.stage, since, loss, known.suspicions if known is not None else 0)
        self._all[camera] = found
        return found

    def forget(self, camera: str) -> None:
        """It is not watched any more."""
        self._all.pop(camera, None)
