"""Frames come by themselves. What is left is to keep the session alive, and to notice when they stop."""

from __future__ import annotations

import asyncio
from typing import Protocol

from vedette.clock import Clock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.rtsp.connection import Connection
from vedette.ingest.rtsp.evidence import judge
from vedette.ingest.rtsp.session import RtspSession

__all__ = ["Limits", "watch"]

# How late our own timers may be before we blame ourselves and not the camera (suspended, or overloaded).
_WATCHDOG_SLACK = 1.0
# The share of a silence that ends the session after which the server is asked for a sign of life: late enough
# to be rare, early enough for an answer.
_SUSPICIOUS = 0.6
# The owner may have set other limits meanwhile.
_LOOK_EVERY = 2.0


class Limits(Protocol):
    """How long a silence may last, in seconds; read anew at each check."""

    stall_after: float
    first_frame_timeout: float


async def watch(limits: Limits, connection: Connection, session: RtspSession, clock: Clock) -> SessionEnd:
    """Until the session ends, by itself or because nothing comes any more."""
    began = now = clock.monotonic()
    grace_until, keep_alive_at = float("-inf"), now + session.keep_alive_interval
    while True:
        last = session.last_frame_at
        since, allowed = (began, limits.first_frame_timeout) if last is None else (last, limits.stall_after)
        deadline = max(since + allowed, grace_until)
        suspicious_at = since + allowed * _SUSPICIOUS if connection.asked_at <= since else float("inf")
        if now >= deadline:
            return _stalled(limits, connection, session)
        if now >= min(keep_alive_at, suspicious_at):
            session.keep_alive()
            keep_alive_at = now + session.keep_alive_interval
            suspicious_at = float("inf")
        # The first frame makes the deadline an earlier one than we knew when we went to sleep.
        wake_at = min(
            deadline, suspicious_at, keep_alive_at, now + min(limits.stall_after * _SUSPICIOUS, _LOOK_EVERY)
        )
        await asyncio.wait({connection.over}, timeout=wake_at - now)
        if connection.over.done():
            return connection.over.result()
        now = clock.monotonic()
        if now - wake_at > _WATCHDOG_SLACK:
            # We were late ourselves: first read what lies in the socket, then judge.
            grace_until = now + _WATCHDOG_SLACK


def _stalled(limits: Limits, connection: Connection, session: RtspSession) -> SessionEnd:
    if session.last_frame_at is not None:
        detail = f"No frame for {limits.stall_after:g} s"
    else:
        detail = f"No frame within {limits.first_frame_timeout:g} s of PLAY"
    if session.foreign_packets:
        detail += f"; {session.foreign_packets} packets were of a payload type that was not announced"
    blame, why = judge(connection.evidence())
    return SessionEnd(EndReason.STALLED, f"{detail}; {why}." if why else f"{detail}.", blame)
