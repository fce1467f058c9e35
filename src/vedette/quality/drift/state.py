"""What is told of a camera, and when that is over: a pure function of what its last window said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vedette.quality.drift.decisions import (
    ConditionsKnown,
    Decision,
    Noticed,
    Stage,
    SuspectedLoss,
    SuspicionOver,
    UnseenConditions,
)
from vedette.quality.drift.settings import Settings

__all__ = ["Said", "State", "next_state", "stage"]

KNOWN_FOR_S = 60.0
"""Known conditions have to last so long for unseen ones to be over: dusk goes back and forth."""
CALM_SHARE = 1e-3
CALM_FOR_S = 600.0
"""Evidence below this share of the ARL for ten minutes ends a suspicion. Evidence halves with a usual block
at the least, so that is ten usual blocks more."""


@dataclass(frozen=True, slots=True)
class State:
    """Unix seconds, None = not so. ``unseen``: told that conditions are. ``suspected``: told, since;
    ``lost``: of a loss, not only of another picture."""

    unseen_since: float | None = None
    unseen: bool = False
    known_since: float | None = None
    suspected: float | None = None
    lost: bool = False
    calm_since: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """By a window that ended at ``at`` and lasted since ``began``.

    ``known``: whether such conditions were met while learning; None before anything was learnt. ``evidence``:
    in windows. ``noticed``: what is to be told, where the camera is among those chosen.
    """

    camera: str
    began: float
    at: float
    known: bool | None
    light: int
    hour: int
    evidence: float
    noticed: Noticed | None = None


def stage(state: State, learning: bool) -> Stage:
    if state.suspected is not None:
        return Stage.SUSPECTED if state.lost else Stage.CHANGED
    if state.unseen_since is not None:
        return Stage.UNSEEN
    return Stage.LEARNING if learning else Stage.WATCHING


def next_state(state: State, said: Said, settings: Settings) -> tuple[State, tuple[Decision, ...]]:
    state, conditions = _conditions(state, said, settings)
    state, noticed = _noticed(state, said, settings)
    return state, (*conditions, *noticed)


def _conditions(state: State, said: Said, settings: Settings) -> tuple[State, tuple[Decision, ...]]:
    if said.known is None:
        return state, ()
    if not said.known:
        since = said.began if state.unseen_since is None else state.unseen_since
        state = replace(state, unseen_since=since, known_since=None)
        if state.unseen or said.at - since < settings.unseen_after_s:
            return state, ()
        told = UnseenConditions(camera=said.camera, at=said.at, since=since, light=said.light, hour=said.hour)
        return replace(state, unseen=True), (told,)
    if state.unseen_since is None:
        return state, ()
    known_since = said.began if state.known_since is None else state.known_since
    if said.at - known_since < KNOWN_FOR_S:
        return replace(state, known_since=known_since), ()
    over = ConditionsKnown(camera=said.camera, at=said.at, since=known_since)
    told_over = (over,) if state.unseen else ()
    return replace(state, unseen_since=None, unseen=False, known_since=None), told_over


def _noticed(state: State, said: Said, settings: Settings) -> tuple[State, tuple[Decision, ...]]:
    if said.noticed is not None and not state.lost:
        lost = isinstance(said.noticed, SuspectedLoss)
        if lost or state.suspected is None:
            return replace(state, suspected=said.at, lost=lost, calm_since=None), (said.noticed,)
    if state.suspected is None:
        return state, ()
    if not said.known:
        # Nothing is judged now: neither calm nor worse.
        return replace(state, calm_since=None), ()
    if said.evidence >= CALM_SHARE * settings.arl:
        return replace(state, calm_since=None), ()
    calm = said.began if state.calm_since is None else state.calm_since
    if said.at - calm < CALM_FOR_S:
        return replace(state, calm_since=calm), ()
    over = SuspicionOver(camera=said.camera, at=said.at, since=calm, reset=False)
    return replace(state, suspected=None, lost=False, calm_since=None), (over,)
