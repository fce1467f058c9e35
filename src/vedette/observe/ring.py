"""The newest of what there was to tell, numbered, for those who come and ask for what is new since."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice
from typing import Generic, TypeVar

__all__ = ["Ring"]

T = TypeVar("T")


class Ring(Generic[T]):
    """At most ``things``, and at most so many ``size`` in all, by the size that each is said to have; older
    ones make room. Numbers begin at 1 and only grow. From any thread; nobody waits."""

    def __init__(self, things: int, size: int) -> None:
        self._things, self._most = things, size
        self._kept: deque[tuple[T, int]] = deque()
        self._size = 0
        self._last = 0
        self._lock = threading.Lock()

    @property
    def last(self) -> int:
        """The number of the newest; 0 before there was any."""
        return self._last

    def put(self, thing: T, size: int = 1) -> None:
        with self._lock:
            self._last += 1
            self._kept.append((thing, size))
            self._size += size
            while len(self._kept) > self._things or self._size > self._most:
                self._size -= self._kept.popleft()[1]

    def skip(self, count: int) -> None:
        """So many were not kept; they have their numbers all the same. What was kept before is let go."""
        with self._lock:
            self._last += count
            self._kept.clear()
            self._size = 0

    def after(self, number: int, most: int) -> tuple[list[tuple[int, T]], int, int]:
        """Those with higher numbers, oldest first, each with its number; ``most`` of them at most. Then the
        number to go on from, and how many above ``number`` there was no room for. A number that was not given
        yet is that of an earlier life: it is asked from the start."""
        with self._lock:
            number = number if 0 <= number <= self._last else 0
            first = self._last - len(self._kept) + 1
            begin = max(number + 1, first)
            place = begin - first
            found = [each for each, _ in islice(self._kept, place, place + max(0, most))]
        given = list(enumerate(found, start=begin))
        return given, begin - 1 + len(found), begin - number - 1
