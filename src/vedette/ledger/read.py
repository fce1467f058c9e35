"""Questions to a ledger. Each is one statement, and changes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, or_, select

from vedette.causes import Cause, Kind
from vedette.errors import LedgerError
from vedette.ledger import schema
from vedette.ledger.convert import to_gap, to_incident
from vedette.ledger.rows import LedgerGap, LedgerIncident, LedgerNode, LedgerWatch

__all__ = ["Blind", "Wanted", "blind_of", "gaps_of", "incidents_of", "nodes_of", "watches_of"]


Blind = tuple[int, int | None, Cause]
"""Start, end (None while it lasts) and cause of a gap."""

_CAUSES = {cause.value: cause for cause in Cause}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows: None asks for all. Those that lie in [``since``, ``until``) at least in part."""

    cameras: Collection[str] | None = None
    since: int | None = None
    until: int | None = None
    causes: Collection[Cause] | None = None
    kinds: Collection[Kind] | None = None
    node: str | None = None
    limit: int | None = None
    """The newest so many."""


def gaps_of(connection: Connection, wanted: Wanted) -> list[LedgerGap]:
    table = schema.gaps
    query = _within(select(table), table, wanted)
    if wanted.cameras is not None:
        query = query.where(table.c.camera.in_(list(wanted.cameras)))
    if wanted.causes is not None:
        query = query.where(table.c.cause.in_([cause.value for cause in wanted.causes]))
    if wanted.kinds is not None:
        query = query.where(table.c.kind.in_([kind.value for kind in wanted.kinds]))
    return [to_gap(row) for row in _in_order(connection, query, table, wanted.limit, table.c.id)]


def blind_of(connection: Connection, wanted: Wanted) -> dict[str, list[Blind]]:
    """When cameras were not seen, by camera, in the order of :func:`gaps_of`: of rows that are many, only
    what coverage is made of. Raises LedgerError for words that this Vedette does not know."""
    table = schema.gaps
    what: Select[Any] = select(table.c.camera, table.c.start_us, table.c.end_us, table.c.cause)
    query = _within(what, table, wanted).where(table.c.kind == Kind.BLIND.value)
    found: dict[str, list[Blind]] = {}
    try:
        for camera, start, end, cause in _in_order(connection, query, table, None, table.c.id):
            found.setdefault(camera, []).append((start, end, _CAUSES[cause]))
    except KeyError as err:
        raise LedgerError(
            f"the ledger holds what this Vedette does not know ({err} is no cause): use a newer one"
        ) from err
    return found


def incidents_of(connection: Connection, wanted: Wanted) -> list[LedgerIncident]:
    table = schema.incidents
    query = _within(select(table), table, wanted)
    return [to_incident(row) for row in _in_order(connection, query, table, wanted.limit, table.c.id)]


def watches_of(connection: Connection, wanted: Wanted) -> list[LedgerWatch]:
    table = schema.watches
    query = _within(select(table), table, wanted)
    if wanted.cameras is not None:
        query = query.where(table.c.camera.in_(list(wanted.cameras)))
    rows = _in_order(connection, query, table, wanted.limit, table.c.camera)
    return [
        LedgerWatch(node=row.node, camera=row.camera, host=row.host, start=row.start_us, end=row.end_us)
        for row in rows
    ]


def nodes_of(connection: Connection) -> list[LedgerNode]:
    table = schema.nodes
    rows = connection.execute(select(table).order_by(table.c.node))
    return [LedgerNode(**row._mapping) for row in rows]


def _within(query: Select[Any], table: Table, wanted: Wanted) -> Select[Any]:
    start, end = table.c.start_us, table.c.end_us
    if wanted.node is not None:
        query = query.where(table.c.node == wanted.node)
    if wanted.until is not None:
        query = query.where(start < wanted.until)
    if wanted.since is not None:
        # The last is for what took no time and happened just then.
        query = query.where(or_(end.is_(None), end > wanted.since, start >= wanted.since))
    return query


def _in_order(
    connection: Connection, query: Select[Any], table: Table, limit: int | None, then: ColumnElement[Any]
) -> list[Any]:
    start = table.c.start_us
    if limit is None:
        return list(connection.execute(query.order_by(start, then)).all())
    newest = query.order_by(start.desc(), then.desc()).limit(limit)
    return list(connection.execute(newest))[::-1]
