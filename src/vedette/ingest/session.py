"""A camera's life: session after session, each with a reason to end, until it is removed or its clip ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from vedette.clock import Clock
from vedette.errors import VedetteError, redact
from vedette.facts import EndReason, SessionEnd, SessionEnded
from vedette.ingest.lane import Lane
from vedette.ingest.live import LiveSource
from vedette.ingest.reconnect import Backoff
from vedette.ingest.source import Source
from vedette.pipeline import Pipeline
from vedette.workers.table import CameraState
from vedette.workers.threads import name_thread

__all__ = ["Gate", "keep_watching", "one_session"]


class Gate(Protocol):
    """Who may connect now: so that a thousand cameras that come back at once do not melt their switch."""

    async def enter(self) -> None:
        """Wait for one's turn."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait before the next attempt; less where there is reason to believe that it will succeed."""
        ...

    def leave(self) -> None:
        """The session is open, or will not be: others may. More than once is the same as once."""
        ...


async def keep_watching(
    source: Source,
    pipeline: Pipeline,
    lane: Lane,
    backoff: Backoff,
    gate: Gate,
    *,
    clock: Clock,
    set_state: Callable[[CameraState], None],
    tell: Callable[[Any], None],
    ends: bool,
    running: Awaitable[SessionEnd] | None = None,
) -> SessionEnd:
    """Open the source again and again. Returns only for sources that end (``ends``: a file that is not
    looped), with the end of their one session. Cancel it to close the camera. ``running``: a session that is
    open already."""
    while True:
        began = clock.monotonic()
        if running is not None:
            end, running = await running, None
        else:
            set_state(CameraState.CONNECTING)
            await gate.enter()
            began = clock.monotonic()
            if isinstance(source, LiveSource):
                source.connect_timeout = backoff.timeout(pipeline.settings.connect_timeout)
            try:
                end = await one_session(source, lane)
            finally:
                gate.leave()
        await lane.settle()
        frames = await _ended(pipeline, end)
        now = clock.monotonic()
        pipeline.notes.ended(now, end)
        if pipeline.notes.opened_at > began:
            backoff.opened(pipeline.notes.opened_at - began)
        # An attempt that ran into its time limit took long too; only one that gave pictures was healthy.
        lived = now - began if frames else 0.0
        wait = None if ends else backoff.after(end.reason, lived, now)
        tell(
            SessionEnded(
                at=now,
                camera=pipeline.settings.name,
                reason=end.reason,
                detail=end.detail,
                frames=frames,
                retry_in=wait,
            )
        )
        if wait is None:
            return end
        set_state(CameraState.WAITING)
        await gate.pause(wait)


async def _ended(pipeline: Pipeline, end: SessionEnd) -> int:
    if not pipeline.settings.every_frame:
        return pipeline.ended(end)
    # Emptying the decoder of a source that can wait may wait for room, however long: in a thread of its own,
    # because a shared pool full of those would keep other cameras from reconnecting.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[int] = loop.create_future()

    def finish(frames: int) -> None:
        if not done.done():
            done.set_result(frames)

    def work() -> None:
        name_thread("decode")
        frames = pipeline.ended(end)
        try:
            loop.call_soon_threadsafe(finish, frames)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    threading.Thread(target=work, name="flush", daemon=True).start()
    return await done


async def one_session(source: Source, lane: Lane) -> SessionEnd:
    """Open the source and read it to its end; whatever is raised is an end, too."""
    try:
        return await source.run(lane)
    except VedetteError as err:
        return SessionEnd(EndReason.UNSUPPORTED, str(err))
    except Exception as err:
        # A mistake of ours or of a library, met on one camera's data: it ends that session and says so.
        return SessionEnd(EndReason.CORRUPT, redact(f"{type(err).__name__}: {err}"))
