"""Results as JSON Lines, into a file or standard output."""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Sequence
from pathlib import Path

from vedette.results import Result
from vedette.sinks.sink import SinkGone, SinkUnavailable

__all__ = ["JsonlSink"]


class JsonlSink:
    """Appends a line per result; each batch is written at once.

    ``path`` ``-`` is standard output. Missing folders are made. A last line that a crash cut short is ended
    before new ones follow, so at most that one line is unreadable.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None
        self._can_truncate = False

    def open(self) -> None:
        try:
            self._fd = os.dup(1) if self._path == "-" else self._open_file(Path(self._path))
            self._can_truncate = stat.S_ISREG(os.fstat(self._fd).st_mode)
            if self._path != "-":
                self._end_torn_line(self._fd)
        except OSError as error:
            raise self._as_ours(error) from error

    def write(self, results: Sequence[Result]) -> None:
        if self._fd is None:
            raise SinkUnavailable(f"{self._path}: not open")
        lines = b"".join(result.to_json() + b"\n" for result in results)
        before = os.fstat(self._fd).st_size if self._can_truncate else 0
        try:
            _write_all(self._fd, lines)
        except OSError as error:
            # All or none: half a batch would come twice when it is tried again.
            if self._can_truncate:
                _truncate(self._fd, before)
            raise self._as_ours(error) from error

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                os.close(fd)
            except OSError:
                pass  # what was written was reported by write; there is nothing left to save

    @staticmethod
    def _open_file(path: Path) -> int:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _end_torn_line(self, fd: int) -> None:
        size = os.fstat(fd).st_size if self._can_truncate else 0
        if size and os.pread(fd, 1, size - 1) != b"\n":
            _write_all(fd, b"\n")

    def _as_ours(self, error: OSError) -> SinkUnavailable | SinkGone:
        where = "standard output" if self._path == "-" else self._path
        if self._path == "-" and error.errno in (errno.EPIPE, errno.EBADF):
            return SinkGone(f"{where} was closed; no more results go there")
        return SinkUnavailable(f"{where}: {error.strerror or error}")


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # a terminal or pipe that somebody made non-blocking
            select.select([], [fd], [], 1.0)


def _truncate(fd: int, size: int) -> None:
    try:
        os.ftruncate(fd, size)
    except OSError:
        pass  # then a torn line stays; open ends it
