"""One node of a name at a time: whoever holds its lock writes. A lock goes with the process that holds it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, text

from vedette.errors import LedgerError
from vedette.ledger.address import Address

__all__ = ["FileLock", "LockTaken", "take_advisory_lock"]

SERVER_NOTICES = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 3, "tcp_keepalives_count": 3}
"""Makes a PostgreSQL server find out within 15 s that the machine at the other end is gone. By itself it
takes two hours, for which nobody else would get the lock.
"""

_HELD: dict[Path, int] = {}
"""Locks of this process, and its pid. The kernel's locks do not stand between threads of one process, and a
copy made by fork holds none of them.
"""


class LockTaken(LedgerError):  # noqa: N818 - what it is, not whose fault
    """Another node of that name holds it."""


class FileLock:
    """A lock that the kernel takes back when its process ends, however it ends.

    A POSIX record lock, because children made by fork do not inherit it: with ``flock`` a forgotten
    grandchild would keep the next node out. It would be lost if this process closed the file elsewhere;
    nothing else opens it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @classmethod
    def beside(cls, ledger: Path, node: str) -> FileLock:
        name = quote(node, safe="")
        if len(name) > 100:
            name = hashlib.sha256(node.encode()).hexdigest()
        return cls(ledger.with_name(f"{ledger.name}.{name}.lock"))

    def take(self, where: Address, node: str) -> None:
        """Raises LedgerError: another process, or another ledger of this one, has it."""
        try:
            holder = self._acquire()
        except OSError as err:
            raise LedgerError(f"{where}: its lock cannot be taken: {err.strerror}") from err
        if holder is not None:
            raise _taken(where, node, holder)

    def _acquire(self) -> int | None:
        """None if it is ours now, otherwise the pid of who holds it (0: not known)."""
        if _HELD.get(self._path) == os.getpid():
            return os.getpid()
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _pid_in(file)
            os.close(file)
            return holder
        except OSError:
            os.close(file)
            raise
        self._file = file
        _HELD[self._path] = os.getpid()
        _note_pid(file)
        return None

    def release(self) -> None:
        if self._file is not None:
            _HELD.pop(self._path, None)
            os.close(self._file)
            self._file = None


def _note_pid(file: int) -> None:
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        pass  # a full disk; the pid is for people, the lock holds without it


def _pid_in(file: int) -> int:
    try:
        return int(os.pread(file, 32, 0))
    except (OSError, ValueError):
        return 0


def take_advisory_lock(connection: Connection, where: Address, node: str) -> None:
    """Take the node's lock in PostgreSQL for as long as this connection lives. Raises LedgerError.

    The connection that holds it is the one that writes: who lost the lock cannot write any more.
    """
    with connection.begin():
        for setting, value in SERVER_NOTICES.items():
            connection.execute(text(f"SET {setting} = {value}"))
        schema = connection.execute(text("SELECT current_schema()")).scalar()
        digest = hashlib.sha256(f"vedette node {schema} {node}".encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
            raise _taken(where, node)


def _taken(where: Address, node: str, pid: int = 0) -> LockTaken:
    who = f" (process {pid})" if pid else ""
    return LockTaken(f"{where}: another node named {node} is writing this ledger{who}")
