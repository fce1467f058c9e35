"""A process that looks at labelled pictures beside cameras that are watched, and takes nothing from them.

It has one core at most, and that only while nobody else wants it; no GPU; and where memory runs short, the
system ends it first.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from vedette.errors import VedetteError, redact
from vedette.workers.protocol import Busy, Channel, Examine, Examined, LookedAt
from vedette.workers.step_back import step_back

__all__ = ["run"]

SAY_EVERY_S = 0.25
GIVEN_UP = 1


def run(order: Examine, channel: Channel) -> int:
    """Do it and say what came of it; returns the exit code."""
    step_back()
    try:
        from vedette.quality.validate.examine import examine

        verdict = examine(order, _told(channel), datetime.now(UTC))
    except Exception as err:
        # A user's detector may run in here: whatever it does must reach people, and without credentials.
        if not isinstance(err, VedetteError):
            sys.stderr.write(redact(traceback.format_exc()))
        channel.send(Busy(type(err).__name__, redact(str(err))[:2000] or type(err).__name__))
        return GIVEN_UP
    channel.send(Examined(msgspec.msgpack.encode(verdict)))
    return 0


def _told(channel: Channel) -> Callable[[str], None]:
    """Says how far it has come, not too often."""
    last = float("-inf")

    def say(words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SAY_EVERY_S:
            last = now
            channel.send(LookedAt(words))

    return say
