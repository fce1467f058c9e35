"""Looks at what each worker has, asks the policies who leaks and who is to be replaced, and has it done.

On the node's loop, every few seconds; what it looks at was read elsewhere. A replacement runs as a task of
its own, and how it ends is told by whoever performs it.
"""

from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from vedette.clock import Clock
from vedette.errors import VedetteError
from vedette.facts import AnyFact, ReplacementPostponed, Trouble
from vedette.supervise import leaks, recycle
from vedette.supervise.child import Child
from vedette.supervise.growth import Growth
from vedette.supervise.machine import memory_total
from vedette.supervise.resources import resident_of
from vedette.supervise.seen import Kind, Limits, Measure, Seen
from vedette.supervise.settings import RecycleSettings
from vedette.supervise.usage import Usage

__all__ = ["Recycler"]

LOOK_EVERY_S = 2.0

WARM_UP_S = 20.0
"""Until another has taken over. What a worker will have by then, at the rate at which it grows, is what
counts beside its limit."""

THREADS_MOST = 10_000
"""Far more than a worker with a thread for each of its cameras needs; a system gives three times that."""


class Recycler:
    """Of one node. ``workers``: those that run; ``frames``: how many a worker has handled in all its lives;
    ``movable``: whether another can take its work over now. ``perform``: replaces a worker, by its post, and
    raises VedetteError where that fails."""

    def __init__(
        self,
        settings: RecycleSettings,
        *,
        workers: Callable[[], Sequence[Child]],
        usage: Usage,
        frames: Callable[[Child], int],
        movable: Callable[[Child], bool],
        busy: Callable[[], bool],
        perform: Callable[[str, str, str], Awaitable[None]],
        tell: Callable[[AnyFact], None],
        clock: Clock,
        rng: random.Random | None = None,
    ) -> None:
        """``busy``: whether a replacement is being made."""
        self._settings, self._workers, self._usage = settings, workers, usage
        self._frames, self._movable, self._busy, self._perform = frames, movable, busy, perform
        self._tell, self._clock, self._rng = tell, clock, rng or random.Random()
        self._looked_at = 0.0
        self._leaks, self._state = leaks.Leaks(), recycle.State()
        self._handled_before: dict[tuple[str, float], int] = {}
        self._growth: dict[tuple[str, float], Growth] = {}
        self._named: set[tuple[str, float, Measure]] = set()
        self._doing: asyncio.Task[None] | None = None

    @property
    def leaking(self) -> dict[str, tuple[leaks.Leak, ...]]:
        """By post: what leaks for sure."""
        found = {name: tuple(leak for leak in each if leak.named) for name, each in self._leaks.found.items()}
        return {name: each for name, each in found.items() if each}

    def tick(self) -> None:
        """Called often; looks every few seconds."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        seen = self._seen()
        limits = self._limits(len(seen))
        self._leaks = leaks.watched(self._leaks, seen, limits, now)
        self._say_who_leaks(seen, now)
        machine = self._usage.machine
        look = recycle.Look(
            workers=seen,
            leaks=self._leaks.found,
            available=machine.memory_available if machine else None,
            gpu_available=self._usage.gpu_free,
            under_way=self._busy() or (self._doing is not None and not self._doing.done()),
        )
        self._state, decision = recycle.decide(self._state, look, limits, now, self._rng)
        if decision is not None:
            self._do(decision, now)

    def close(self) -> None:
        """Whatever is being done is given up."""
        if self._doing is not None:
            self._doing.cancel()

    # ---- looking

    def _limits(self, workers: int) -> Limits:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return self._settings.limits(
            workers=max(1, workers),
            memory=memory_total() or 0,
            gpu_memory=self._usage.gpu_memory,
            files=files if files != resource.RLIM_INFINITY else None,
            threads=THREADS_MOST,
        )

    def _seen(self) -> tuple[Seen, ...]:
        found = []
        for child in self._workers():
            usage = self._usage.of(child.name)
            if usage is None or usage.pid != child.pid:
                continue  # nothing was read of this one yet
            found.append(
                Seen(
                    name=child.post,
                    kind=Kind(child.kind),
                    started_at=child.spawned_at,
                    frames=self._handled(child),
                    uss=self._memory(child, usage.pid),
                    gpu=usage.gpu,
                    files=usage.fds,
                    threads=usage.threads,
                    ready=child.ready,
                    movable=self._movable(child),
                )
            )
        return tuple(found)

    def _memory(self, child: Child, pid: int) -> int | None:
        """What it has, or will have before another could take over if it grows all the time."""
        amount, now = resident_of(pid), self._clock.monotonic()
        if amount is None:
            return None
        key = child.post, child.spawned_at
        if key not in self._growth:
            lives = {other: each for other, each in self._growth.items() if other[0] != child.post}
            self._growth = {**lives, key: Growth()}
        self._growth[key].note(now, amount)
        return amount + round(WARM_UP_S * self._growth[key].a_second())

    def _handled(self, child: Child) -> int:
        """Frames since this process began; counts go on from one to the next."""
        total, key = self._frames(child), (child.post, child.spawned_at)
        if key not in self._handled_before:
            lives = {other: n for other, n in self._handled_before.items() if other[0] != child.post}
            self._handled_before = {**lives, key: total}
        return max(0, total - self._handled_before[key])

    # ---- doing

    def _do(self, decision: recycle.Decision, now: float) -> None:
        match decision:
            case recycle.Replace(worker, reason, detail):
                self._doing = asyncio.get_running_loop().create_task(self._replace(worker, reason, detail))
            case recycle.Postpone(worker, reason, why):
                self._tell(ReplacementPostponed(at=now, worker=worker, reason=reason.value, why=why))
            case recycle.GiveUpChurning(worker, measure, detail):
                message = f"{worker} leaks {measure} as fast as the one before it, and is left: {detail}"
                self._tell(Trouble(at=now, where=worker, message=message))

    async def _replace(self, worker: str, reason: recycle.Reason, detail: str) -> None:
        try:
            await self._perform(worker, reason.value, detail)
        except VedetteError:
            pass  # it was told as a fact; the policy comes back to it
        except Exception as err:  # a mistake of ours must not end in silence
            now = self._clock.monotonic()
            message = f"not replaced: {type(err).__name__}: {err}"
            self._tell(Trouble(at=now, where=worker, message=message))

    def _say_who_leaks(self, seen: Sequence[Seen], now: float) -> None:
        """Once of each process and measure."""
        lives: dict[str, Any] = {each.name: each.started_at for each in seen}
        named = {
            (name, lives[name], leak.measure): leak
            for name, each in self.leaking.items()
            if name in lives
            for leak in each
        }
        for key, leak in named.items():
            if key not in self._named:
                rate = leak.measure.written(leak.slope_per_hour)
                message = f"{key[0]} leaks {rate} an hour"
                self._tell(Trouble(at=now, where=key[0], message=message))
        self._named = set(named)
