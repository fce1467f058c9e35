"""Cameras that move from one camera worker to another: the side of either.

The new worker opens a session beside the old one's and decodes it unseen (:class:`Understudy`). Once that has
given a picture, the old worker takes no more frames, waits for what the detector has, and says what it knows:
the tracker, what health and motion have learned. With that the new one goes on, in the middle of its session.
A camera that has no session, or allows no second one, moves without: it is opened anew.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from vedette.facts import SessionEnd
from vedette.frame import Rung
from vedette.ingest.lane import Lane
from vedette.ingest.session import one_session
from vedette.ingest.source import Source
from vedette.ingest.understudy import Understudy
from vedette.settings import CameraSettings
from vedette.workers.protocol import AddCamera, HandedOver, Joined, TakeOver

if TYPE_CHECKING:
    from vedette.workers.camera_worker import CameraWorker, _Camera

__all__ = ["Moving", "packed", "unpacked"]

SETTLE_WITHIN_S = 1.0
"""What the detector has of a camera comes back within a batch or two. Later than that it is orphaned."""

LOOK_EVERY_S = 0.001


def packed(known: dict[str, Any]) -> bytes:
    """Between processes of one node and version, over a channel that nobody else has."""
    return pickle.dumps(known, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = pickle.loads(data)
    return found


@dataclass(eq=False)
class _Rehearsal:
    settings: CameraSettings
    source: Source
    lane: Lane
    understudy: Understudy
    session: asyncio.Task[SessionEnd]


class Moving:
    """Of one worker. Everything happens on its loop."""

    def __init__(self, worker: CameraWorker, tell: Callable[[Any], None]) -> None:
        self._worker, self._tell = worker, tell
        self._rehearsals: dict[int, _Rehearsal] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    # ---- the worker that a camera comes to

    def join(self, message: AddCamera, settings: CameraSettings) -> None:
        """Open a session beside the one that another worker has."""
        worker, index = self._worker, message.index
        loop = asyncio.get_running_loop()
        self.abandon(index)

        def rung() -> Rung:
            return Rung(max(settings.rung, int(worker.row(index)["rung"])))

        def ready() -> None:
            loop.call_soon_threadsafe(self._tell, Joined(index))

        understudy = Understudy(worker.clock, rung, ready)
        lane, source = worker.lane(settings, understudy), worker.source(settings)

        async def opened() -> SessionEnd:
            # What a tracker needs takes a second to import: not when frames come and the camera is ours.
            await loop.run_in_executor(None, worker.tracker, index, settings)
            return await one_session(source, lane)

        session = loop.create_task(opened())
        self._rehearsals[index] = _Rehearsal(settings, source, lane, understudy, session)
        session.add_done_callback(lambda done: self._fell_through(index, done))

    def _fell_through(self, index: int, session: asyncio.Task[SessionEnd]) -> None:
        rehearsal = self._rehearsals.get(index)
        if rehearsal is None or rehearsal.session is not session:
            return  # it has taken over, or was abandoned
        del self._rehearsals[index]
        if not session.cancelled():
            end = session.result()
            self._tell(Joined(index, f"{end.reason.value}: {end.detail}" if end.detail else end.reason.value))

    def take_over(self, message: TakeOver) -> None:
        """The camera is ours, in the middle of the session that was joined."""
        rehearsal = self._rehearsals.get(message.index)
        settings = msgspec.msgpack.decode(message.settings, type=CameraSettings)
        if rehearsal is None or not rehearsal.understudy.pictured or rehearsal.settings != settings:
            # It fell through just now, or is to be watched in another way: it is opened anew.
            self._worker.add(AddCamera(message.index, message.name, message.settings, known=message.known))
            return
        try:
            self._go_on(message, rehearsal)
        except MemoryError:
            raise
        except Exception as err:  # a mistake of ours, on one camera: somebody must read it all the same
            rehearsal.session.cancel()
            self._worker.trouble(f"{message.name} begins anew: {type(err).__name__}: {err}", where="moving")
            self._worker.add(AddCamera(message.index, message.name, message.settings))

    def _go_on(self, message: TakeOver, rehearsal: _Rehearsal) -> None:
        del self._rehearsals[message.index]
        self._worker.go_on(
            message.index,
            rehearsal.settings,
            unpacked(message.known),
            rehearsal.source,
            rehearsal.lane,
            rehearsal.understudy,
            rehearsal.session,
        )

    def abandon(self, index: int) -> bool:
        """The camera stays where it is. False where nothing was joined."""
        rehearsal = self._rehearsals.pop(index, None)
        if rehearsal is not None:
            rehearsal.session.cancel()
        return rehearsal is not None

    # ---- the worker that a camera leaves

    def hand_over(self, index: int, *, joined: bool) -> None:
        """Let it go, with all that is known of it. ``joined``: another session is open beside ours."""
        task = asyncio.get_running_loop().create_task(self._hand_over(index, joined))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _hand_over(self, index: int, joined: bool) -> None:
        loop = asyncio.get_running_loop()
        camera = self._worker.camera(index)
        if camera is None:
            await self._worker.has_closed(index)
            loop.call_soon(self._tell, HandedOver(index))
            return
        camera.pipeline.leave()
        deadline = loop.time() + SETTLE_WITHIN_S
        while not camera.pipeline.settled and loop.time() < deadline:
            await asyncio.sleep(LOOK_EVERY_S)
        self._worker.forget(index)
        if not joined:
            # The camera may let nobody in beside us.
            await self._worker.hang_up(camera)
        # After all facts about it: those wait for a turn of the loop.
        loop.call_soon(self._tell, self._last_word(index, camera))
        if joined:
            await self._worker.hang_up(camera)
        await self._worker.close_video(camera)

    def _last_word(self, index: int, camera: _Camera) -> HandedOver:
        """With all that is known of it. Where that cannot be told the camera begins anew, but it goes on."""
        try:
            camera.health.look()  # what has happened and was not looked at yet
            health = camera.health.left()
            name, reviewing = camera.pipeline.settings.name, self._worker.reviewing
            review = self._worker.for_review(lambda: reviewing.left(index, name), None)
            known = {"health": health, "review": review, "pipeline": camera.pipeline.left()}
            return HandedOver(index, packed(known))
        except Exception as err:  # a mistake of ours, on one camera
            camera.pipeline.left()
            self._worker.for_review(lambda: self._worker.reviewing.gone(index), None)
            self._worker.trouble(f"what is known of a camera cannot be handed over: {err}")
            return HandedOver(index, lost=True)

    def close(self) -> list[asyncio.Task[None]]:
        """Returns what is not over yet: cameras that have left are being closed."""
        for index in list(self._rehearsals):
            self.abandon(index)
        return list(self._leaving)
