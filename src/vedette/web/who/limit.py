"""How soon somebody may try another password: later and later, the more tries failed.

Two counts, of the name and of the address, and the longer wait holds. An address waits up to a quarter of an
hour, a name up to a minute only: somebody who guesses must not be able to keep its owner out, and an address
from which that name logged in before does not wait for what others guess. All of it is pure: the time is an
argument, in monotonic seconds.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

__all__ = ["ADDRESS", "NAME", "Limits", "Rule", "network_of"]


@dataclass(frozen=True, slots=True)
class Rule:
    """``free`` tries, then a wait that doubles from ``first_s`` to ``most_s``; all is forgotten when nobody
    tried for ``forget_s``."""

    free: int
    first_s: float
    most_s: float
    forget_s: float

    def wait(self, failures: int) -> float:
        """Seconds from the last of so many failures until the next try."""
        if failures < self.free:
            return 0.0
        return float(min(self.most_s, self.first_s * 2.0 ** min(failures - self.free, 30)))


NAME = Rule(free=5, first_s=1.0, most_s=60.0, forget_s=3600.0)
ADDRESS = Rule(free=10, first_s=2.0, most_s=900.0, forget_s=4 * 3600.0)

REMEMBERED = 10_000
"""Names, addresses, and pairs that logged in, each; the one that was tried longest ago makes room."""


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class Limits:
    """Every try counts as failed from its beginning, so that many at once are no way around it."""

    def __init__(self, name: Rule = NAME, address: Rule = ADDRESS, most: int = REMEMBERED) -> None:
        self._rules, self._most = (name, address), most
        self._names: OrderedDict[str, _Count] = OrderedDict()
        self._addresses: OrderedDict[str, _Count] = OrderedDict()
        self._friends: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return max(len(self._names), len(self._addresses), len(self._friends))

    def attempt(self, name: str, address: str, now: float) -> float:
        """0 where it may be tried now, and is counted; else the seconds to wait, and nothing is counted."""
        name, address = name.casefold()[:64], network_of(address)
        wait = _left(self._addresses, address, self._rules[1], now)
        if (name, address) not in self._friends:
            wait = max(wait, _left(self._names, name, self._rules[0], now))
        if wait > 0:
            return wait
        if (name, address) not in self._friends:
            self._count(self._names, name, self._rules[0], now)
        self._count(self._addresses, address, self._rules[1], now)
        return 0.0

    def passed(self, name: str, address: str) -> None:
        """The try was right. Of the address only this one is forgotten: whoever has a password of his own
        must not be able to guess others' without end."""
        name, address = name.casefold()[:64], network_of(address)
        self._names.pop(name, None)
        if (count := self._addresses.get(address)) is not None:
            count.failures = max(0, count.failures - 1)
        self._friends[name, address] = None
        self._friends.move_to_end((name, address))
        _bound(self._friends, self._most)

    def _count(self, counts: OrderedDict[str, _Count], key: str, rule: Rule, now: float) -> None:
        count = counts.get(key)
        if count is None or now - count.last > rule.forget_s:
            counts[key] = _Count(1, now)
        else:
            count.failures, count.last = count.failures + 1, now
        counts.move_to_end(key)
        _bound(counts, self._most)


def _left(counts: OrderedDict[str, _Count], key: str, rule: Rule, now: float) -> float:
    count = counts.get(key)
    if count is None or now - count.last > rule.forget_s:
        return 0.0
    return max(0.0, count.last + rule.wait(count.failures) - now)


def _bound(counts: OrderedDict[Any, Any], most: int) -> None:
    while len(counts) > most:
        counts.popitem(last=False)


def network_of(address: str) -> str:
    """What one guesser has: an address, of IPv6 the /64 that one household gets; any other text as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    assert isinstance(parsed, ipaddress.IPv6Address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
