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
RESTS = 3.0
"""Where nobody waits for it: so many times as long as a picture took. Even at the lowest priority whoever
computes beside cameras costs them some of their age (caches, memory): a quarter of the time is enough."""
LONGEST_REST_S = 2.0
GIVEN_UP = 1


def run(order: Examine, channel: Channel) -> int:
    """Do it and say what came of it; returns the exit code."""
    step_back()
    try:
        from vedette.quality.validate.examine import examine

        told = _told(channel)
        verdict = examine(order, told if order.running else _at_ease(told), datetime.now(UTC))
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


def _at_ease(say: Callable[[str], None]) -> Callable[[str], None]:
    """Rests after each picture."""
    last = time.monotonic()

    def told(words: str) -> None:
        nonlocal last
        say(words)
        time.sleep(min(RESTS * (time.monotonic() - last), LONGEST_REST_S))
        last = time.monotonic()

    return told
