"""A switch that dies and comes back, with every camera behind it, in simulated time.

The policies are the real ones (back-off, attempt timeouts, admission); only the network is made up. A dead
switch swallows packets, so an attempt takes until it times out. TCP asks again 1 and 3 s into an attempt: one
that is under way when the switch comes back succeeds at its next question.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from vedette.facts import EndReason
from vedette.ingest.admission import PER_HOST, PER_NODE, Admission, Grant
from vedette.ingest.reconnect import Backoff

__all__ = ["dead_switch"]

CONNECT_TIMEOUT_S = 5.0
SYN_AT_S = (0.0, 1.0, 3.0)
LIVED_S = 3600.0


class _World:
    def __init__(self, cameras: int, hosts: int, outage: float, seed: int) -> None:
        self.rng = random.Random(seed)
        self.outage = outage
        self.now, self.number = 0.0, 0
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.admission = Admission()
        self.backoffs = [Backoff(random.Random(seed * 100_003 + number)) for number in range(cameras)]
        self.hosts = [f"host {number % hosts}" for number in range(cameras)]
        self.connecting: set[int] = set()
        self.busiest = self.busiest_host = self.attempts = 0
        self.back: dict[int, float] = {}

    def at(self, when: float, act: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.due, (when, self.number, act))

    def run(self) -> None:
        for number, backoff in enumerate(self.backoffs):
            backoff.opened(self.rng.uniform(0.05, 0.2))
            # The stall is noticed and the session hung up.
            self.at(5.0 + self.rng.uniform(0.0, 0.5), lambda number=number: self.lost(number))  # type: ignore[misc]
        while self.due and len(self.back) < len(self.backoffs):
            self.now, _, act = heapq.heappop(self.due)
            act()

    def lost(self, number: int) -> None:
        self.wait(number, self.backoffs[number].after(EndReason.STALLED, LIVED_S, self.now))

    def wait(self, number: int, seconds: float) -> None:
        self.at(self.now + seconds, lambda: self.ask(number))

    def ask(self, number: int) -> None:
        self.let_in(self.admission.ask(f"{number}", self.hosts[number], 0, 0, self.now))

    def let_in(self, grants: list[Grant]) -> None:
        for grant in grants:
            self.attempt(int(grant.camera))
        self.busiest = max(self.busiest, len(self.connecting))
        by_host = Counter(self.hosts[number] for number in self.connecting)
        self.busiest_host = max(self.busiest_host, *by_host.values(), 0) if by_host else self.busiest_host

    def attempt(self, number: int) -> None:
        self.connecting.add(number)
        self.attempts += 1
        limit = self.backoffs[number].timeout(CONNECT_TIMEOUT_S)
        took = self.rng.uniform(0.05, 0.2)
        answered = [at for at in SYN_AT_S if at + took < limit and self.now + at >= self.outage]
        seconds = answered[0] + took if answered else limit
        self.at(self.now + seconds, lambda: self.attempted(number, bool(answered)))

    def attempted(self, number: int, opened: bool) -> None:
        self.connecting.discard(number)
        if opened:
            self.back[number] = self.now - self.outage
        else:
            self.wait(number, self.backoffs[number].after(EndReason.UNREACHABLE, 0.0, self.now))
        self.let_in(self.admission.done(f"{number}", self.now))


def dead_switch(cameras: int, hosts: int, outage: float, seed: int = 1) -> dict[str, Any]:
    """One outage of so many seconds. All times are seconds after the switch is back."""
    world = _World(cameras, hosts, outage, seed)
    world.run()
    back = sorted(world.back.values())
    return {
        "what": "dead switch",
        "cameras": cameras,
        "hosts": hosts,
        "outage_s": outage,
        "back": len(back),
        "back_p50_s": round(back[len(back) // 2], 2),
        "back_p99_s": round(back[int(len(back) * 0.99)], 2),
        "back_all_s": round(back[-1], 2),
        "attempts": world.attempts,
        "connects_at_once": world.busiest,
        "budget": PER_NODE,
        "connects_at_once_per_host": world.busiest_host,
        "budget_per_host": PER_HOST,
    }
