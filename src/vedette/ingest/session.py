"""A camera's life: session after session, each with a reason to end, until it is removed or its clip ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from vedette.clock import Clock
from vedette.errors import VedetteError, redact
from vedette.facts import EndReason, SessionEnd, SessionEnded
from vedette.ingest.lane import Lane
from vedette.ingest.reconnect import Backoff
from vedette.ingest.source import Source
from vedette.pipeline import Pipeline
from vedette.workers.table import CameraState

__all__ = ["keep_watching"]


async def keep_watching(
    source: Source,
    pipeline: Pipeline,
    lane: Lane,
    backoff: Backoff,
    *,
    clock: Clock,
    set_state: Callable[[CameraState], None],
    tell: Callable[[Any], None],
    ends: bool,
) -> SessionEnd:
    """Open the source again and again. Returns only for sources that end (``ends``: a file that is not
    looped), with the end of their one session. Cancel it to close the camera."""
    while True:
        set_state(CameraState.CONNECTING)
        began = clock.monotonic()
        end = await _one_session(source, lane)
        await lane.settle()
        frames = await _ended(pipeline, end)
        # An attempt that ran into its time limit took long too; only one that gave pictures was healthy.
        lived = clock.monotonic() - began if frames else 0.0
        wait = None if ends else backoff.after(end.reason, lived)
        tell(
            SessionEnded(
                at=clock.monotonic(),
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
        await asyncio.sleep(wait)


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
        frames = pipeline.ended(end)
        try:
            loop.call_soon_threadsafe(finish, frames)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    threading.Thread(target=work, name="flush", daemon=True).start()
    return await done


async def _one_session(source: Source, lane: Lane) -> SessionEnd:
    try:
        return await source.run(lane)
    except VedetteError as err:
        return SessionEnd(EndReason.UNSUPPORTED, str(err))
    except Exception as err:
        # A mistake of ours or of a library, met on one camera's data: it ends that session and says so.
        return SessionEnd(EndReason.CORRUPT, redact(f"{type(err).__name__}: {err}"))
