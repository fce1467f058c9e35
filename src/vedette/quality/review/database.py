"""The review store's SQLite file: opened, told from other files, lost and opened again; errors in our
words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from vedette.errors import ReviewError
from vedette.quality.review.schema import APPLICATION, METADATA, STEPS, VERSION

__all__ = ["Database"]

BUSY_S = 5.0
"""How long one process waits for another one that writes."""

_SAYS = {
    "SQLITE_NOTADB": "is not a review store (not an SQLite database)",
    "SQLITE_CORRUPT": "is damaged; restore a copy, or move the folder away and begin a new one",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "is not writable",
    "SQLITE_CANTOPEN": "cannot be opened: it is not there, or no permission",
    "SQLITE_IOERR": "the disk is full or failing",
    "SQLITE_BUSY": "is locked by another program",
    "SQLITE_PERM": "no permission",
}


class Database:
    """Transactions, one at a time; threads wait for each other. After an error the next one connects anew."""

    def __init__(self, path: Path, *, readonly: bool) -> None:
        """Opens nothing; the first transaction does. Read-only ones create nothing, and must find a store."""
        self._path, self._readonly = path, readonly
        self._guard = threading.RLock()
        self._connection: Connection | None = None
        self._inside = False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits at the end, once it would survive a power cut; nothing if that raises. Raises ReviewError.

        Nested ones belong to the outermost.
        """
        with self._guard:
            if self._inside and self._connection is not None:
                yield self._connection
                return
            try:
                connection = self._connection = self._connection or self._connect()
                self._inside = True
                with connection.begin():
                    yield connection
            except (SQLAlchemyError, sqlite3.Error) as err:
                self.close()
                raise self._problem(err) from err
            finally:
                self._inside = False

    def close(self) -> None:
        with self._guard:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    connection.close()
                except (SQLAlchemyError, sqlite3.Error):
                    pass  # it was lost before

    def _connect(self) -> Connection:
        engine = create_engine("sqlite://", creator=self._open, poolclass=NullPool)
        # The driver's own BEGIN comes late, and a transaction that reads first and then writes would fail
        # where another process wrote in between, instead of waiting for it.
        begin = "BEGIN" if self._readonly else "BEGIN IMMEDIATE"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        connection = engine.connect()
        try:
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={'ro' if self._readonly else 'rwc'}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # A review is minutes of somebody's time: each waits for the disk.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("SELECT count(*) FROM sqlite_schema")  # opens the file; until here nothing did
            if not self._readonly:
                _write_ahead(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _check(self, connection: Connection) -> None:
        """Made where there is none, brought up to date where it is older: in one transaction, or not at
        all."""
        with connection.begin():
            found = self._version(connection)
            if found == VERSION:
                return
            if self._readonly:
                raise ReviewError(
                    f"{self._path}: was made by an older Vedette; `vedette review {self._path.parent}` "
                    "brings it up to date, and so does a node that keeps frames there"
                )
            if found == 0:
                METADATA.create_all(connection)
            for version in range(found + 1, VERSION + 1) if found else ():
                STEPS[version](connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    def _version(self, connection: Connection) -> int:
        """0: there is nothing yet. Raises ReviewError for what is not ours, or newer than we are."""
        application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
        if application != APPLICATION and (tables or version or self._readonly):
            raise ReviewError(f"{self._path}: is not a review store")
        if version > VERSION:
            raise ReviewError(
                f"{self._path}: was made by a newer Vedette "
                f"(version {version}; this one knows up to {VERSION})"
            )
        return version

    def _problem(self, err: Exception) -> ReviewError:
        origin = err.orig if isinstance(err, DBAPIError) and err.orig is not None else err
        name = str(getattr(origin, "sqlite_errorname", None) or "")
        # Extended codes begin with the name of the plain one: SQLITE_IOERR_WRITE.
        says = next((says for code, says in _SAYS.items() if name.startswith(code)), None)
        return ReviewError(f"{self._path}: {says or ' '.join(str(origin).split())[:300]}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and the writer do not wait for each other in this mode, which the file remembers. Others who
    open it at this moment make the change fail at once instead of waiting; so it is tried again."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as err:
            if "locked" not in str(err) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
