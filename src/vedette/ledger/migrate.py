"""Whether a database is a ledger, of which age, and what brings it up to date."""

from __future__ import annotations

import sqlite3
import threading
import time
from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text

from vedette.errors import LedgerError
from vedette.ledger.address import BUSY_S, Address
from vedette.ledger.schema import METADATA, REVISIONS, VERSION_TABLE

__all__ = ["check", "migrate"]

_MIGRATION_LOCK = 0x7665_6465_7474_6500
"""PostgreSQL's advisory locks are numbers; this one is held by whoever migrates."""

_ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps what it is doing in module globals."""


def check(connection: Connection, address: Address) -> None:
    """Raise LedgerError unless this is a ledger of exactly this Vedette's schema."""
    with connection.begin():
        revision = _revision(connection, address)
    if revision is None:
        raise LedgerError(f"{address}: is not a ledger (it is empty)")
    if revision != REVISIONS[-1]:
        raise LedgerError(
            f"{address}: was made by an older Vedette (schema {revision}); starting a node upgrades it"
        )


def migrate(connection: Connection, address: Address) -> None:
    """Make the database a ledger of this Vedette's schema, from nothing or from an older one.

    All in one transaction that others wait for: it happens once, entirely or not at all.
    Raises LedgerError, and database errors.
    """
    with connection.begin():
        if _revision(connection, address) == REVISIONS[-1]:
            return
    if address.path is not None:
        _write_ahead(connection)
    with _ONE_AT_A_TIME, connection.begin():
        if address.path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        if _revision(connection, address) != REVISIONS[-1]:
            _upgrade(connection)


def _revision(connection: Connection, address: Address) -> str | None:
    """None: there is nothing yet. Raises LedgerError for what is not ours, or newer than we are."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        theirs = tables if address.path is not None else tables & set(METADATA.tables)
        if theirs:
            raise LedgerError(f"{address}: is not a ledger (it holds other tables: {min(theirs)!r})")
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if found is not None and found not in REVISIONS:
        raise LedgerError(
            f"{address}: was made by a newer Vedette (schema {str(found)[:32]}; this one knows up to "
            f"{REVISIONS[-1]}): use that version"
        )
    return found


def _write_ahead(connection: Connection) -> None:
    """Readers and the writer do not wait for each other in this mode, which the file remembers.

    Others who open it at this moment make the change fail at once instead of waiting; so it is tried again.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as err:
            if "locked" not in str(err) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _upgrade(connection: Connection) -> None:
    # Alembic is imported only where there is something to migrate: it would double the time a start takes.
    from alembic import command
    from alembic.config import Config

    with as_file(files("vedette.ledger") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
