"""One camera moves from one camera worker to another, while both live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from vedette.clock import Clock
from vedette.errors import WorkerError
from vedette.roster import Entry
from vedette.supervise.child import Child
from vedette.workers.protocol import HandedOver, Joined, RemoveCamera
from vedette.workers.table import CameraState

if TYPE_CHECKING:
    from vedette.supervise.relief import Crew

__all__ = ["Move"]

JOIN_WITHIN_S, KEYFRAMES = 20.0, 3
"""To connect, and for the next keyframe; or so many intervals between keyframes, where those are longer."""

HAND_OVER_WITHIN_S = 10.0
"""It may be in the middle of closing the camera, which may be in the middle of writing a video."""

TRIES = 2
"""A camera that lets us in a second time no more often than that allows a single session."""

AGAIN_AFTER_S = 1.0
LOOK_EVERY_S = 0.002


class Move:
    """Of one camera. ``perform`` raises WorkerError where it stays where it was."""

    def __init__(self, crew: Crew, clock: Clock, entry: Entry, old: Child, fresh: Child) -> None:
        self._crew, self._clock, self._entry, self._old, self._fresh = crew, clock, entry, old, fresh

    async def perform(self) -> None:
        joined = await self._joined()
        if not self._old.alive:
            self._abandon(joined)
            raise WorkerError(f"{self._old.name} died while {self._entry.name} moved")
        if not self._fresh.alive:
            raise WorkerError(f"{self._fresh.name} died while {self._entry.name} moved")
        if not self._entry.watched:
            self._abandon(joined)
            joined = False
        # Also where nobody reads it: the old one may still be closing it.
        self._crew.hand_over(self._entry, joined=joined)
        handed = await self._answer(self._old, HandedOver, HAND_OVER_WITHIN_S)
        if handed is None:
            self._abandon(joined)
            # It may let go of the camera any time later, and nobody would know. Whoever is started in its
            # place reads it for sure.
            if self._old.alive:
                self._old.kill(f"it did not hand over {self._entry.name} within {HAND_OVER_WITHIN_S:g} s")
            raise WorkerError(f"{self._entry.name} was not handed over")
        if self._entry.worker != self._old.place - 1:
            self._abandon(joined)
            return  # the old one has died since, and somebody else has it already
        known = None if handed.lost else handed.known
        if not self._fresh.alive:
            self._crew.give_to(self._entry, self._old, known, joined=False)
            raise WorkerError(f"{self._fresh.name} died while {self._entry.name} moved")
        self._crew.give_to(self._entry, self._fresh, known, joined=joined)

    async def _joined(self) -> bool:
        """Whether the new worker has a session beside the old one's; it moves without otherwise."""
        entry, refused = self._entry, 0
        for attempt in range(TRIES):
            if not (entry.watched and self._crew.is_live(entry) and entry.may_be_joined):
                return False
            if attempt:
                await asyncio.sleep(AGAIN_AFTER_S)
            told = await self._join()
            if told is not None and not told.failed:
                return True
            refused += told is not None
            if not (self._fresh.alive and self._old.alive):
                return False  # that says nothing of the camera
        # Learnt: it is there, and lets nobody else in. One that gives no keyframe in time may well do so.
        entry.single_session = refused == TRIES and self._crew.is_live(entry)
        return False

    async def _join(self) -> Any:
        """What came of it: ``Joined``, or None where nothing did. Waits for its turn to connect: an NVR
        that most cameras are behind answers some at a time."""
        entry, crew = self._entry, self._crew
        crew.ask_to_join(entry, self._fresh)
        try:
            while not crew.may_join(entry):
                # Whose session has ended meanwhile needs none beside it.
                if not (self._fresh.alive and self._old.alive and entry.watched and crew.is_live(entry)):
                    return None
                await asyncio.sleep(LOOK_EVERY_S)
            # What it said of an earlier try says nothing of this one.
            self._fresh.answers = [each for each in self._fresh.answers if not self._concerns(each)]
            crew.join(entry, self._fresh)
            within = max(JOIN_WITHIN_S, KEYFRAMES * crew.keyframe_every(entry))
            told = await self._answer(self._fresh, Joined, within, beside=self._old)
            if told is None:
                self._abandon(joined=True)
            return told
        finally:
            crew.joined(entry)

    def _abandon(self, joined: bool) -> None:
        if joined:
            entry = self._entry
            kept = CameraState.PAUSED if entry.paused else CameraState.WAITING
            self._fresh.send(RemoveCamera(entry.index, CameraState.REMOVED if entry.removed else kept))

    def _concerns(self, answer: Any) -> bool:
        return isinstance(answer, (Joined, HandedOver)) and answer.index == self._entry.index

    async def _answer(
        self, child: Child, kind: type[Any], seconds: float, beside: Child | None = None
    ) -> Any:
        """What it says of this camera; None where it says nothing in time, or has died, or the one ``beside``
        it has."""

        def said() -> Any:
            found = [each for each in child.answers if isinstance(each, kind) and self._concerns(each)]
            return found[0] if found else None

        def lives() -> bool:
            return child.alive and (beside is None or beside.alive)

        deadline = self._clock.monotonic() + seconds
        while (answer := said()) is None and lives() and self._clock.monotonic() < deadline:
            child.flush()
            await asyncio.sleep(LOOK_EVERY_S)
        answer = answer if answer is not None else said()
        if answer is not None:
            child.answers.remove(answer)
        return answer
