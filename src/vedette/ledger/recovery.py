"""What a node's start makes of what its previous life left, in one transaction: it happens once or not yet.

``known`` is the time up to which the ledger is whole: no row reaches beyond it, because every row was
committed together with a heartbeat that is no earlier. What was open then ends there, and from there until
now the node was down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from vedette.causes import Blame, Cause, Kind
from vedette.facts import Gap, Incident
from vedette.ledger import schema
from vedette.ledger.convert import clean, gap_values, plain, to_incident, upsert
from vedette.ledger.rows import UNUSED, Begun, Counters

__all__ = ["begin", "close_incidents", "close_rows", "counters_of", "reserved", "write_counters"]

TRACK_IDS = 100_000
EPOCHS = 1_000
"""How many of each are reserved at a time, more are when half of them are used. Generous, because a database
that is away reserves nothing: 50 000 tracks are hours of a busy camera."""


def begin(connection: Connection, node: str, cameras: Mapping[str, str], now: int, version: str) -> Begun:
    """``cameras``: the host of each. See :meth:`vedette.ledger.store.Ledger.begin`."""
    before = connection.execute(select(schema.nodes).where(schema.nodes.c.node == node)).first()
    known = now if before is None else int(before.heartbeat)
    start = max(now, known)
    close_rows(connection, node, known)
    closed = close_incidents(connection, node, known)
    downtime = [] if before is None else _downtime(connection, node, cameras, before, now)
    upsert(connection, schema.gaps, [gap_values(node, gap) for gap in downtime])
    _renew_watches(connection, node, cameras, known, start)
    life = 1 if before is None else int(before.life) + 1
    row = {"node": node, "life": life, "started": start, "heartbeat": start, "stopped": None}
    upsert(connection, schema.nodes, [row | {"version": version}])
    found = {**dict.fromkeys(cameras, UNUSED), **counters_of(connection, node, list(cameras))}
    write_counters(connection, node, {camera: reserved(each) for camera, each in found.items()})
    return Begun(
        node=node,
        life=life,
        not_before=start,
        epochs={camera: each.epoch for camera, each in found.items()},
        next_track_ids={camera: each.next_track_id for camera, each in found.items()},
        downtime=downtime,
        incidents=closed,
    )


def close_rows(connection: Connection, node: str, at: int, camera: str | None = None) -> None:
    """End the open rows of a node, or of one of its cameras, at ``at``; none before it began."""
    table = schema.gaps
    query = update(table).where(table.c.node == node, table.c.end_us.is_(None))
    if camera is not None:
        # One that began just then belongs to the camera as it was added again.
        query = query.where(table.c.camera == camera, table.c.start_us < at)
    connection.execute(query.values(end_us=_later(table.c.start_us, at)))


def close_incidents(connection: Connection, node: str, at: int) -> list[Incident]:
    table = schema.incidents
    still_open = (table.c.node == node) & table.c.end_us.is_(None)
    found = [to_incident(row) for row in connection.execute(select(table).where(still_open))]
    connection.execute(update(table).where(still_open).values(end_us=_later(table.c.start_us, at)))
    return [Incident(**plain(each) | {"end": max(each.start, at)}) for each in found]


def _later(start: Any, at: int) -> Any:
    return case((start > at, start), else_=at)


def _downtime(
    connection: Connection, node: str, cameras: Mapping[str, str], before: Row[Any], now: int
) -> list[Gap]:
    """A row for each camera that was watched and still is, from the last sign of life until now."""
    known = int(before.heartbeat)
    if now < known:
        set_back = (known - now) / 1e6
        told = f"; how long is not known, the clock was set back by {set_back:.1f} s"
    elif now == known:
        return []
    else:
        told = ""
    word = (
        "stopped in order"
        if before.stopped is not None
        else "ended without a word (killed, crashed or power cut)"
    )
    return [
        Gap(
            # The same start made twice is the same row: the first one wrote nothing after it.
            id=f"down-{known}-{clean(watch.camera)}",
            camera=watch.camera,
            kind=Kind.BLIND,
            start=known,
            end=max(now, known),
            cause=Cause.NODE_DOWN,
            blame=Blame.NODE,
            detail=word + told,
        )
        for watch in _open_watches(connection, node)
        if watch.camera in cameras
    ]


def _open_watches(connection: Connection, node: str) -> list[Row[Any]]:
    table = schema.watches
    query = select(table).where(table.c.node == node, table.c.end_us.is_(None)).order_by(table.c.camera)
    return list(connection.execute(query))


def _renew_watches(
    connection: Connection, node: str, cameras: Mapping[str, str], known: int, start: int
) -> None:
    """Watches of cameras that are gone end; new cameras get one, those with a new host a second one."""
    table = schema.watches
    watched: set[str] = set()
    ended: list[dict[str, Any]] = []
    for row in _open_watches(connection, node):
        if row.camera in cameras and row.host == clean(cameras[row.camera]):
            watched.add(row.camera)
        else:
            # Until now it was this host's camera that nobody could see.
            ended.append(dict(row._mapping) | {"end_us": start if row.camera in cameras else known})
    upsert(connection, table, ended)
    new = [
        {"node": node, "camera": camera, "start_us": start, "end_us": None, "host": clean(host)}
        for camera, host in cameras.items()
        if camera not in watched
    ]
    upsert(connection, table, new)


# ---- counters


def reserved(used: Counters) -> Counters:
    """What is written so that the node may use the next block of numbers without asking."""
    return Counters(epoch=used.epoch + EPOCHS, next_track_id=used.next_track_id + TRACK_IDS)


def counters_of(connection: Connection, node: str, cameras: list[str]) -> dict[str, Counters]:
    table = schema.cameras
    found: dict[str, Counters] = {}
    query = select(table).where(table.c.node == node, table.c.camera.in_(cameras))
    for row in connection.execute(query):
        found[row.camera] = Counters(epoch=row.epoch, next_track_id=row.next_track_id)
    return found


def write_counters(connection: Connection, node: str, counters: Mapping[str, Counters]) -> None:
    upsert(
        connection,
        schema.cameras,
        [
            {"node": node, "camera": camera, "epoch": each.epoch, "next_track_id": each.next_track_id}
            for camera, each in counters.items()
        ],
    )
