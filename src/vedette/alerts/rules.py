"""What is worth telling people: a pure function of facts and time.

>>> alerts = Alerts(AlertSettings())
>>> alerts.take(fact, now=clock.monotonic(), wall=clock.wall())
>>> for message in alerts.tick(now=clock.monotonic(), wall=clock.wall()): ...

``take`` only remembers; ``tick``, called about once a second, says what is to be told. All state is bounded,
for any facts: what there is no room for is counted, and the count is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vedette.alerts.accuracy import Losses
from vedette.alerts.book import Book, wait_left
from vedette.alerts.cameras import CameraMemory, seconds
from vedette.alerts.candidates import Candidates
from vedette.alerts.conditions import Condition
from vedette.alerts.coverage import DAY_S, LOOK_EVERY_S, Coverage, CoverageCheck
from vedette.alerts.gaps import NODE, PICTURE_RULES, Gaps
from vedette.alerts.happenings import Happenings, is_burst
from vedette.alerts.incidents import IncidentMemory, Incidents
from vedette.alerts.message import Message
from vedette.alerts.outbox import Outbox
from vedette.alerts.settings import AlertSettings
from vedette.causes import Cause, Kind
from vedette.facts import (
    AnyFact,
    CameraAdded,
    CameraFinished,
    CameraRemoved,
    CanaryEnded,
    Gap,
    GapChanged,
    GapClosed,
    GapOpened,
    Incident,
    IncidentClosed,
    IncidentOpened,
    LossConfirmed,
    LossOver,
    Quarantined,
    Released,
    ShadowEnded,
    Trouble,
    ValidationFailed,
    ValidationPassed,
    WorkerEnded,
)

__all__ = ["Alerts"]

CAMERAS_AT_MOST = 20_000
GREW_TIMES, GREW_BY = 2, 5
"""An incident that is told of again has at least so many times, and so many more cameras."""


class Alerts:
    """``coverage(camera, seconds)`` is asked about each camera at most once an hour."""

    def __init__(self, settings: AlertSettings, coverage: Coverage | None = None) -> None:
        self._book = Book(settings)
        self._rules, self._conditions = self._book.rules, self._book.conditions
        self._cameras: dict[str, CameraMemory] = {}
        self._gaps, self._happenings = Gaps(self._book), Happenings(self._book)
        self._losses, self._candidates = Losses(self._book), Candidates(self._book)
        self._incidents = Incidents(self._rules.incident.at_least)
        self._flapping: set[str] = set()
        self._coverage: CoverageCheck | None = None
        if coverage is not None and self._rules.coverage.enabled:
            self._coverage = CoverageCheck(coverage, self._rules.coverage.below)
        self._outbox = Outbox(
            group_within=settings.group_within,
            most_per_hour=settings.most_per_hour,
            most_critical_per_hour=settings.most_critical_per_hour,
            quiet=settings.quiet_hours,
            zone=settings.tz,
        )

    def take(self, fact: AnyFact, now: float, wall: float) -> None:
        """Remember what a fact says. ``now`` in monotonic, ``wall`` in Unix seconds."""
        match fact:
            case GapOpened() | GapChanged():
                self._gap_opened(fact.gap, now, wall)
            case GapClosed():
                self._gap_closed(fact.gap, now, wall)
            case IncidentOpened():
                self._incident_heard(fact.incident, now, wall)
            case IncidentClosed():
                self._incident_closed(fact.incident, wall)
            case CameraAdded():
                self._camera(fact.camera)
            case CameraRemoved():
                self._camera_gone(fact.camera, wall, "It is no longer watched.")
            case CameraFinished():
                self._camera_gone(fact.camera, wall, "Its source has ended.")
            case WorkerEnded(planned=False):
                self._happenings.worker_died(fact, now, wall)
            case Quarantined():
                self._happenings.quarantined(fact, now, wall)
            case LossConfirmed():
                self._losses.confirmed(fact, now, wall)
            case LossOver():
                self._losses.over(fact, wall)
            case CanaryEnded():
                self._candidates.canary_ended(fact, now, wall)
            case ShadowEnded():
                self._candidates.shadow_ended(fact, now, wall)
            case Released():
                self._happenings.released(fact, wall)
            case ValidationFailed():
                self._happenings.validation_failed(fact, now, wall)
            case ValidationPassed():
                self._book.conditions.end("validation", wall)
            case Trouble():
                self._happenings.trouble(fact, now, wall)

    def tick(self, now: float, wall: float) -> list[Message]:
        """What is to be told now."""
        self._end_flapping(now, wall)
        self._happenings.end_bursts(now, wall)
        for memory, away in self._incidents.mostly_over(self._cameras):
            note = f"Still away: {len(away)} of {len(memory.cameras)}." if away else ""
            self._conditions.end(memory.key, wall, note)
        self._look_at_coverage(now, wall)
        for condition in self._conditions.all.values():
            condition.held = self._speaks_another(condition)
        return self._outbox.flush(self._conditions, now, wall)

    def now(self, now: float) -> Iterator[Condition]:
        """What is wrong now, has lasted as long as its rule asks for, and is not told of by something else.
        What was over when it was heard of is not among it."""
        for condition in self._conditions.all.values():
            known = condition.told_at is not None or now >= condition.due
            if known and condition.ended is None and not (condition.once or condition.held):
                yield condition

    @property
    def active(self) -> int:
        """How many conditions are remembered."""
        return len(self._conditions.all)

    # ---- cameras and their gaps

    def _camera(self, name: str) -> CameraMemory | None:
        camera = self._cameras.get(name)
        if camera is None:
            if len(self._cameras) >= CAMERAS_AT_MOST:
                self._conditions.left_out += 1
                return None
            went: deque[float] = deque(maxlen=self._rules.flapping.times)
            camera = self._cameras[name] = CameraMemory(went=went)
        return camera

    def _gap_opened(self, gap: Gap, now: float, wall: float) -> None:
        if gap.end is not None:
            self._gap_closed(gap, now, wall)
            return
        if gap.kind is Kind.EVENT or (camera := self._camera(gap.camera)) is None:
            return
        if gap.cause is Cause.PAUSED and (camera.blind is None or camera.blind.id != gap.id):
            self._stop_caring(gap.camera, seconds(gap.start), "It was paused.")
        went = self._gaps.opened(gap, camera, now, wall)
        if camera.lost:
            self._incidents.joins(gap.camera, camera, now)
        if went:
            self._went(gap.camera, camera, now, wall)

    def _gap_closed(self, gap: Gap, now: float, wall: float) -> None:
        end = seconds(gap.end) if gap.end is not None else wall
        if gap.cause in NODE:
            self._happenings.nobody_watched(gap, end, now)
        if (camera := self._cameras.get(gap.camera)) is not None:
            camera.closes(gap, end)
        self._gaps.closed(gap, end)

    def _camera_gone(self, name: str, wall: float, note: str) -> None:
        self._stop_caring(name, wall, note)
        self._cameras.pop(name, None)

    def _stop_caring(self, name: str, wall: float, note: str) -> None:
        self._gaps.camera_gone(name, wall, note)
        self._conditions.end(f"flapping/{name}", wall, note, closed=True)
        self._flapping.discard(name)

    # ---- cameras that come and go

    def _went(self, name: str, camera: CameraMemory, now: float, wall: float) -> None:
        rule = self._rules.flapping
        camera.went.append(now)
        if not (rule.enabled and rule.covers(name) and is_burst(camera.went, rule, now)):
            return
        self._flapping.add(name)
        key = f"flapping/{name}"
        if (known := self._conditions.get(key)) is not None:
            known.goes_on()
            return
        detail = f"{rule.times} outages within {rule.within / 60:.0f} min."
        began = wall - (now - camera.went[0])
        self._book.begin(key, "flapping", began=began, due=now, cameras=(name,), detail=detail)

    def _end_flapping(self, now: float, wall: float) -> None:
        for name in list(self._flapping):
            if now - self._cameras[name].went[-1] >= self._rules.flapping.within:
                self._flapping.discard(name)
                self._conditions.end(f"flapping/{name}", wall)

    # ---- incidents

    def _incident_heard(self, incident: Incident, now: float, wall: float) -> None:
        rule = self._rules.incident
        if not rule.enabled:
            return
        covered = tuple(name for name in incident.cameras[:CAMERAS_AT_MOST] if rule.covers(name))
        memory = self._incidents.heard(incident, covered, self._cameras, now)
        if memory is None:
            self._conditions.left_out += 1
        elif len(covered) >= rule.at_least and not memory.over:
            self._incident_is_on(memory, now, wall)

    def _incident_is_on(self, memory: IncidentMemory, now: float, wall: float) -> None:
        condition = self._conditions.get(memory.key)
        if condition is None:
            due = now + wait_left(self._rules.incident.after, memory.began, wall)
            condition = self._book.begin(memory.key, "incident", began=memory.began, due=due)
            if condition is None:
                return
        condition.cameras = memory.cameras
        condition.goes_on()
        condition.what, condition.detail = memory.incident.cause, memory.incident.scope
        before, size = condition.told_size, len(memory.cameras)
        if before and size >= max(before * GREW_TIMES, before + GREW_BY):
            condition.version += 1

    def _incident_closed(self, incident: Incident, wall: float) -> None:
        memory = self._incidents.closed(incident.id, self._cameras)
        if memory is not None:
            end = seconds(incident.end) if incident.end is not None else wall
            self._conditions.end(memory.key, end)

    # ---- the rest

    def _look_at_coverage(self, now: float, wall: float) -> None:
        if self._coverage is None or self._outbox.is_quiet(wall):
            return
        covered = filter(self._rules.coverage.covers, self._cameras)
        for name, share in self._coverage.look(covered, now):
            key = f"coverage/{name}"
            if self._conditions.get(key) is None:
                self._book.begin(
                    key,
                    "coverage",
                    began=wall - DAY_S,
                    due=now,
                    cameras=(name,),
                    detail=f"{share:.1%}",
                    once=True,
                    again=DAY_S - LOOK_EVERY_S,
                )

    def _speaks_another(self, condition: Condition) -> bool:
        """Whether something else speaks for a camera's condition, or its end would mislead."""
        if condition.rule not in ("down", "access", "flapping", *PICTURE_RULES):
            return False
        name, untold = condition.cameras[0], condition.told_at is None
        camera = self._cameras.get(name)
        if camera is None:
            return False
        if condition.rule in PICTURE_RULES:
            # That nobody can see it any more does not mean that it is over.
            return condition.ended is not None and camera.unseen
        if condition.rule != "flapping" and name in self._flapping:
            return True
        return untold and self._incidents.speaks_for(camera)
