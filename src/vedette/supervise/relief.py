"""Another process takes over from a worker, as planned: make before break, one at a time, nothing lost.

The detector: the new one loads and warms its model, meets the camera workers, looks at some pictures; then
the old one asks for no more frames, hands out what it has, and the new one begins. Nobody asks for frames
while two messages are under way.

A camera worker: the new one opens a session of its own for each camera and decodes; once that has a picture,
the old one takes no more frames of that camera, waits for what the detector has of it, and hands over what it
knows: tracker, health, motion. Each camera moves by itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from vedette.clock import Clock
from vedette.config import Config
from vedette.errors import WorkerError
from vedette.facts import AnyFact, ReplacementFailed, WorkerReplaced
from vedette.roster import Entry
from vedette.supervise.child import Child
from vedette.supervise.move import Move
from vedette.supervise.policy import START_WITHIN_S
from vedette.supervise.waiting import until
from vedette.workers.protocol import Begin, Drain, Drained, Stop, Tried, Try

__all__ = ["Crew", "Relief", "must_work"]

LOOK_EVERY_S = 0.005
TRIAL_WITHIN_S = 20.0
STOP_WITHIN_S = 6.0
"""Whoever is relieved may still be writing videos to their end; nobody waits for it."""

MOVES_AT_A_TIME = 16
"""Cameras that have two sessions open."""
TRIAL_CAMERAS = 8

BLIND_FROM = 8
"""A new detector that finds nothing where the one at work follows so many objects is blind."""


class Crew(Protocol):
    """What the node does for whoever relieves its workers."""

    @property
    def detector(self) -> Child: ...

    @property
    def camera_workers(self) -> Sequence[Child]:
        """Those that have a process."""
        ...

    def stand_by(self, child: Child, config: Config, judged: str) -> None:
        """Start a detector that does not begin yet. ``judged``: what it must be made of; empty = whatever is
        there. Raises OSError."""
        ...

    def introduce(self, worker: Child, detector: Child) -> None: ...

    def promote(self, child: Child, config: Config) -> None:
        """It is the detector from now on; the one before is a bystander until it is dismissed."""
        ...

    def bury(self, child: Child) -> None:
        """The detector at work has died, and nobody had planned it: tell that, and what goes with it."""
        ...

    def dismiss(self, child: Child) -> None:
        """Forget a worker that stood by, or was relieved. Its process has ended or is killed."""
        ...

    def objects_open(self) -> dict[int, int]:
        """Cameras by index, and how many tracks each had in its last result."""
        ...

    def staff(self, like: Child) -> Child:
        """Start another camera worker, in a free place, to which new cameras go from now on. Raises
        WorkerError where no place is free."""
        ...

    def free_post(self, child: Child) -> str:
        """What a camera worker is called that does nobody else's work."""
        ...

    def vacate(self, child: Child, heir: Child) -> None:
        """Nobody is to be started in this camera worker's place any more. Cameras that were removed from it
        are the heir's if they come back."""
        ...

    def cameras_of(self, child: Child) -> list[Entry]:
        """Those that this camera worker has, paused ones included."""
        ...

    def ask_to_join(self, entry: Entry, child: Child) -> None:
        """This camera worker wants to connect to a camera that another one has. See ``may_join``."""
        ...

    def may_join(self, entry: Entry) -> bool:
        """Whether it has been let in to connect."""
        ...

    def joined(self, entry: Entry) -> None:
        """It connects no more, whichever way it went."""
        ...

    def join(self, entry: Entry, child: Child) -> None:
        """Let it open a session beside the one that the camera's worker has."""
        ...

    def hand_over(self, entry: Entry, *, joined: bool) -> None:
        """Have the camera's worker let it go, and say what it knows of it. ``joined``: another one has a
        session of it already."""
        ...

    def give_to(self, entry: Entry, child: Child, known: bytes | None, *, joined: bool) -> None:
        """The camera is this worker's from now on. ``known``: by the one before; None = that is lost."""
        ...

    def keyframe_every(self, entry: Entry) -> float:
        """Seconds between the camera's keyframes; 0.0 while that is not known."""
        ...

    def is_live(self, entry: Entry) -> bool:
        """Whether there is a session."""
        ...

    @property
    def batch_within(self) -> float:
        """Seconds that a batch may take before it counts as hung."""
        ...


class Relief:
    """Performs replacements. One at a time; whoever asks for a second one waits for the first."""

    def __init__(self, crew: Crew, clock: Clock, tell: Callable[[AnyFact], None]) -> None:
        self._crew, self._clock, self._tell = crew, clock, tell
        self._one = asyncio.Lock()
        self.under_way: str | None = None
        """The post that is being relieved."""
        self.done: Counter[tuple[str, str]] = Counter()
        """Planned replacements that went well, by post and reason."""
        self._halfway: dict[str, str] = {}
        """Where some of a post's cameras went when not all could move, by post: the others go there, too."""
        self._warming: Child | None = None
        self._still: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody is relieved meanwhile."""
        async with self._one:
            yield

    async def detector(
        self,
        config: Callable[[], Config],
        reason: str,
        detail: str = "",
        still: Callable[[], None] = lambda: None,
        judged: str = "",
    ) -> None:
        """Another process becomes the detector, as the configuration has it when its turn has come. Raises
        WorkerError where it cannot: then the old one goes on, and nothing was lost. ``still``: called at the
        last moment; it may raise WorkerError. ``judged``: what the detector must be made of."""
        async with self._one:
            old = self._crew.detector
            must_work(old)
            began = self._clock.monotonic()
            self.under_way = old.post
            try:
                self._still = still
                fresh = await self._relieve_detector(old, config(), judged)
            except WorkerError as err:
                self._failed(old, reason, err)
                raise
            finally:
                self.under_way = None
            self._replaced(old, fresh, reason, detail, began)

    async def camera_worker(self, post: str, reason: str, detail: str = "") -> None:
        """Another process takes over all cameras of the camera worker in that post. Raises WorkerError where
        it cannot; cameras that have moved by then stay where they are, the others with the old one."""
        async with self._one:
            # Only now: it may have been relieved while this waited for its turn.
            old = next((worker for worker in self._crew.camera_workers if worker.post == post), None)
            if old is None:
                raise WorkerError(f"nobody works as {post} any more")
            must_work(old)
            began = self._clock.monotonic()
            self.under_way = old.post
            try:
                fresh = await self._relieve_camera_worker(old)
            except WorkerError as err:
                self._failed(old, reason, err)
                raise
            finally:
                self.under_way = None
            self._replaced(old, fresh, reason, detail, began)

    async def _relieve_camera_worker(self, old: Child) -> Child:
        staying = [entry.name for entry in self._crew.cameras_of(old) if entry.plays_a_clip]
        if staying:
            raise WorkerError(f"it plays {', '.join(staying[:3])}, which would have to begin again")
        fresh = self._warming = self._heir(old)
        fresh.post = old.post
        try:
            await self.until(lambda: fresh.ready, fresh, START_WITHIN_S, "was not ready", beside=old)
            while self._crew.cameras_of(old):
                # Once, unless one that had been removed comes back meanwhile.
                await self._move_all(old, fresh)
        except WorkerError:
            fresh.post = self._crew.free_post(fresh)
            if self._crew.cameras_of(fresh):
                self._halfway[old.post] = fresh.post
            else:
                self._crew.vacate(fresh, old)
                self.under_way = None  # if it is the old one that died, it need not wait for this
                await self._end(fresh)
            raise
        finally:
            self._warming = None
        self._crew.vacate(old, fresh)
        await self._end(old)
        return fresh

    def _heir(self, old: Child) -> Child:
        """Whoever got some of its cameras before, if that one still works; else somebody new."""
        before = self._halfway.pop(old.post, None)
        heir = next((each for each in self._crew.camera_workers if each.post == before), None)
        return heir if heir is not None and heir.ready else self._crew.staff(old)

    def at_work(self, child: Child) -> bool:
        """Whether it is one that works, not one that is to take over and has not yet."""
        return child is not self._warming

    async def _move_all(self, old: Child, fresh: Child) -> None:
        room = asyncio.Semaphore(MOVES_AT_A_TIME)

        async def move(entry: Entry) -> None:
            async with room:
                await Move(self._crew, self._clock, entry, old, fresh).perform()

        moves = [move(entry) for entry in self._crew.cameras_of(old)]
        failed = [each for each in await asyncio.gather(*moves, return_exceptions=True) if each]
        if failed:
            raise WorkerError(f"{len(failed)} of {len(moves)} cameras could not move: {failed[0]}")

    def _failed(self, old: Child, reason: str, err: Exception) -> None:
        now = self._clock.monotonic()
        self._tell(ReplacementFailed(at=now, worker=old.name, reason=reason, why=str(err)))

    def _replaced(self, old: Child, fresh: Child, reason: str, detail: str, began: float) -> None:
        self.done[old.post, reason] += 1
        now = self._clock.monotonic()
        self._tell(
            WorkerReplaced(
                at=now, worker=old.name, reason=reason, detail=detail, pid=fresh.pid or 0, took=now - began
            )
        )

    async def _relieve_detector(self, old: Child, config: Config, judged: str) -> Child:
        fresh = Child("inference", old.name, old.place)
        try:
            self._crew.stand_by(fresh, config, judged)
            await self.until(lambda: fresh.ready, fresh, START_WITHIN_S, "was not ready")
            for worker in self._crew.camera_workers:
                self._crew.introduce(worker, fresh)
            await self.try_out(fresh, self._crew.objects_open())
            self._still()
        except (OSError, WorkerError, asyncio.CancelledError) as err:
            fresh.kill()
            self._crew.dismiss(fresh)
            if isinstance(err, OSError):
                raise WorkerError(f"it cannot be started: {err}") from err
            raise
        await self._pass_on(old, fresh, config)
        return fresh

    async def try_out(self, fresh: Child, objects: Mapping[int, int]) -> None:
        """It looks at pictures of cameras that have something in them: by index, how many objects. Raises
        WorkerError where it cannot be used."""
        busiest = sorted(objects, key=lambda camera: -objects[camera])[:TRIAL_CAMERAS]
        fresh.send(Try(busiest))
        told = await self.answer(fresh, Tried, TRIAL_WITHIN_S, "looked at no picture")
        if told.failed:
            raise WorkerError(f"it failed on a picture of a camera: {told.failed}")
        expected = sum(objects[camera] for camera in busiest)
        if told.pictures and not told.found and expected >= BLIND_FROM:
            raise WorkerError(
                f"it finds nothing in {told.pictures} pictures; the one at work follows {expected} objects"
            )

    async def _pass_on(self, old: Child, fresh: Child, config: Config) -> None:
        """From here on there is no way back: whatever the old one does, the new one begins."""
        old.send(Drain())
        try:
            await self.answer(old, Drained, self._crew.batch_within + 1.0, "did not finish")
        except WorkerError as err:
            # What it has is orphaned when it is gone.
            await self._dies(old, str(err))
        self._crew.promote(fresh, config)
        fresh.send(Begin())
        await self._end(old)

    async def _dies(self, old: Child, why: str) -> None:
        """It did while it was relieved, or hangs: that is no planned end."""
        if old.alive:
            old.kill(why)
        deadline = self._clock.monotonic() + STOP_WITHIN_S
        while old.alive and self._clock.monotonic() < deadline:
            await asyncio.sleep(LOOK_EVERY_S)
        if old.channel is not None:
            self._crew.bury(old)

    async def _end(self, old: Child) -> None:
        """Let a worker that has nothing left to do end, or end it."""
        old.planned_end = True
        old.send(Stop())
        deadline = self._clock.monotonic() + STOP_WITHIN_S
        while old.alive and self._clock.monotonic() < deadline:
            await asyncio.sleep(LOOK_EVERY_S)
        if old.alive:
            old.kill("did not stop in time")
        self._crew.dismiss(old)

    async def answer(self, child: Child, kind: type[Any], seconds: float, what: str) -> Any:
        """Wait for what this worker answers. Raises WorkerError, as ``until``."""

        def there() -> bool:
            return any(isinstance(each, kind) for each in child.answers)

        await self.until(there, child, seconds, what)
        [answer, *_] = [each for each in child.answers if isinstance(each, kind)]
        child.answers.remove(answer)
        return answer

    async def until(
        self,
        happened: Callable[[], bool],
        child: Child,
        seconds: float,
        what: str,
        beside: Child | None = None,
    ) -> None:
        """Wait for something that this worker does. Raises WorkerError where it does not within so many
        ``seconds``, or dies. ``beside``: whose death ends the waiting, too."""

        def there() -> bool:
            if happened():
                return True
            if beside is not None and not beside.alive:
                raise WorkerError(f"{beside.name} died meanwhile")
            return False

        said = f"it {what} within {seconds:g} s"
        await until(there, child, self._clock, within=seconds, otherwise=said, every=LOOK_EVERY_S)


def must_work(child: Child) -> None:
    """Raises WorkerError for one that has nothing to hand over."""
    if not child.ready:
        raise WorkerError(f"{child.name} is being started itself")
