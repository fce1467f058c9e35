"""The ledger's database: who may write, what is committed together, and what a power cut may take.

It promises that whatever was committed is whole up to the node's heartbeat: rows and heartbeat are written in
one transaction, and no row reaches beyond it. So the next start knows exactly from when on nothing is known.

**Power cuts.** PostgreSQL keeps every commit. SQLite (write-ahead log) never tears one, but with
``synchronous = NORMAL`` may lose the last ones, always the newest first. A lost heartbeat only makes the
node's downtime begin earlier: some time that was seen counts as blind, never the other way round. A lost
start or stop of a node would be worse: two lives could use the same track ids. So are lost gaps: they are
what the ledger is for. Hence transactions that carry anything but a heartbeat wait for the disk (``FULL``),
and of the heartbeats one every ten seconds does, which spares the flash memory that small machines have.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

import vedette
from vedette.causes import Cause, Kind
from vedette.errors import LedgerError
from vedette.facts import Gap, Incident
from vedette.ledger import changes, read, recovery
from vedette.ledger.address import Address, address_of
from vedette.ledger.database import Database
from vedette.ledger.lock import FileLock, LockTaken, take_advisory_lock
from vedette.ledger.rows import (
    Begun,
    Counters,
    LedgerGap,
    LedgerIncident,
    LedgerNode,
    LedgerWatch,
    WatchChange,
)

__all__ = ["Ledger"]

DURABLE_EVERY_US = 10_000_000
LOCK_AGAIN_S = 0.1


class Ledger:
    """An open ledger. Reading needs no lock and is safe while a node writes; who writes must :meth:`begin`.

    May be used from several threads; they wait for each other. Every method raises LedgerError for whatever
    the database says, without credentials. After one, the ledger may be used again: it connects anew.
    """

    def __init__(self, address: Address, *, readonly: bool) -> None:
        """Opens nothing; use :meth:`open`."""
        self._database = Database(address, readonly=readonly)
        self._guard = self._database.guard
        self._lock: FileLock | None = None
        self._node = ""
        self._life = 0
        self._known = 0
        self._durable_at = 0
        self._reserved: dict[str, Counters] = {}

    @classmethod
    def open(cls, target: str | Path, *, migrate: bool = True) -> Ledger:
        """``target``: a path or ``sqlite:///path``, or ``postgresql://user:password@host/database``.

        With ``migrate`` the ledger is made where there is none, and brought up to date where it is older.
        Without, it is opened for reading only, and must be there. Raises LedgerError.
        """
        ledger = cls(address_of(target), readonly=not migrate)
        ledger._database.open()
        return ledger

    def __repr__(self) -> str:
        return f"<Ledger {self._database.address}{' (read-only)' if self._database.readonly else ''}>"

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database and of the node's lock, without a last word: that is :meth:`end`."""
        self._let_go(for_good=True)

    def _let_go(self, *, for_good: bool) -> None:
        with self._guard:
            self._node = ""
            self._database.on_connect = None
            self._database.close(for_good=for_good)
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    # ---- reading

    def gaps(
        self,
        *,
        cameras: Collection[str] | None = None,
        since: int | None = None,
        until: int | None = None,
        causes: Collection[Cause] | None = None,
        kinds: Collection[Kind] | None = None,
        node: str | None = None,
        limit: int | None = None,
    ) -> list[LedgerGap]:
        """Rows that lie at least in part in [``since``, ``until``) µs, by start; the newest ``limit``."""
        wanted = read.Wanted(
            cameras=cameras, since=since, until=until, causes=causes, kinds=kinds, node=node, limit=limit
        )
        with self._database.reading() as connection:
            return read.gaps_of(connection, wanted)

    def blind(
        self, *, since: int | None = None, until: int | None = None, node: str | None = None
    ) -> dict[str, list[read.Blind]]:
        """When cameras were not seen at least in part of [``since``, ``until``) µs, by camera: start, end and
        cause. Of fifty thousand rows it takes a fraction of what :meth:`gaps` does."""
        with self._database.reading() as connection:
            return read.blind_of(connection, read.Wanted(since=since, until=until, node=node))

    def watches(
        self,
        *,
        cameras: Collection[str] | None = None,
        since: int | None = None,
        until: int | None = None,
        node: str | None = None,
    ) -> list[LedgerWatch]:
        """When somebody was responsible for a camera, by start."""
        with self._database.reading() as connection:
            return read.watches_of(
                connection, read.Wanted(cameras=cameras, since=since, until=until, node=node)
            )

    def incidents(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        node: str | None = None,
        limit: int | None = None,
    ) -> list[LedgerIncident]:
        """By start; the newest ``limit`` of them."""
        with self._database.reading() as connection:
            return read.incidents_of(
                connection, read.Wanted(since=since, until=until, node=node, limit=limit)
            )

    def nodes(self) -> list[LedgerNode]:
        """All nodes that ever wrote this ledger, by name."""
        with self._database.reading() as connection:
            return read.nodes_of(connection)

    def known_until(self, node: str) -> int | None:
        """µs up to which the ledger is whole for this node; None for one that never wrote. What is open of a
        node that does not run any more is known up to then, and not longer."""
        return next((each.heartbeat for each in self.nodes() if each.node == node), None)

    @contextmanager
    def snapshot(self) -> Iterator[Ledger]:
        """All that is read inside is of one moment, also while a node writes."""
        with self._database.reading():
            yield self

    # ---- writing

    def begin(self, node: str, cameras: Mapping[str, str], now: int, *, wait: float = 0.0) -> Begun:
        """Become the one who writes as ``node``, and account for the time since its previous life.

        ``cameras``: the host of each camera this life begins with. ``now``: µs since 1970. In one
        transaction, what was open ends when the node was last known to live; from then until now each camera
        that was watched and still is was blind (``node_down``); cameras that are no longer there were watched
        until then, new ones are from now on. ``wait``: seconds for another process that is this node to let
        go; where that one's machine died, PostgreSQL takes 15 s to notice. Raises LedgerError, LockTaken
        where it does not.
        """
        where = self._database.address
        if self._database.readonly:
            raise LedgerError(f"{where}: was opened for reading only")
        with self._guard:
            if self._node:
                raise LedgerError(f"{where}: is being written already, as node {self._node}")
            try:
                self._take_lock(node, time.monotonic() + wait)
                with self._database.writing(durable=True) as connection:
                    begun = recovery.begin(connection, node, cameras, now, vedette.__version__)
            except BaseException:
                self._let_go(for_good=False)
                raise
            self._node, self._life = node, begun.life
            self._known = self._durable_at = begun.not_before
            self._reserved = {
                camera: recovery.reserved(
                    Counters(epoch=begun.epochs[camera], next_track_id=begun.next_track_ids[camera])
                )
                for camera in cameras
            }
            return begun

    def write(
        self,
        *,
        heartbeat: int,
        gaps: Iterable[Gap] = (),
        incidents: Iterable[Incident] = (),
        watches: Iterable[WatchChange] = (),
        counters: Mapping[str, Counters] | None = None,
    ) -> None:
        """Commit all of this together. Rows that are there already are replaced.

        ``heartbeat``: µs up to which everything has been said. ``watches``: in the order they happened;
        cameras watched already stay so. ``counters``: the newest each camera has used; what is stored stays
        well above.
        """
        with self._guard:
            self._must_have_begun()
            batch = changes.Batch(list(gaps), list(incidents), list(watches), dict(counters or {}))
            reserve = changes.to_reserve(batch, self._reserved)
            known = max(self._known, heartbeat, batch.latest())
            durable = not batch.empty() or bool(reserve) or known - self._durable_at >= DURABLE_EVERY_US
            with self._database.writing(durable=durable) as connection:
                reserve = changes.write(connection, self._node, batch, reserve)
                self._beat(connection, known)
            self._known = known
            self._durable_at = known if durable else self._durable_at
            self._reserved |= reserve

    def reserve(self, camera: str) -> Counters:
        """What a camera that is added while the node runs goes on from. A block beyond is this life's own."""
        with self._guard:
            self._must_have_begun()
            with self._database.writing(durable=True) as connection:
                found, ceiling = changes.reserve(connection, self._node, camera)
                self._beat(connection, self._known)
            self._reserved[camera] = ceiling
            return found

    def end(self, now: int, counters: Mapping[str, Counters] | None = None) -> None:
        """The last word of an orderly stop: what is open ends now. Cameras stay watched; so the next start
        counts the time until then as downtime. ``counters``: exactly what was used, so that the next life
        goes on there.
        """
        with self._guard:
            self._must_have_begun()
            known = max(self._known, now)
            with self._database.writing(durable=True) as connection:
                changes.end(connection, self._node, known, counters or {})
                self._beat(connection, known, stopped=True)
            self.close()

    def prune(self, before: int, *, node: str | None = None) -> int:
        """Delete what ended before. The time before counts as never watched then, not as seen.

        ``node``: of this one, which must be ours; None: of the node that writes, or of all if none has begun.
        Returns how many rows were deleted.
        """
        with self._guard, self._database.writing(durable=True) as connection:
            known = {each.node: each.heartbeat for each in read.nodes_of(connection)}
            if node is not None:
                self._must_have_begun()
            names = [self._node] if self._node else sorted(known)
            return sum(changes.prune(connection, name, min(before, known[name])) for name in names)

    # ---- inside

    def _beat(self, connection: Connection, known: int, *, stopped: bool = False) -> None:
        if not changes.beat(connection, self._node, self._life, known, stopped):
            # Only where the lock was lost with its connection: another one was faster to take it.
            raise LedgerError(f"{self._database.address}: another life of node {self._node} has begun")

    def _must_have_begun(self) -> None:
        if not self._node:
            raise LedgerError(f"{self._database.address}: nobody has begun to write")

    def _take_lock(self, node: str, deadline: float) -> None:
        while True:
            try:
                self._try_lock(node)
                return
            except LockTaken:
                if time.monotonic() > deadline:
                    raise
            time.sleep(LOCK_AGAIN_S)

    def _try_lock(self, node: str) -> None:
        address = self._database.address
        if address.path is None:
            # Each new connection takes it: who loses the lock with its connection cannot write without it.
            self._database.close()
            self._database.on_connect = lambda connection: take_advisory_lock(connection, address, node)
            self._database.open()
            return
        self._lock = FileLock.beside(address.path, node)
        self._lock.take(address, node)
