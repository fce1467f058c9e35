"""Which camera has which row of the table, and which worker reads it: bookkeeping without any doing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vedette.errors import ConfigError, redact
from vedette.facts import EndReason
from vedette.ingest.select import SourceKind, source_kind
from vedette.settings import CameraSettings

__all__ = ["SPARE", "Changes", "Entry", "Roster", "changes"]

SPARE = 1000
"""Rows for cameras that are added later. Rows that were never used take no memory."""


@dataclass(slots=True)
class Entry:
    """A camera of this node. ``finished``: how it ended for good (a file that is over)."""

    name: str
    index: int
    worker: int
    settings: CameraSettings
    isolated: bool = False
    """It is kept away from others, because its stream brought down who decoded it."""
    paused: bool = False
    paused_at: float = 0.0
    """When it was paused last: Unix seconds, maybe before this node started."""
    removed: bool = False
    finished: EndReason | None = None
    detail: str = ""
    single_session: bool = False
    """It was seen to let nobody in beside the session that there is."""

    @property
    def plays_a_clip(self) -> bool:
        """Whether it is in the middle of something that would have to begin again elsewhere."""
        return self.watched and source_kind(self.settings.url) is SourceKind.FILE

    @property
    def may_be_joined(self) -> bool:
        """Whether a second session may be opened beside the one there is."""
        kind = source_kind(self.settings.url)
        many = self.settings.max_sessions is None or self.settings.max_sessions > 1
        return many and not self.single_session and kind in (SourceKind.RTSP_TCP, SourceKind.CONTAINER)

    @property
    def watched(self) -> bool:
        """Whether a worker should have it open."""
        return not (self.paused or self.removed or self.finished)


class Roster:
    """All cameras that this node watches or watched, by name and by row."""

    def __init__(self, settings: Mapping[str, CameraSettings], workers: Iterable[int]) -> None:
        """``workers``: the numbers of those that cameras may be given to."""
        self.capacity = len(settings) + SPARE
        self.workers = list(workers)
        self._entries: list[Entry] = []
        self._by_name: dict[str, Entry] = {}
        for each in settings.values():
            self.add(each)

    def add(self, settings: CameraSettings) -> Entry:
        """A row for a camera. One that was here before gets its old row: counts, epochs and ids go on.

        Raises ConfigError when all rows are taken.
        """
        entry = self._by_name.get(settings.name)
        if entry is not None:
            if settings.url != entry.settings.url:
                entry.single_session = False  # that was another one
            entry.settings, entry.detail, entry.finished = settings, "", None
            entry.removed = entry.paused = False
            return entry
        self.check_room([settings.name])
        entry = Entry(settings.name, len(self._entries), self._least_busy(), settings)
        self._entries.append(entry)
        self._by_name[settings.name] = entry
        return entry

    def check_room(self, names: Iterable[str]) -> None:
        """Raises ConfigError when there are not rows for all of these."""
        new = sum(name not in self._by_name for name in names)
        if len(self._entries) + new > self.capacity:
            raise ConfigError(f"this node can have had {self.capacity} cameras; restart it to add more")

    def _least_busy(self) -> int:
        load = dict.fromkeys(self.workers, 0)
        for entry in self._entries:
            if not entry.removed and entry.worker in load:
                load[entry.worker] += 1
        return min(load, key=lambda worker: load[worker])

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def named(self, name: str) -> Entry:
        """Raises ConfigError where there is none, or none any more."""
        entry = self._by_name.get(name)
        if entry is None or entry.removed:
            raise ConfigError(f"there is no camera {redact(name)!r}")
        return entry

    def find(self, name: str, *, removed: bool = False) -> Entry | None:
        """None where there is no such camera, or none any more; with ``removed``, also those. From any
        thread."""
        entry = self._by_name.get(name)
        return None if entry is None or (entry.removed and not removed) else entry

    def named_ever(self, name: str) -> Entry:
        """Also one that was removed."""
        return self._by_name[name]

    def of_worker(self, worker: int) -> list[Entry]:
        return [entry for entry in self._entries if entry.worker == worker and not entry.removed]

    def inherit(self, before: int, worker: int) -> None:
        """Nobody works in that place any more: whoever was removed there comes back to this worker."""
        for entry in self._entries:
            if entry.removed and entry.worker == before:
                entry.worker = worker

    @property
    def isolation(self) -> dict[int, int]:
        """Workers that read cameras which are kept away from others, and how many each reads."""
        found: dict[int, int] = {}
        for entry in self._entries:
            if entry.isolated and not entry.removed:
                found[entry.worker] = found.get(entry.worker, 0) + 1
        return found

    @property
    def all_finished(self) -> bool:
        """Whether nothing is left to watch: every camera was a file, and is over."""
        present = [entry for entry in self._entries if not entry.removed]
        return bool(present) and all(entry.finished for entry in present)


@dataclass(frozen=True)
class Changes:
    """From one set of cameras to another."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    weighed: tuple[str, ...] = ()
    """They have another priority, and nothing was opened anew for it."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.weighed)


def changes(old: Mapping[str, CameraSettings], new: Mapping[str, CameraSettings]) -> Changes:
    """What has to be done; cameras that stay as they are, are not touched."""
    return Changes(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
    )
