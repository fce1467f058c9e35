"""One connection to a ledger's database: opened, lost, opened again; errors in our words."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from vedette.errors import LedgerError
from vedette.ledger.address import Address, connect, problem
from vedette.ledger.migrate import check, migrate

__all__ = ["Database"]


class Database:
    """Transactions, one at a time; threads wait for each other. After an error the next one connects anew."""

    def __init__(self, address: Address, *, readonly: bool) -> None:
        """Opens nothing; use :meth:`open`."""
        self.address, self.readonly = address, readonly
        self.guard = threading.RLock()
        self.on_connect: Callable[[Connection], None] | None = None
        """What a new connection needs before anybody may write through it; may raise."""
        self._connection: Connection | None = None
        self._reads = 0
        self._closed = False
        self._file: tuple[int, int] | None = None

    def open(self) -> None:
        """Raises LedgerError: not there, not a ledger, newer than we are…"""
        with self.guard:
            self._closed = False
            self._connected()

    def close(self, *, for_good: bool = True) -> None:
        """``for_good``: whoever comes late is refused, not let in again."""
        with self.guard:
            self._closed = for_good
            self._disconnect()
            self._file = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """All reads inside are of one moment; so are those of others nested in it."""
        with self.guard, self._translated():
            connection = self._connected()
            if self._reads:
                yield connection
                return
            self._reads += 1
            try:
                with connection.begin():
                    yield connection
            finally:
                self._reads -= 1

    @contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        """Commits at the end, nothing if that raises. ``durable``: only once it would survive a power cut."""
        if self.readonly:
            raise LedgerError(f"{self.address}: was opened for reading only")
        with self.guard, self._translated():
            connection = self._connected()
            if self.address.path is not None:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with connection.begin():
                yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as err:
            # A connection that failed once is not worth finding out about.
            self._disconnect()
            raise problem(err, self.address) from err

    def _connected(self) -> Connection:
        if self._closed:
            raise LedgerError(f"{self.address}: was closed")
        if self._file != self._identity() and self._file is not None:
            # A deleted file can be written on and on, and nobody ever reads it.
            raise LedgerError(f"{self.address}: was removed or replaced while it was open")
        if self._connection is None:
            self._connection = self._connect()
            self._file = self._identity()
        return self._connection

    def _connect(self) -> Connection:
        connection = connect(self.address, readonly=self.readonly)
        try:
            (check if self.readonly else migrate)(connection, self.address)
            if self.on_connect is not None:
                self.on_connect(connection)
        except (SQLAlchemyError, sqlite3.Error) as err:
            connection.close()
            raise problem(err, self.address) from err
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except (SQLAlchemyError, sqlite3.Error):
            pass  # it was lost before

    def _identity(self) -> tuple[int, int] | None:
        if self.address.path is None:
            return None
        try:
            found = os.stat(self.address.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
