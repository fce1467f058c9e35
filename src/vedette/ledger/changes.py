"""What a node that runs writes: statements of one transaction each. Nothing here begins or commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, select, update

from vedette.causes import Kind
from vedette.facts import Gap, Incident
from vedette.ledger import recovery, schema
from vedette.ledger.convert import clean, gap_values, incident_values, upsert
from vedette.ledger.rows import UNUSED, Counters, WatchChange

__all__ = ["Batch", "beat", "end", "prune", "reserve", "to_reserve", "write"]


@dataclass(frozen=True)
class Batch:
    """What is committed together."""

    gaps: list[Gap]
    incidents: list[Incident]
    watches: list[WatchChange]
    counters: dict[str, Counters]

    def empty(self) -> bool:
        """Apart from counters, most of which need no writing."""
        return not (self.gaps or self.incidents or self.watches)

    def latest(self) -> int:
        """The latest time in it; no row may reach beyond the heartbeat."""
        rows: list[Gap | Incident] = [*self.gaps, *self.incidents]
        times = [row.start if row.end is None else max(row.start, row.end) for row in rows]
        return max(times + [change.at for change in self.watches], default=0)


def to_reserve(batch: Batch, known: Mapping[str, Counters]) -> dict[str, Counters]:
    """New ceilings for the cameras that used half of what was reserved for them."""
    found = {}
    for camera, used in batch.counters.items():
        ceiling = known.get(camera, UNUSED)
        enough_epochs = used.epoch + recovery.EPOCHS // 2 <= ceiling.epoch
        if not enough_epochs or used.next_track_id + recovery.TRACK_IDS // 2 > ceiling.next_track_id:
            found[camera] = recovery.reserved(used)
    return found


def write(
    connection: Connection, node: str, batch: Batch, reserve: Mapping[str, Counters]
) -> dict[str, Counters]:
    """Returns the ceilings as written: never below those that were there."""
    upsert(connection, schema.gaps, [gap_values(node, gap) for gap in batch.gaps])
    upsert(connection, schema.incidents, [incident_values(node, each) for each in batch.incidents])
    for change in batch.watches:
        _watch(connection, node, change)
    if not reserve:
        return {}
    there = recovery.counters_of(connection, node, list(reserve))
    written = {camera: _higher(each, there.get(camera, UNUSED)) for camera, each in reserve.items()}
    recovery.write_counters(connection, node, written)
    return written


def _higher(one: Counters, other: Counters) -> Counters:
    return Counters(
        epoch=max(one.epoch, other.epoch), next_track_id=max(one.next_track_id, other.next_track_id)
    )


def _watch(connection: Connection, node: str, change: WatchChange) -> None:
    table = schema.watches
    mine = (table.c.node == node) & (table.c.camera == change.camera)
    row = connection.execute(select(table).where(mine, table.c.end_us.is_(None))).first()
    host = None if change.host is None else clean(change.host)
    if row is not None and row.host != host:
        at = max(change.at, row.start_us)
        connection.execute(update(table).where(mine, table.c.end_us.is_(None)).values(end_us=at))
        if host is None:
            # Nothing is open of a camera that nobody watches.
            recovery.close_rows(connection, node, at, change.camera)
    if host is not None and (row is None or row.host != host):
        new = {"node": node, "camera": change.camera, "start_us": change.at, "end_us": None, "host": host}
        upsert(connection, table, [new])


def reserve(connection: Connection, node: str, camera: str) -> tuple[Counters, Counters]:
    """What a camera goes on from, and the new ceiling."""
    found = recovery.counters_of(connection, node, [camera]).get(camera, UNUSED)
    ceiling = recovery.reserved(found)
    recovery.write_counters(connection, node, {camera: ceiling})
    return found, ceiling


def beat(connection: Connection, node: str, life: int, known: int, stopped: bool) -> bool:
    """False if this life of the node is not the latest any more."""
    table = schema.nodes
    values = {"heartbeat": known, "stopped": known if stopped else None}
    query = update(table).where(table.c.node == node, table.c.life == life).values(**values)
    return connection.execute(query).rowcount == 1


def end(connection: Connection, node: str, at: int, counters: Mapping[str, Counters]) -> None:
    """``counters``: exactly what was used; what had been reserved beyond is given back."""
    recovery.close_rows(connection, node, at)
    recovery.close_incidents(connection, node, at)
    recovery.write_counters(connection, node, counters)


def prune(connection: Connection, node: str, before: int) -> int:
    """Delete what ended before; watches begin no earlier from now on. Returns how many rows went."""
    deleted = 0
    for table in (schema.gaps, schema.incidents, schema.watches):
        old = (table.c.node == node) & (table.c.end_us <= before)
        deleted += connection.execute(delete(table).where(old)).rowcount
    _clip_watches(connection, node, before)
    return deleted


def _clip_watches(connection: Connection, node: str, before: int) -> None:
    """Of the time before nothing is known any more, but for the blind rows that reach into it."""
    gaps, watches = schema.gaps, schema.watches
    reaching = (
        select(func.min(gaps.c.start_us))
        .where(gaps.c.node == node, gaps.c.camera == watches.c.camera, gaps.c.kind == Kind.BLIND.value)
        .scalar_subquery()
    )
    early = (watches.c.node == node) & (watches.c.start_us < before)
    first = case((reaching < before, reaching), else_=before)
    connection.execute(update(watches).where(early).values(start_us=first))
    watched = (
        select(func.min(watches.c.start_us))
        .where(watches.c.node == node, watches.c.camera == gaps.c.camera)
        .scalar_subquery()
    )
    degraded = (gaps.c.node == node) & (gaps.c.kind == Kind.DEGRADED.value) & (gaps.c.start_us < watched)
    connection.execute(update(gaps).where(degraded).values(start_us=watched))
