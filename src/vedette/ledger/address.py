"""Where a ledger lies, how it is connected to, and what its database's errors mean in our words."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from vedette.errors import LedgerError, redact

__all__ = ["Address", "address_of", "connect", "problem"]

BUSY_S = 5.0
"""How long a write waits for another process that writes into the same SQLite file."""

CONNECT_WITHIN_S = 5
SILENT_AT_MOST_MS = 15_000
"""A PostgreSQL server that acknowledges nothing for so long is gone. TCP itself would wait for 15 minutes."""


@dataclass(frozen=True)
class Address:
    """Either a file (SQLite) or a URL (PostgreSQL). Its ``str`` holds no credentials."""

    path: Path | None = None
    url: URL | None = None

    def __str__(self) -> str:
        if self.url is None:
            return str(self.path)
        port = f":{self.url.port}" if self.url.port else ""
        host = f"{self.url.host}{port}" if self.url.host else "local"
        return f"PostgreSQL {host}/{self.url.database or ''}"

    __repr__ = __str__


def address_of(target: str | Path) -> Address:
    """A path, ``sqlite:///path`` or ``postgresql://…``. Raises LedgerError for anything else."""
    text = os.fspath(target)
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Address(path=Path(text).expanduser().absolute())
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return Address(path=Path(rest[1:]).expanduser().absolute())
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise LedgerError(f"a ledger is a file or a postgresql:// URL, not {redact(text)!r}")
    try:
        return Address(url=make_url(f"postgresql+psycopg://{rest}"))
    except (SQLAlchemyError, ValueError):
        # Without its cause: that one quotes parts of the URL.
        raise LedgerError(f"cannot be read as a URL: {redact(text)!r}") from None


def connect(address: Address, *, readonly: bool) -> Connection:
    """Open one connection. Raises LedgerError.

    Read-only ones see one moment of the database in each transaction, and create nothing.
    """
    try:
        return _engine(address, readonly).connect()
    except (SQLAlchemyError, sqlite3.Error) as err:
        raise problem(err, address) from err
    except ImportError as err:
        raise LedgerError(f"{address}: the PostgreSQL driver is missing: install vedette[postgres]") from err


def _engine(address: Address, readonly: bool) -> Engine:
    if address.path is not None:
        path = address.path
        engine = create_engine("sqlite://", creator=lambda: _sqlite(path, readonly), poolclass=NullPool)
        # The driver's own BEGIN comes late and not before DDL: a migration would not be one transaction.
        event.listen(engine, "begin", _begin_to_read if readonly else _begin_to_write)
        return engine
    assert address.url is not None
    given = address.url.query
    ours = {
        "connect_timeout": CONNECT_WITHIN_S,
        "tcp_user_timeout": SILENT_AT_MOST_MS,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "application_name": "vedette",
    }
    arguments: dict[str, Any] = {key: value for key, value in ours.items() if key not in given}
    engine = create_engine(address.url, poolclass=NullPool, connect_args=arguments)
    if readonly:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


def _begin_to_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: Connection) -> None:
    # At once for writing: a transaction that reads first and then writes would fail where another one wrote
    # in between, instead of waiting for it.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _sqlite(path: Path, readonly: bool) -> sqlite3.Connection:
    (_check_readable if readonly else _check_writable)(path)
    try:
        return _opened(f"{path.as_uri()}?mode={'ro' if readonly else 'rwc'}")
    except sqlite3.OperationalError as err:
        # Read-only media: without its -wal file, which a node deletes when it stops, nothing can be underway,
        # and SQLite need not make the shared memory that it is not allowed to make there.
        denied = err.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))
        if not readonly or not denied or path.with_name(path.name + "-wal").exists():
            raise
        return _opened(f"{path.as_uri()}?mode=ro&immutable=1")


def _opened(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema")  # opens the file; until here nothing did
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check_readable(path: Path) -> None:
    # Asked, not tried: to close a file again takes away the locks that SQLite holds on it in this process.
    if not path.exists():
        raise LedgerError(f"{path}: there is no such ledger")
    if path.is_dir():
        raise LedgerError(f"{path}: is a folder, not a ledger")
    if not os.access(path, os.R_OK):
        raise LedgerError(f"{path}: cannot be read: no permission")


def _check_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise LedgerError(f"{path}: its folder cannot be made: {err.strerror}") from err
    if path.is_dir():
        raise LedgerError(f"{path}: is a folder, not a ledger")
    # SQLite writes its log beside the file, so that the file's own permissions are not enough.
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise LedgerError(f"{path}: its folder is not writable")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise LedgerError(f"{path}: is not writable")


_SQLITE_SAYS = {
    "SQLITE_NOTADB": "is not a ledger (not an SQLite database)",
    "SQLITE_CORRUPT": "is damaged; restore a copy, or move it away and begin a new one",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "is not writable",
    "SQLITE_CANTOPEN": "cannot be opened: no permission, or its folder cannot hold a database",
    "SQLITE_IOERR": "the disk is full or failing",
    "SQLITE_BUSY": "is locked by another program",
    "SQLITE_PERM": "no permission",
}

_POSTGRES_SAYS = {
    "53100": "the server's disk is full",
    "25006": "the server is read-only now",
    "3D000": "there is no such database",
    "28P01": "wrong user or password",
    "28000": "the server does not let this user in",
    "42P01": "is not a ledger (it has no such tables)",
}


def problem(err: Exception, address: Address) -> LedgerError:
    """The same in our words."""
    origin = err.orig if isinstance(err, DBAPIError) and err.orig is not None else err
    return LedgerError(f"{address}: {_meaning(origin, address)}")


def _meaning(origin: BaseException, address: Address) -> str:
    if isinstance(origin, sqlite3.Error):
        name = str(getattr(origin, "sqlite_errorname", None) or "")
        # Extended codes begin with the name of the plain one: SQLITE_IOERR_WRITE.
        says = next((says for code, says in _SQLITE_SAYS.items() if name.startswith(code)), None)
        return says or _one_line(origin, address)
    says = _POSTGRES_SAYS.get(getattr(origin, "sqlstate", None) or "")
    return says or _one_line(origin, address)


def _one_line(origin: BaseException, address: Address) -> str:
    text = redact(" ".join(str(origin).split()))
    if "authentication failed" in text:  # before a session there are no codes, only words
        return _POSTGRES_SAYS["28P01"]
    if address.url is not None:
        if address.url.password:
            text = text.replace(str(address.url.password), "***")
        text = text.replace(f'"{address.url.username}"', "***")
    return text if len(text) <= 300 else text[:299] + "…"
