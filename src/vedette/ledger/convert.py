"""Facts to rows of the database and back, and writing a row that may be there already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

from vedette.causes import Blame, Cause, Kind
from vedette.errors import LedgerError
from vedette.facts import Gap, Incident
from vedette.ledger.rows import LedgerGap, LedgerIncident

__all__ = ["clean", "gap_values", "incident_values", "to_gap", "to_incident", "upsert"]

_GAP_FIELDS = tuple(
    name for name in Gap.__struct_fields__ if name not in ("start", "end", "kind", "cause", "blame")
)

LARGEST = 2**63 - 1

MOST_AT_ONCE = 500
"""Rows of one statement."""


def clean(text: str) -> str:
    """What a database takes: PostgreSQL no NUL, and none of them half a character. Details quote servers."""
    return text.replace("\0", "\\0").encode("utf-8", "replace").decode()


def gap_values(node: str, gap: Gap) -> dict[str, Any]:
    values = {name: getattr(gap, name) for name in _GAP_FIELDS}
    values |= {"node": node, "start_us": gap.start, "end_us": gap.end}
    values |= {"kind": gap.kind.value, "cause": gap.cause.value, "blame": gap.blame.value}
    return _cleaned(values)


def incident_values(node: str, incident: Incident) -> dict[str, Any]:
    return _cleaned(
        {
            "node": node,
            "id": incident.id,
            "scope": incident.scope,
            "start_us": incident.start,
            "end_us": incident.end,
            "cause": incident.cause.value,
            "cameras": [clean(camera) for camera in incident.cameras],
        }
    )


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """Values no database refuses: one row that can never be written would hold up all others for ever."""
    return {name: _fitting(value) for name, value in values.items()}


def _fitting(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    return max(-LARGEST, min(LARGEST, value)) if isinstance(value, int) else value


def to_gap(row: Row[Any]) -> LedgerGap:
    """Raises LedgerError for words that this Vedette does not know."""
    values = dict(row._mapping)
    values["start"], values["end"] = values.pop("start_us"), values.pop("end_us")
    try:
        values["kind"], values["cause"] = Kind(values["kind"]), Cause(values["cause"])
        values["blame"] = Blame(values["blame"])
    except ValueError as err:
        raise LedgerError(
            f"the ledger holds what this Vedette does not know ({err}): use a newer one"
        ) from err
    return LedgerGap(**values)


def to_incident(row: Row[Any]) -> LedgerIncident:
    """Raises LedgerError for words that this Vedette does not know."""
    values = dict(row._mapping)
    values["start"], values["end"] = values.pop("start_us"), values.pop("end_us")
    try:
        values["cause"] = Cause(values["cause"])
    except ValueError as err:
        raise LedgerError(
            f"the ledger holds what this Vedette does not know ({err}): use a newer one"
        ) from err
    return LedgerIncident(**values)


def plain(row: LedgerGap | LedgerIncident) -> dict[str, Any]:
    """Its fields without the node."""
    values = msgspec.structs.asdict(row)
    del values["node"]
    return values


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert them; where the key is there already, put the new values in the place of the old ones."""
    listed: Sequence[Mapping[str, Any]] = list(rows)
    if not listed:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    key = [column.name for column in table.primary_key]
    new = {name: statement.excluded[name] for name in listed[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=new)
    for first in range(0, len(listed), MOST_AT_ONCE):
        connection.execute(statement, [dict(row) for row in listed[first : first + MOST_AT_ONCE]])
