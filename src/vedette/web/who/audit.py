"""Who changed what, one JSON object a line, in a file that its owner alone can read."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import msgspec
import structlog

from vedette.errors import redact

__all__ = ["Audit", "Often"]

LARGEST = 8_000_000
KEPT = 5
"""Files, the one that is written among them: 40 MB at most, some 200 000 changes."""
LONGEST = 500
"""Characters of one value."""
WAITING_MOST = 2000


class Audit:
    """Written by a thread of its own: a disk that stands still holds up nobody's answer. What there is no
    room for is counted, and told with the next line. ``path``: None where there is no folder to keep it in;
    then it is only logged."""

    def __init__(self, path: Path | None, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self._path, self._largest, self._kept = path, largest, kept
        self._log = structlog.get_logger("vedette.web.audit")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vedette-audit")
        self._guard = threading.Lock()
        self._waiting, self._lost = 0, 0
        self._failed = False

    def append(self, entry: Mapping[str, object]) -> None:
        """Of values, text is cut and cleaned of credentials. From any thread."""
        clean = {key: _clean(value) for key, value in entry.items()}
        with self._guard:
            if self._waiting >= WAITING_MOST:
                self._lost += 1
                return
            if self._lost:
                clean["lost_before"], self._lost = self._lost, 0
            self._waiting += 1
        self._thread.submit(self._write, clean).add_done_callback(self._written)

    def close(self) -> None:
        """All of it is written then."""
        self._thread.shutdown(wait=True)

    def _written(self, _: Future[None]) -> None:
        with self._guard:
            self._waiting -= 1

    def _write(self, entry: Mapping[str, object]) -> None:
        told = {key: value for key, value in entry.items() if key != "at"}
        self._log.info("audit", **told)
        if self._path is None:
            return
        line = msgspec.json.encode(entry) + b"\n"
        try:
            _rotate(self._path, len(line), self._largest, self._kept)
            _append(self._path, line)
            self._failed = False
        except OSError as err:
            with self._guard:
                self._lost += 1 + _number(entry.get("lost_before"))
            if not self._failed:  # told once, not at each change
                self._log.error("the audit log cannot be written", file=str(self._path), why=err.strerror)
            self._failed = True


class Often:
    """How often something is written down of each name: ``most`` times in a ``span_s``. Pure; times are
    monotonic seconds. There are no more names than users."""

    def __init__(self, most: int = 20, span_s: float = 60.0) -> None:
        self._most, self._span_s = most, span_s
        self._counts: dict[str, tuple[float, int, int]] = {}
        """By name: when its span began, what was written down in it, and what was left out since."""

    def count(self, name: str, now: float) -> int | None:
        """None where it was too often; else how many were left out before."""
        began, written, left_out = self._counts.get(name, (now, 0, 0))
        if now - began >= self._span_s:
            began, written = now, 0
        if written >= self._most:
            self._counts[name] = began, written, left_out + 1
            return None
        self._counts[name] = began, written + 1, 0
        return left_out


def _clean(value: object) -> object:
    return redact(value)[:LONGEST] if isinstance(value, str) else value


def _rotate(path: Path, more: int, largest: int, kept: int) -> None:
    if not path.exists() or path.stat().st_size + more <= largest:
        return
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, kept))]
    for newer, older in reversed(list(pairwise(names))):
        if newer.exists():
            newer.replace(older)
    if kept == 1:
        path.unlink()


def _append(path: Path, line: bytes) -> None:
    """In one write, so that two dashboards that share a file do not mix their lines. Raises OSError where it
    is not written whole; what was is ended, so that it spoils no other line."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not _ended(descriptor):
            line = b"\n" + line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _ended(descriptor: int) -> bool:
    """Whether the last line is whole: the disk may have been full in the middle of it."""
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
