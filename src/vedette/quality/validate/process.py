"""One examination in a process of its own, seen by the node: begin, hear how far it is, what came of it.

The process is a worker like the others: a fresh interpreter with a channel, which ends with its node. It is
never waited for: at its priority it may take its time, even to die.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from vedette.clock import Clock
from vedette.errors import DetectorError, LabelError, VedetteError, WorkerError
from vedette.quality.validate.verdict import Verdict
from vedette.supervise.child import Child
from vedette.supervise.waiting import until
from vedette.workers.protocol import Busy, Examine, Examined, LookedAt

__all__ = ["Examination"]

LOOK_EVERY_S = 0.1

SILENT_MOST_S = 900.0
"""Where nobody leaves it a core it gets three thousandths of one: enough to load a model in this time."""

_ERRORS: dict[str, type[VedetteError]] = {each.__name__: each for each in (DetectorError, LabelError)}


class Examination:
    """``told`` hears how far it is, in words. To be used on one event loop, once."""

    def __init__(self, order: Examine, told: Callable[[str], None], clock: Clock) -> None:
        self._order, self._told, self._clock = order, told, clock
        self.child = Child("validation", "validation-0")
        self._over = False
        self._heard_at = 0.0
        self._verdict: Verdict | None = None

    async def perform(self) -> Verdict:
        """Raises LabelError and DetectorError as it says, WorkerError where it ends, or is silent for too
        long. Whoever cancels it ends the process."""
        try:
            self.child.spawn(self._order, [])
        except OSError as err:
            self._over = True
            raise WorkerError(f"it cannot be started: {err}") from err
        self._heard_at = self._clock.monotonic()
        try:
            await until(
                self._hear,
                self.child,
                self._clock,
                within=SILENT_MOST_S,
                since=lambda: self._heard_at,
                otherwise=f"it said nothing for {SILENT_MOST_S / 60:.0f} min: is there no core left?",
                every=LOOK_EVERY_S,
            )
        finally:
            self._over = True
            self.end()
        assert self._verdict is not None
        return self._verdict

    def end(self, why: str = "") -> None:
        """Does not wait until it is gone: see :attr:`gone`."""
        if self.child.alive:
            self.child.kill(why)

    @property
    def gone(self) -> bool:
        """Whether it has ended; then nothing is left of it."""
        if not self._over or self.child.alive:
            return False
        if self.child.channel is not None:
            self.child.reap(self._clock.monotonic())
        return True

    def _hear(self) -> bool:
        """Whether it has said what came of it. Raises what it could not go on for."""
        while self._verdict is None and self.child.channel is not None:
            try:
                heard = self.child.channel.receive()
            except EOFError:
                break
            if heard is None:
                break
            self._heard_at = self._clock.monotonic()
            match heard[0]:
                case LookedAt(words):
                    self._told(words)
                case Examined(verdict):
                    self._verdict = msgspec.msgpack.decode(verdict, type=Verdict)
                case Busy(kind, why):
                    error = _ERRORS.get(kind)
                    raise WorkerError(f"{kind}: {why}") if error is None else error(why)
        return self._verdict is not None
