"""A candidate beside the detector at work: starts its process, hears what came of each frame, ends it in time
or when it dies or hangs. Whatever it does, live frames go their way.

On the node's loop. See :mod:`vedette.workers.shadow_worker` for the process and :mod:`vedette.workers.aside`
for how frames come to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from vedette.clock import Clock
from vedette.config import Config
from vedette.errors import WorkerError, redact
from vedette.facts import AnyFact, ShadowEnded, ShadowReported, ShadowStarted, Trouble
from vedette.quality.shadow.agreement import Tally, agreement_of, summed, warm
from vedette.quality.shadow.compare import Told
from vedette.quality.shadow.notable import Notable
from vedette.supervise.child import Child
from vedette.supervise.exits import in_words
from vedette.supervise.policy import Action, Health, decide
from vedette.supervise.trying import Agreed, AtWork
from vedette.supervise.waiting import until
from vedette.tasks import detector_spec
from vedette.workers.protocol import Busy, Compared, LinkShadow, Ready, pair
from vedette.workers.table import Table

__all__ = ["LEFT_OUT", "Candidate", "Crew", "Ended", "Shadow", "State"]

START_WITHIN_S = 300.0
"""To load a model with what the machine has left."""

HANGS_AFTER_S = 60.0
"""On one frame, but for the time in which it waited for a core."""

STARVED_AT_MOST_S = 600.0
"""On one frame: whoever has so little to spare learns nothing of a candidate."""

FAILS_AT_MOST = 50
"""Frames in a row: it will not do better on the next one."""

REPORT_EVERY_S = 300.0
SILENT_S = 0.25
TROUBLE_EVERY_S = 60.0

NAME = "shadow-0"

LEFT_OUT = ("busy", "load", "ended", "superseded")
"""Why a frame that was drawn was not shown: there was no room, the node had enough to do, it was not analysed
after all, a newer one took its place."""


class Ended(StrEnum):
    STOPPED = "stopped"
    """Somebody said so."""
    TIME = "time"
    """It was to go on for so long."""
    NOT_STARTED = "not_started"
    DIED = "died"
    HUNG = "hung"
    FAILED = "failed"
    """It raised, or gave what cannot be meant, on many frames in a row."""
    DETECTOR_CHANGED = "detector_changed"
    """What it was compared with is not at work any more."""
    NODE_STOPPED = "node_stopped"


class State(StrEnum):
    STARTING = "starting"
    LOOKING = "looking"
    WAITING = "waiting"
    """The node has enough to do without it."""
    ENDED = "ended"


@dataclass
class Candidate:
    """One that is, or was, shown frames. Times in monotonic seconds."""

    model: str
    share: float
    lasts: float
    began: float
    spec: bytes = b""
    """Its detector's, packed."""
    beside: AtWork = field(default_factory=AtWork)
    """With which it is compared."""
    detector: str = ""
    made_of: str = ""
    """A hash of what it was loaded from."""
    started: float = 0.0
    """When it was ready."""
    ended: float = 0.0
    why: Ended | None = None
    detail: str = ""
    """Of why it ended; or of why it waits now."""
    waits: bool = False
    waited_s: float = 0.0
    tallies: dict[str, Tally] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    """The table's counters of frames left out, when it was ready."""
    after: dict[str, Any] = field(default_factory=dict)
    """The same when it had ended; empty before."""

    @property
    def state(self) -> State:
        if self.why is not None:
            return State.ENDED
        if not self.started:
            return State.STARTING
        return State.WAITING if self.waits else State.LOOKING


class Crew(Protocol):
    """What the node does for it."""

    table: Table

    @property
    def camera_workers(self) -> Sequence[Child]: ...

    def start_shadow(self, child: Child, config: Config) -> None:
        """Start its process. Raises OSError."""
        ...

    def end_shadow(self, child: Child) -> None:
        """Its process is gone: hear its last words, and let go of what belonged to it."""
        ...

    def camera_name(self, index: int) -> str: ...


class Shadow:
    """Of one node, one candidate at a time. ``lacking``: why less is done for cameras than was asked for;
    empty where nothing is lacking. ``at_work``: the detector with which it is compared."""

    def __init__(
        self,
        crew: Crew,
        clock: Clock,
        tell: Callable[[AnyFact], None],
        lacking: Callable[[], str],
        make_child: Callable[[], Child] = lambda: Child("shadow", NAME),
        at_work: Callable[[], AtWork] = AtWork,
    ) -> None:
        self._crew, self._clock, self._tell, self._lacking = crew, clock, tell, lacking
        self._make_child, self._at_work = make_child, at_work
        self.name = NAME
        self.candidate: Candidate | None = None
        """The latest; what it came to stays when it has ended."""
        self.child: Child | None = None
        self.disagreement: Callable[[int, float, int], None] = lambda index, captured_at, count: None
        """Called with frames on which the two differ most: the camera's index, when it was captured (Unix
        seconds, as in its result), and how many boxes only one of the two has. Must not block."""
        self._notable = Notable()
        self._ending: list[Child] = []
        """Killed, and not gone yet."""
        self._looked_at = self._reported_at = self._told_trouble = 0.0
        self._failed_in_a_row = 0
        self._frame_began = 0.0
        """Of the frame that it looks at, or 0.0."""

    @property
    def children(self) -> list[Child]:
        """Its process, and those of earlier ones that are not gone yet."""
        return self._ending if self.child is None else [*self._ending, self.child]

    # ---- begin and end

    async def begin(self, config: Config, share: float, lasts: float) -> None:
        """Show this configuration's detector a share of the frames, for so many seconds from when it is
        ready. Returns then. Raises WorkerError where it cannot be."""
        if self.child is not None:
            assert self.candidate is not None
            raise WorkerError(f"{self.candidate.model} is shown frames already; stop that first")
        now = self._clock.monotonic()
        detector = config.detector
        model = str(detector.model or detector.python or "the bundled model")
        candidate = self.candidate = Candidate(model, share, lasts, now)
        candidate.spec, candidate.beside = msgspec.msgpack.encode(detector_spec(config)), self._at_work()
        child = self.child = self._make_child()
        self._notable, self._failed_in_a_row, self._looked_at = Notable(), 0, now
        header = self._crew.table.header
        header["shadow_began"] = header["shadow_beat"] = header["shadow_busy"] = 0.0
        try:
            self._crew.start_shadow(child, config)
            await asyncio.to_thread(warm)  # not on the loop, with the first report
            await self._until_ready(child, candidate)
        except (OSError, WorkerError) as err:
            why = redact(str(err) if isinstance(err, WorkerError) else f"it cannot be started: {err}")
            if candidate.why is None:
                self._end(Ended.NOT_STARTED, why)
            raise WorkerError(why) from err
        except asyncio.CancelledError:
            if candidate.why is None:
                self._end(Ended.NODE_STOPPED)
            raise
        self._ready(child, candidate)

    async def _until_ready(self, child: Child, candidate: Candidate) -> None:
        def ready() -> bool:
            if candidate.why is not None:
                raise WorkerError("it was stopped before it was ready")
            return child.ready

        await until(
            ready,
            child,
            self._clock,
            within=START_WITHIN_S,
            otherwise=f"it was not ready within {START_WITHIN_S:g} s",
            last_words=lambda: self._crew.end_shadow(child),
        )

    def _ready(self, child: Child, candidate: Candidate) -> None:
        now = candidate.started = self._reported_at = self._clock.monotonic()
        candidate.detector, candidate.made_of = child.describe, child.made_of
        candidate.before = self._counters()
        for worker in self._crew.camera_workers:
            self.introduce(worker)
        self._look_at_load(candidate, 0.0)
        self._crew.table.header["shadow_share"] = candidate.share
        self._tell(
            ShadowStarted(
                at=now,
                model=candidate.model,
                detector=candidate.detector,
                share=candidate.share,
                lasts=candidate.lasts,
            )
        )

    def introduce(self, worker: Child) -> None:
        """Give it and a camera worker a link of their own, once both are there."""
        child = self.child
        if child is None or not (child.ready and worker.ready):
            return
        one, other = pair()
        number = worker.place - 1
        worker.send(LinkShadow(number), [one.fileno()])
        child.send(LinkShadow(number), [other.fileno()])
        one.close()
        other.close()

    def stop(self) -> None:
        """Show it nothing more. Raises WorkerError where there is none."""
        if self.child is None:
            raise WorkerError("no candidate is shown frames")
        self._end(Ended.STOPPED)

    def detector_changed(self) -> None:
        """Another one is at work: what was counted is of the one before."""
        if self.child is not None:
            self._end(Ended.DETECTOR_CHANGED)

    def close(self) -> None:
        """The node stops."""
        if self.child is not None:
            self._end(Ended.NODE_STOPPED)

    def _end(self, why: Ended, detail: str = "") -> None:
        candidate, child = self.candidate, self.child
        assert candidate is not None
        assert child is not None
        header = self._crew.table.header
        header["shadow_share"] = header["shadow_waits"] = 0
        self.child = None
        self._ending.append(child)
        if child.alive:
            child.planned_end = True
            child.kill(detail)  # it has nothing to close in order, and may not hear
        now = candidate.ended = self._clock.monotonic()
        if candidate.started:
            candidate.after = self._counters()
        candidate.why, candidate.detail, candidate.waits = why, detail, False
        if candidate.started:
            self._report(candidate, now)
        lasted = now - candidate.started if candidate.started else 0.0
        self._tell(ShadowEnded(at=now, model=candidate.model, why=why.value, detail=detail, lasted=lasted))

    # ---- while it looks

    def tick(self) -> None:
        """Called often."""
        for gone in [each for each in self._ending if not each.alive]:
            self._crew.end_shadow(gone)
            self._ending.remove(gone)
        candidate, child = self.candidate, self.child
        if candidate is None or child is None:
            return
        now = self._clock.monotonic()
        last_look, self._looked_at = self._looked_at, now
        if not candidate.started:
            return  # whoever waits for it looks after it
        child.flush()
        if not child.alive:
            self._end(Ended.DIED, in_words(child.exit_code))
            return
        if why := self._hangs(child, now, last_look):
            self._end(Ended.HUNG, why)
            return
        self._look_at_load(candidate, now - last_look)
        if now - candidate.started >= candidate.lasts:
            self._end(Ended.TIME)
        elif now - self._reported_at >= REPORT_EVERY_S:
            self._report(candidate, now)

    def _look_at_load(self, candidate: Candidate, passed: float) -> None:
        """While less is done for cameras than was asked for, nothing is done for it."""
        why = self._lacking()
        if candidate.waits:
            candidate.waited_s += passed
        candidate.waits, candidate.detail = bool(why), why
        self._crew.table.header["shadow_waits"] = bool(why)

    def _hangs(self, child: Child, now: float, last_look: float) -> str:
        header = self._crew.table.header
        beat_at, began = float(header["shadow_beat"]), float(header["shadow_began"])
        looks = now - began if began else 0.0
        if began != self._frame_began:
            self._frame_began = began
            child.signs.forget()  # what it waited for cores before was another frame's
        if child.pid and max(looks, now - beat_at) > SILENT_S:
            child.signs.look(child.pid, now)
        else:
            child.signs.forget()
        if looks > STARVED_AT_MOST_S or looks - child.signs.starved > HANGS_AFTER_S:
            return f"it has looked at one frame for {looks:.0f} s"
        health = Health(
            alive=True,
            ready=True,
            spawned_at=child.spawned_at,
            beat_at=beat_at,
            stopped_since=child.signs.stopped_since,
            still_since=child.signs.still_since,
            starved=child.signs.starved,
        )
        verdict = decide(health, now, last_look)
        return verdict.why if verdict.action in (Action.TERMINATE, Action.KILL) else ""

    def heard(self, child: Child, message: Any) -> None:
        """It has said something."""
        match message:
            case Ready(describe):
                child.ready, child.describe, child.made_of = True, describe, message.made_of
            case Busy(_, why):
                child.kill_reason = why
            case Compared() if child is self.child and self.candidate is not None:
                self._compared(self.candidate, message)

    def _compared(self, candidate: Candidate, message: Compared) -> None:
        camera = self._crew.camera_name(message.index)
        tally = candidate.tallies.setdefault(camera, Tally())
        if message.failed:
            self._failed(tally, message)
            return
        self._failed_in_a_row = 0
        told = Told(message.both, message.only_running, message.only_candidate)
        tally.add(told, message.captured_at, message.took)
        if self._notable.offers(camera, told.differing):
            self.disagreement(message.index, message.captured_at, told.differing)

    def _failed(self, tally: Tally, message: Compared) -> None:
        tally.failed += 1
        self._failed_in_a_row += 1
        now = self._clock.monotonic()
        if self._failed_in_a_row >= FAILS_AT_MOST:
            self._end(Ended.FAILED, message.failed)
        elif now - self._told_trouble > TROUBLE_EVERY_S:
            self._told_trouble = now
            self._tell(Trouble(at=now, where="shadow", message=message.failed))

    # ---- what it comes to

    def _counters(self) -> dict[str, Any]:
        rows = self._crew.table.rows
        return {why: rows[f"shadow_{why}"].copy() for why in LEFT_OUT}

    def left_out(self, camera: int | None = None) -> Counter[str]:
        """Frames drawn that the latest candidate was not shown, by why: of a camera, by its index, or all."""
        candidate = self.candidate
        if candidate is None or not candidate.started:
            return Counter()
        counted = candidate.after or self._counters()
        lost = {why: counted[why] - candidate.before[why] for why in LEFT_OUT}
        of = {why: int(each.sum() if camera is None else each[camera]) for why, each in lost.items()}
        return Counter({why: count for why, count in of.items() if count})

    def agreed(self, spec: bytes, made_of: str) -> Agreed | None:
        """How far the latest candidate agreed with the detector at work now, if it was this very one: its
        settings (packed), and what it was made of. None where it was another, or nothing was found."""
        candidate = self.candidate
        if candidate is None or (candidate.spec, candidate.made_of) != (spec, made_of):
            return None
        if candidate.beside.spec != self._at_work().spec:
            return None  # whoever it agreed with does not detect any more
        tallies = list(candidate.tallies.values())
        found = agreement_of(tallies)
        if found is None:
            return None
        return Agreed(sum(tally.frames for tally in tallies), found.value, found.lower, found.upper)

    def _report(self, candidate: Candidate, now: float) -> None:
        self._reported_at = now
        tallies = list(candidate.tallies.values())
        agreement = agreement_of(tallies)
        in_all = summed(tallies)
        self._tell(
            ShadowReported(
                at=now,
                model=candidate.model,
                frames=in_all.frames,
                both=in_all.both,
                only_running=in_all.only_running,
                only_candidate=in_all.only_candidate,
                agreement=agreement.value if agreement else None,
                lower=agreement.lower if agreement else None,
                upper=agreement.upper if agreement else None,
                took_ms=in_all.took(0.9) * 1000,
                failed=in_all.failed,
                left_out=dict(self.left_out()),
            )
        )
