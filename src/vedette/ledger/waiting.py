"""What waits to be written: the newest of each row, never more than so many."""

from __future__ import annotations

from dataclasses import dataclass, field

from vedette.facts import Gap, Incident
from vedette.ledger.rows import Counters, WatchChange

__all__ = ["Waiting"]

Row = Gap | Incident | WatchChange


@dataclass
class Waiting:
    """Rows by key, oldest first, and counters by camera. Not for several threads at once.

    ``most``: rows. Where more come, the oldest that is over and was never written is dropped: what is open,
    and what is open in the database and must be closed there, goes only if there is nothing else.
    """

    most: int
    dropped: int = 0
    counters: dict[str, Counters] = field(default_factory=dict)
    _needed: dict[str, Row] = field(default_factory=dict)
    _whole: dict[str, Row] = field(default_factory=dict)
    """Closed before they were ever written."""
    _open_there: set[str] = field(default_factory=set)
    """Keys of rows that were committed open. As many as are open, which the number of cameras bounds."""

    def __len__(self) -> int:
        return len(self._needed) + len(self._whole)

    def put(self, row: Row) -> None:
        key = self._key(row)
        self._whole.pop(key, None)
        if _over(row) and key not in self._open_there:
            self._needed.pop(key, None)
            self._whole[key] = row
        else:
            self._needed[key] = row  # in the place of an earlier version: its order stays
        self._drop()

    def take(self) -> list[Row]:
        """All of them; they are gone from here."""
        rows = [*self._needed.values(), *self._whole.values()]
        self._needed, self._whole = {}, {}
        return rows

    def committed(self, rows: list[Row]) -> None:
        """These were written."""
        for row in rows:
            if isinstance(row, WatchChange):
                continue
            if row.end is None:
                self._open_there.add(self._key(row))
            else:
                self._open_there.discard(self._key(row))

    def give_back(self, rows: list[Row]) -> None:
        """These were not. They are older than what came meanwhile."""
        newer, self._needed, self._whole = self.take(), {}, {}
        for row in [*rows, *newer]:
            self.put(row)

    def _key(self, row: Row) -> str:
        if isinstance(row, WatchChange):
            # Each counts: a camera that was removed and added again was not watched in between.
            return f"watch {row.camera} {row.at} {row.host}"
        return f"{type(row).__name__} {row.id}"

    def _drop(self) -> None:
        while len(self) > self.most:
            rows = self._whole or self._needed
            del rows[next(iter(rows))]
            self.dropped += 1


def _over(row: Row) -> bool:
    return not isinstance(row, WatchChange) and row.end is not None
