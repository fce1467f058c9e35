"""The log of what happens to a node: a line per fact, in words for people."""

from __future__ import annotations

from typing import Any

import structlog

from vedette.causes import Cause, Kind
from vedette.facts import (
    Alerted,
    AnyFact,
    Blind,
    CameraAdded,
    CameraFinished,
    CameraRemoved,
    CanaryEnded,
    CanaryStarted,
    ConditionsKnown,
    ConditionsUnseen,
    Degraded,
    EpochStarted,
    GapChanged,
    GapClosed,
    GapOpened,
    IncidentClosed,
    IncidentOpened,
    Isolated,
    LossConfirmed,
    LossOver,
    LossSuspected,
    ModelGated,
    PictureChanged,
    Quarantined,
    Recovered,
    Released,
    ReplacementFailed,
    ReplacementPostponed,
    Resized,
    Sees,
    SessionEnded,
    SessionOpened,
    ShadowEnded,
    ShadowReported,
    ShadowStarted,
    Stepped,
    SuspicionOver,
    TracksEnded,
    Trouble,
    ValidationFailed,
    ValidationPassed,
    ValidationPostponed,
    WorkerEnded,
    WorkerReplaced,
)
from vedette.ladder.steps import Step
from vedette.observe.canary_words import log_canary
from vedette.observe.shadow_words import log_shadow
from vedette.supervise.exits import in_words

__all__ = ["FactLog", "Repeats", "is_quiet", "log_fact"]

NAMES_AT_MOST = 10
"""In one line of the log."""


_SAID_OTHERWISE = (Blind, Sees, Degraded, Recovered, GapChanged, CameraAdded)
"""What these say is in the gaps that they lead to."""

_OF_WORKERS = (
    WorkerEnded,
    Quarantined,
    Released,
    Isolated,
    WorkerReplaced,
    ReplacementFailed,
    ReplacementPostponed,
)


def is_quiet(fact: AnyFact) -> bool:
    """Whether it is logged for those only who want to know everything."""
    if isinstance(fact, (GapOpened, GapClosed)):
        # One line said it of all the cameras that the ladder moved.
        return fact.gap.cause in (Cause.THINNED, Cause.OVERLOADED)
    return isinstance(fact, _SAID_OTHERWISE)


class Repeats:
    """Knows which ends of sessions are no news: attempts failing as the one before did. A fleet whose switch
    is gone would fill the log with them."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        """Why the last session of each camera ended."""

    def again(self, fact: AnyFact) -> bool:
        """To be asked of every fact, once."""
        if isinstance(fact, (CameraFinished, CameraRemoved, CameraAdded)):
            self._last.pop(fact.camera, None)
        if not isinstance(fact, SessionEnded):
            return False
        before, self._last[fact.camera] = self._last.get(fact.camera), fact.reason.value
        # One that brought frames was no mere attempt.
        return before == fact.reason.value and not fact.frames


class FactLog:
    """Logs every fact of a node that it is called with."""

    def __init__(self, log: Any = None) -> None:
        self._log, self._repeats = log, Repeats()

    def __call__(self, fact: AnyFact) -> None:
        log_fact(fact, self._log, again=self._repeats.again(fact))


def log_fact(fact: AnyFact, log: Any = None, *, again: bool = False) -> None:
    """Log it, at the level it deserves. ``log``: what has structlog's methods; by default, its logger.
    ``again``: see :class:`Repeats`."""
    log = log or structlog.get_logger()
    match fact:
        case GapOpened() | GapClosed():
            _log_gap(fact, log)
        case IncidentOpened() | IncidentClosed():
            incident = fact.incident
            log.warning(
                "incident" if incident.end is None else "incident over",
                scope=incident.scope,
                cause=incident.cause.value,
                cameras=len(incident.cameras),
                names=incident.cameras[:NAMES_AT_MOST],
            )
        case Alerted():
            say = log.error if fact.severity == "critical" and not fact.resolved else log.warning
            say("alert", severity=fact.severity, title=fact.title, body=fact.body)
        case Stepped():
            _log_step(fact, log)
        case Resized():
            log.warning("detector input resized", height=fact.height, width=fact.width, why=fact.why)
        case TracksEnded():
            log.info("tracks ended", camera=fact.camera, tracks=len(fact.track_ids), reason=fact.reason)
        case _ if isinstance(fact, _SAID_OTHERWISE):
            log.debug(_words(type(fact).__name__), **_of_camera(getattr(fact, "camera", None)))
        case SessionEnded():
            say = log.info if again else log.warning
            say(
                "session ended",
                camera=fact.camera,
                reason=fact.reason.value,
                detail=fact.detail,
                retry_in=None if fact.retry_in is None else round(fact.retry_in, 2),
            )
        case _ if isinstance(fact, _OF_WORKERS):
            _log_worker(fact, log)
        case LossSuspected() | PictureChanged() | ConditionsUnseen() | ConditionsKnown() | SuspicionOver():
            _log_drift(fact, log)
        case ModelGated() | ValidationPassed() | ValidationFailed() | ValidationPostponed():
            _log_validation(fact, log)
        case LossConfirmed() | LossOver():
            _log_accuracy(fact, log)
        case CanaryStarted() | CanaryEnded():
            log_canary(fact, log)
        case ShadowStarted() | ShadowReported() | ShadowEnded():
            log_shadow(fact, log)
        case Trouble():
            # A trace that is lost costs no result.
            say = log.warning if fact.where == "traces" else log.error
            say("trouble", where=fact.where, **_of_camera(fact.camera), message=fact.message)
        case EpochStarted():
            log.info("epoch started", camera=fact.camera, epoch=fact.epoch, reason=fact.reason)
        case SessionOpened() if not fact.width:
            # H.264 tells the size in its first picture only.
            log.info("session opened", camera=fact.camera, codec=fact.codec)
        case _:
            fields = {name: getattr(fact, name) for name in fact.__struct_fields__ if name != "at"}
            log.info(_words(type(fact).__name__), **fields)


def _log_worker(fact: AnyFact, log: Any) -> None:
    match fact:
        case WorkerEnded():
            detail = fact.detail or in_words(fact.exit_code)
            log.error("worker lost", worker=fact.worker, exit_code=fact.exit_code, detail=detail)
        case Quarantined():
            log.error(
                "worker in quarantine",
                worker=fact.worker,
                why=fact.why,
                again_in=fact.again_in,
                detail=fact.detail,
                cameras=len(fact.cameras),
                names=fact.cameras[:NAMES_AT_MOST],
            )
        case Released():
            log.warning("worker released", worker=fact.worker)
        case Isolated():
            log.error("camera isolated", camera=fact.camera, worker=fact.worker, why=fact.why)
        case WorkerReplaced():
            log.info(
                "worker replaced",
                worker=fact.worker,
                reason=fact.reason,
                **({"detail": fact.detail} if fact.detail else {}),
                pid=fact.pid,
                took=round(fact.took, 2),
            )
        case ReplacementFailed() | ReplacementPostponed():
            failed = isinstance(fact, ReplacementFailed)
            log.warning(
                "worker not replaced" if failed else "worker not replaced yet",
                worker=fact.worker,
                reason=fact.reason,
                why=fact.why,
            )


def _log_drift(fact: AnyFact, log: Any) -> None:
    match fact:
        case LossSuspected() | PictureChanged():
            suspected = isinstance(fact, LossSuspected)
            say = log.warning if suspected else log.info
            say(
                "loss suspected" if suspected else "picture changed",
                camera=fact.camera,
                measure=fact.measure,
                direction=fact.direction,
                usual=round(fact.usual, 3),
                lately=round(fact.lately, 3),
                light=fact.light,
                evidence=round(fact.evidence),
            )
        case ConditionsUnseen():
            log.warning("conditions unseen", camera=fact.camera, light=fact.light, hour=fact.hour)
        case ConditionsKnown() | SuspicionOver():
            log.info(_words(type(fact).__name__), camera=fact.camera)


def _log_validation(fact: AnyFact, log: Any) -> None:
    match fact:
        case ModelGated():
            quiet = fact.outcome in ("passed", "same")
            say = log.info if quiet else log.warning
            say(_OUTCOMES[fact.outcome], model=fact.model, why=fact.why)
        case ValidationPassed():
            log.info("detector validated", **_of_run(fact), remarks=fact.remarks)
        case ValidationFailed():
            log.error("detector failed validation", **_of_run(fact), problems=fact.problems)
        case ValidationPostponed():
            log.warning("validation put off", why=fact.why, hours=round((fact.at - fact.since) / 3600, 1))


_OUTCOMES = {
    "passed": "model held to labelled pictures",
    "same": "model held to labelled pictures",
    "refused": "model refused",
    "forced": "model not held to labelled pictures",
    "not_held": "model not held to labelled pictures",
}


def _of_run(fact: ValidationPassed | ValidationFailed) -> dict[str, object]:
    figures: dict[str, object] = {
        name: round(fact.figures[name].value or 0.0, 3)
        for name in ("ap50", "recall", "precision")
        if name in fact.figures and fact.figures[name].value is not None
    }
    return {"model": fact.model, "dataset": fact.dataset, "pictures": fact.pictures, **figures}


def _log_accuracy(fact: LossConfirmed | LossOver, log: Any) -> None:
    whose = _of_camera(fact.camera or None) | ({"site": fact.site} if fact.site else {})
    if isinstance(fact, LossOver):
        log.warning("loss over", **whose, measure=fact.measure, why=fact.why)
        return
    log.error(
        "loss known from before" if fact.known else "loss confirmed",
        **whose,
        measure=fact.measure,
        value=round(fact.value, 3),
        lower=round(fact.lower, 3),
        upper=round(fact.upper, 3),
        floor=fact.floor,
        frames=fact.frames,
    )


def _log_gap(fact: GapOpened | GapClosed, log: Any) -> None:
    gap = fact.gap
    fields = {"camera": gap.camera, "cause": gap.cause.value, "blame": gap.blame.value}
    if gap.detail:
        fields["detail"] = gap.detail
    if is_quiet(fact):
        log.debug(_words(type(fact).__name__), **fields)
        return
    if isinstance(fact, GapOpened):
        say = log.info if gap.cause is Cause.STARTING else log.warning
        say("camera blind" if gap.kind is Kind.BLIND else "camera degraded", **fields)
        return
    if gap.kind is Kind.EVENT:
        log.warning("stream changed", **fields)
        return
    seconds = round(((gap.end or gap.start) - gap.start) / 1e6, 2)
    what = "camera recovered"
    if gap.kind is Kind.BLIND:
        # A row also ends where another begins: the camera was not seen in between.
        what = "camera sees again" if gap.epoch_after is not None else "gap over"
    log.info(what, seconds=seconds, **fields)


def _log_step(fact: Stepped, log: Any) -> None:
    """Up as loudly as down: whoever hears of the one waits for the other."""
    down = Step[fact.step.upper()] > Step[fact.was.upper()]
    say = log.info if fact.wanted else log.warning
    say(
        "ladder down" if down else "ladder up",
        step=fact.step,
        was=fact.was,
        cameras=len(fact.cameras),
        names=fact.cameras[:NAMES_AT_MOST],
        why=fact.why,
    )


def _of_camera(name: str | None) -> dict[str, str]:
    return {} if name is None else {"camera": name}


def _words(name: str) -> str:
    """``SessionOpened`` → ``session opened``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
