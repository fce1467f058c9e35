"""A candidate that detects for some of the cameras, for a while: takes them over from the detector at work,
and gives them back when its time is over, or at once when it does not do.

On the node's loop. Both detectors ask for frames as ever, each of its own cameras: a camera is let go of by
the one (``Leave``, ``Left``) before the other begins with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from vedette.clock import Clock
from vedette.config import Config
from vedette.endings import Ending
from vedette.errors import ConfigError, VedetteError, WorkerError, redact
from vedette.facts import AnyFact, CanaryEnded, CanaryStarted, LossSuspected
from vedette.roster import Entry
from vedette.supervise.child import Child
from vedette.supervise.exits import in_words
from vedette.supervise.policy import START_WITHIN_S, Action, Health, decide
from vedette.supervise.relief import Relief, must_work
from vedette.supervise.trying import Agreed, AtWork, Counted, Streaks, finds_nothing
from vedette.tasks import detector_spec
from vedette.workers.protocol import Begin, Drain, Drained, Leave, Left, Stop
from vedette.workers.table import Stage, Table

if TYPE_CHECKING:
    from vedette.quality.examiner import Admitted

__all__ = ["Canary", "Crew", "Ended", "State", "Then", "Trial", "named"]

NAME = "canary-0"

SETTLED_AFTER_S = 1.0
"""Results of frames that were captured before may still be of the detector before."""

STOP_WITHIN_S = 6.0
LOOK_EVERY_S = 0.02

Then = Literal["back", "set"]


class Ended(StrEnum):
    TIME = "time"
    """It was to go on for so long."""
    STOPPED = "stopped"
    """Somebody said so."""
    SET = "set"
    """It is the detector of all cameras now."""
    NOT_SET = "not_set"
    """It was to become that, and could not."""
    NOT_STARTED = "not_started"
    DIED = "died"
    HUNG = "hung"
    FAILED = "failed"
    """On many frames in a row."""
    FOUND_NOTHING = "found_nothing"
    SUSPECTED = "suspected"
    """Of doing worse on one of its cameras than it did before."""
    LOAD = "load"
    """The node came to do less for its cameras than was asked for."""
    NODE_STOPPED = "node_stopped"


class State(StrEnum):
    EXAMINED = "examined"
    """It is held to labelled pictures; it has no process yet."""
    STARTING = "starting"
    DETECTING = "detecting"
    TAKING_OVER = "taking_over"
    """Its time is over, and it is being made the detector of all cameras."""
    RETURNING = "returning"
    """It finishes what it has, and gives its cameras back."""
    ENDED = "ended"


@dataclass
class Trial:
    """A canary that is, or was. Times in monotonic seconds."""

    config: Config
    cameras: dict[int, str]
    """By index."""
    lasts: float
    then: Then
    began: float
    state: State = State.EXAMINED
    detector: str = ""
    names: list[str] = field(default_factory=list)
    """Of its classes."""
    made_of: str = ""
    """A hash of what it was loaded from."""
    said: str = ""
    """By labelled pictures, before it was loaded."""
    started: float = 0.0
    """When it had its cameras."""
    ended: float = 0.0
    why: Ended | None = None
    detail: str = ""
    before: Counted = field(default_factory=Counted)
    """What the detector at work found on its cameras while it was loaded."""
    since: Counted = field(default_factory=Counted)
    """What it has found itself."""
    spec: bytes = b""
    """Of its detector, packed."""
    beside: AtWork = field(default_factory=AtWork)
    """The detector that had its cameras, and has the others."""
    agreed: Agreed | None = None
    """With that one, when it was shown frames as a candidate; None where it never was."""
    analysed: int = 0
    """Frames of its cameras, since the start of the node, when it got them."""
    took: Took | None = None
    is_set: bool = False
    """It is being made the detector of all cameras, and there is no way back."""

    @property
    def model(self) -> str:
        detector = self.config.detector
        return str(detector.model or detector.python or "the bundled model")


@dataclass(slots=True)
class Took:
    """How long frames were in the network of the detector and of the canary: u8 [2, buckets], as in
    :mod:`vedette.histogram`. ``after`` is None while it detects."""

    before: npt.NDArray[np.uint64]
    after: npt.NDArray[np.uint64] | None = None


class Crew(Protocol):
    """What the node does for it."""

    table: Table
    relief: Relief

    @property
    def detector(self) -> Child: ...

    @property
    def camera_workers(self) -> Sequence[Child]: ...

    @property
    def batch_within(self) -> float: ...

    async def examine_canary(self, config: Config, *, force: bool) -> Admitted:
        """Hold this configuration's detector to labelled pictures. Raises WorkerError where they speak
        against it, unless by ``force``."""
        ...

    def start_canary(self, child: Child, config: Config, judged: str) -> None:
        """Start its process, which does not begin yet. ``judged``: what it must be made of; empty = whatever
        is there. Raises OSError."""
        ...

    def introduce(self, worker: Child, detector: Child) -> None: ...

    def canary_changed(self) -> None:
        """Other cameras are its own now, or none any more."""
        ...

    def end_canary(self, child: Child) -> None:
        """Its process is gone: hear its last words, and let go of what belonged to it."""
        ...

    def health_of(self, child: Child) -> Health: ...

    def entry(self, index: int) -> Entry: ...

    def change_detector(self, entry: Entry) -> None:
        """Tell whoever has this camera from now on."""
        ...

    def all_objects_open(self) -> dict[int, int]:
        """Cameras by index, and how many tracks each had in its last result."""
        ...

    async def set_detector(
        self,
        config: Config,
        reason: str,
        detail: str = "",
        *,
        force: bool = False,
        still: Callable[[], None] | None = None,
        tried: str = "",
        sure: Callable[[], None] = lambda: None,
    ) -> str: ...


class Canary:
    """Of one node, one at a time. ``lacking``: why less is done for cameras than was asked for; empty where
    nothing is lacking. ``beside``: why there can be none now; empty where there can. ``at_work``: the
    detector beside which it is tried; ``agreed``: how far a candidate with these settings (packed), and made
    of the same file, agreed with that one, where it was shown frames."""

    def __init__(
        self,
        crew: Crew,
        clock: Clock,
        tell: Callable[[AnyFact], None],
        lacking: Callable[[], str],
        beside: Callable[[], str] = lambda: "",
        make_child: Callable[[int], Child] = lambda place: Child("inference", NAME, place),
        at_work: Callable[[], AtWork] = AtWork,
        agreed: Callable[[bytes, str], Agreed | None] = lambda spec, made_of: None,
    ) -> None:
        self._crew, self._clock, self._tell = crew, clock, tell
        self._lacking, self._beside, self._make_child = lacking, beside, make_child
        self._at_work, self._agreed = at_work, agreed
        self.trial: Trial | None = None
        """The latest; what became of it stays when it has ended."""
        self.child: Child | None = None
        self.has: set[int] = set()
        """The cameras that the detector at work has let go of, or is to."""
        self._ending: list[Child] = []
        """Told to end, and not gone yet."""
        self._orders = 0
        self._looked_at = 0.0
        self._streaks: Streaks | None = None
        self._examining: asyncio.Task[Admitted] | None = None
        self._finishing: asyncio.Task[None] | None = None

    @property
    def children(self) -> list[Child]:
        """Its process, and those of earlier ones that are not gone yet."""
        return self._ending if self.child is None else [*self._ending, self.child]

    @property
    def names(self) -> list[str]:
        """Of its classes, while it has cameras."""
        return self.trial.names if self.trial is not None and self.child is not None else []

    def reads(self, child: Child, index: int) -> bool:
        """Whether this camera is to be, or is, that one's: the detector's, or the canary's."""
        if child in self.children:
            return child is self.child and self.trial is not None and index in self.trial.cameras
        return index not in self.has

    @property
    def under_way(self) -> bool:
        """Whether there is one, or is to be: it may be examined still."""
        return self.child is not None or self._examining is not None

    def must_not_run(self) -> None:
        """Raises WorkerError where there is one."""
        if self.under_way:
            assert self.trial is not None
            raise WorkerError(f"{self.trial.model} is tried as a canary; stop that first")

    # ---- begin

    async def begin(
        self, config: Config, cameras: dict[int, str], lasts: float, then: Then, *, force: bool = False
    ) -> None:
        """Let this configuration's detector detect for these cameras, for so many seconds from when it does.
        Returns then. Raises WorkerError where it cannot, or where labelled pictures speak against it and it
        is not brought in by ``force``: then nothing has changed."""
        self.must_not_run()
        if why := self._beside() or self._lacking():
            raise WorkerError(f"there can be no canary now: {why}")
        must_work(self._crew.detector)
        trial = self.trial = Trial(config, cameras, lasts, then, self._clock.monotonic())
        trial.spec = msgspec.msgpack.encode(detector_spec(config))
        try:
            await self._start(trial, await self._examined(trial, force))
        except (OSError, WorkerError) as err:
            why = redact(str(err) if isinstance(err, WorkerError) else f"it cannot be started: {err}")
            if trial.why is not None:
                raise WorkerError("it was stopped before it detected") from err
            self._break_off(Ended.NOT_STARTED, why)
            raise WorkerError(why) from err
        except asyncio.CancelledError:
            if trial.why is None:
                self._break_off(Ended.NODE_STOPPED)
            raise

    async def _examined(self, trial: Trial, force: bool) -> str:
        """Hold it to labelled pictures, which may take minutes; returns what it must be made of."""
        asked = self._crew.examine_canary(trial.config, force=force)
        examining = self._examining = asyncio.get_running_loop().create_task(asked)
        try:
            admitted = await examining
        except asyncio.CancelledError:
            if trial.why is None:
                raise
            raise WorkerError("it was stopped") from None
        finally:
            if self._examining is examining:  # else there is a next one already
                self._examining = None
        if why := trial.why or self._lacking():
            raise WorkerError(f"there can be no canary now: {why}")
        trial.said = admitted.said
        return admitted.made_of

    async def _start(self, trial: Trial, judged: str) -> None:
        crew, relief = self._crew, self._crew.relief
        child = self.child = self._make_child(crew.table.canary_place)
        trial.state = State.STARTING
        for field_ in ("detector_idle", "batch_started", "queued", "wanted_size"):
            crew.table.detectors[1][field_] = 0
        crew.start_canary(child, trial.config, judged)
        await relief.until(lambda: child.ready, child, START_WITHIN_S, "was not ready")
        trial.detector, trial.names, trial.made_of = child.describe, child.names, child.made_of
        async with relief.alone():
            for worker in crew.camera_workers:
                crew.introduce(worker, child)
            objects = crew.all_objects_open()
            await relief.try_out(child, {each: objects[each] for each in trial.cameras if each in objects})
            await self._take(trial, child)

    async def _take(self, trial: Trial, child: Child) -> None:
        """The detector lets go of the cameras, then the canary begins."""
        crew, indices = self._crew, sorted(trial.cameras)
        main = crew.detector
        must_work(main)
        # Another one may have taken over while this one was loaded.
        trial.beside, trial.agreed = self._at_work(), self._agreed(trial.spec, trial.made_of)
        self._orders += 1
        order = self._orders
        self.has = set(indices)
        main.send(Leave(order, indices))

        def left() -> bool:
            return Left(order) in main.answers

        await crew.relief.until(left, main, crew.batch_within + 1.0, "did not let go of the cameras")
        main.answers.remove(Left(order))
        if self.child is not child or not child.alive:
            raise WorkerError("it died before it detected")
        crew.table.rows["detector"][indices] = 1
        now = trial.started = self._looked_at = self._clock.monotonic()
        trial.state = State.DETECTING
        ends, trial.took = self._ends(trial), Took(self.times())
        trial.analysed, self._streaks = int(ends[0].sum()), Streaks(ends, now)
        crew.table.beats[crew.table.canary_place] = now
        child.send(Begin())
        crew.canary_changed()
        self._tell(
            CanaryStarted(
                at=now,
                model=trial.model,
                detector=trial.detector,
                cameras=list(trial.cameras.values()),
                lasts=trial.lasts,
                then=trial.then,
            )
        )

    # ---- while it detects

    def tick(self) -> None:
        """Called often."""
        for gone in [each for each in self._ending if not each.alive]:
            self._crew.end_canary(gone)
            self._ending.remove(gone)
        trial, child = self.trial, self.child
        if trial is None or child is None or trial.state not in (State.DETECTING, State.TAKING_OVER):
            return  # whoever waits for it looks after it
        now, last_look = self._clock.monotonic(), self._looked_at
        self._looked_at = now
        child.flush()
        found = self._wrong(trial, child, now, last_look)
        if found is not None:
            self._break_off(*found)
        elif trial.state is State.DETECTING and now - trial.started >= trial.lasts:
            self._finishing = asyncio.get_running_loop().create_task(self._at_the_end(trial))

    def _at_the_end(self, trial: Trial) -> Coroutine[Any, Any, None]:
        """Its time is over."""
        if trial.then == "set" and int(self._ends(trial)[0].sum()) > trial.analysed:
            trial.state = State.TAKING_OVER
            return self._set(trial)
        trial.state = State.RETURNING
        if trial.then == "back":
            return self._give_back(trial, Ended.TIME)
        return self._give_back(trial, Ended.NOT_SET, "not one frame of its cameras was looked at")

    def _wrong(self, trial: Trial, child: Child, now: float, last_look: float) -> tuple[Ended, str] | None:
        """Why it is to go back at once."""
        if not child.alive:
            return Ended.DIED, child.kill_reason or in_words(child.exit_code)
        verdict = decide(self._crew.health_of(child), now, last_look)
        if verdict.action in (Action.TERMINATE, Action.KILL):
            return Ended.HUNG, verdict.why
        if trial.is_set:
            return None  # its cameras are about to be its own again, in order
        if why := self._lacking():
            return Ended.LOAD, why
        assert self._streaks is not None
        if (bad := self._streaks.look(self._ends(trial), now)) is not None:
            place, why = bad
            return Ended.FAILED, why if place is None else f"{list(trial.cameras.values())[place]}: {why}"
        if why := finds_nothing(trial.before, trial.since, now - trial.started):
            return Ended.FOUND_NOTHING, why
        return None

    def _ends(self, trial: Trial) -> npt.NDArray[np.int64]:
        rows, indices = self._crew.table.rows, list(trial.cameras)
        names = ("analysed", Ending.FAILED_INFER.value, Ending.EXPIRED_INFER.value)
        return np.stack([rows[name][indices] for name in names]).astype(np.int64)

    def times(self) -> npt.NDArray[np.uint64]:
        """How long frames were in the network of the detector, and of canaries, since the start of the node:
        [2, buckets], as in :mod:`vedette.histogram`."""
        table = self._crew.table
        return table.stages[[0, table.canary_place], Stage.INFER].astype(np.uint64)

    def result(self, index: int, captured_at: float, boxes: int) -> None:
        """A result has left. ``captured_at``: Unix seconds."""
        trial = self.trial
        if trial is None or self.child is None or index not in trial.cameras:
            return
        if trial.state is State.STARTING:
            trial.before.add(boxes)
            return
        captured = captured_at - self._clock.wall() + self._clock.monotonic()
        if captured > trial.started + SETTLED_AFTER_S:
            trial.since.add(boxes)

    def suspected(self, fact: LossSuspected) -> None:
        """Whoever watches for drift says so of a camera."""
        trial = self.trial
        if trial is None or trial.state not in (State.DETECTING, State.TAKING_OVER) or trial.is_set:
            return
        if fact.camera in trial.cameras.values() and fact.since >= trial.started:
            self._break_off(Ended.SUSPECTED, f"{fact.camera}: {fact.measure} is {fact.direction} than usual")

    # ---- end

    async def stop(self) -> None:
        """Give the cameras back. Raises WorkerError where there is none, or none any more."""
        trial = self.trial
        if trial is None or not self.under_way or trial.state is State.RETURNING:
            raise WorkerError("no canary is tried")
        if trial.is_set:
            raise WorkerError(
                f"{trial.model} is being made the detector of all cameras; there is no way back"
            )
        if trial.state in (State.EXAMINED, State.STARTING):
            self._break_off(Ended.STOPPED)
        else:
            await self._give_back(trial, Ended.STOPPED)

    def close(self) -> None:
        """The node stops, and ends its processes."""
        if self._finishing is not None:
            self._finishing.cancel()
        if self.under_way and self.trial is not None:
            self._end(self.trial, Ended.NODE_STOPPED)

    async def _set(self, trial: Trial) -> None:
        """Make it the detector of all cameras; until that is so, it goes on with its own."""

        def still() -> None:
            if trial.state is not State.TAKING_OVER:
                raise WorkerError("the canary has ended meanwhile")

        def sure() -> None:
            trial.is_set = True

        try:
            # What was tried, and nothing that was put in its place since.
            said = await self._crew.set_detector(
                trial.config, "canary", trial.model, still=still, tried=trial.made_of, sure=sure
            )
        except (VedetteError, OSError) as err:
            why, detail = Ended.NOT_SET, str(err)
        else:
            why, detail = Ended.SET, said
        if trial.state is State.TAKING_OVER:
            await self._give_back(trial, why, detail)

    async def _give_back(self, trial: Trial, why: Ended, detail: str = "") -> None:
        """It finishes what it has, and its cameras are the detector's."""
        child = self.child
        assert child is not None
        trial.state = State.RETURNING
        child.send(Drain())
        try:
            within = trial.config.detector.timeout + 1.0
            await self._crew.relief.answer(child, Drained, within, "did not finish")
        except WorkerError as err:
            # What it has is orphaned when it is gone.
            detail = detail or str(err)
            child.kill(str(err))
        if trial.why is not None:
            return  # the node was stopped meanwhile
        self._return_cameras(trial)
        child.planned_end = True
        child.send(Stop())
        self._end(trial, why, detail)
        deadline = self._clock.monotonic() + STOP_WITHIN_S
        while child.alive and self._clock.monotonic() < deadline:
            await asyncio.sleep(LOOK_EVERY_S)
        if child.alive:
            child.kill("did not stop in time")

    def _break_off(self, why: Ended, detail: str = "") -> None:
        """At once: what it has is orphaned, and its cameras are the detector's."""
        trial, child = self.trial, self.child
        assert trial is not None
        if trial.is_set:
            # Whoever has them then is its like: that is no way back.
            detail = f"its own process {why.value} before its cameras had changed over: {detail}"
            why = Ended.SET
        if child is not None:
            child.kill(detail)
        self._return_cameras(trial)
        self._end(trial, why, detail)

    def _return_cameras(self, trial: Trial) -> None:
        crew, had = self._crew, sorted(self.has)
        self.has = set()
        crew.table.rows["detector"][had] = 0
        for index in had:
            crew.change_detector(crew.entry(index))

    def _end(self, trial: Trial, why: Ended, detail: str = "") -> None:
        child, self.child = self.child, None
        if child is not None:
            self._ending.append(child)
        examining, self._examining = self._examining, None
        if examining is not None:
            examining.cancel()
        now = trial.ended = self._clock.monotonic()
        trial.state, trial.why, trial.detail = State.ENDED, why, detail
        if trial.took is not None:
            trial.took.after = self.times()
        self._crew.canary_changed()
        self._tell(
            CanaryEnded(
                at=now,
                model=trial.model,
                cameras=list(trial.cameras.values()),
                why=why.value,
                detail=detail,
                frames=trial.since.frames,
                boxes=trial.since.boxes,
                lasted=now - trial.started if trial.started else 0.0,
            )
        )


def named(patterns: Sequence[str], entries: Sequence[Entry]) -> dict[int, str]:
    """The cameras that are watched and have one of these names: ``*`` and ``?`` stand for others. Raises
    ConfigError for a name that none has, and where that is all of them."""
    watched = [entry for entry in entries if not entry.removed]
    found: dict[int, str] = {}
    for pattern in patterns:
        of = {each.index: each.name for each in watched if fnmatchcase(each.name, pattern)}
        if not of:
            raise ConfigError(f"there is no camera {redact(pattern)!r}")
        found |= of
    if not found:
        raise ConfigError("a canary needs at least one camera")
    if len(found) == len(watched):
        raise ConfigError("a canary detects for some of the cameras, not for all; `model set` is for all")
    return dict(sorted(found.items()))
