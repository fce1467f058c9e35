"""The tables of a ledger. Times are integers: µs since 1970, UTC, so that sums are exact on every database.

A change here needs a new file in ``migrations/versions`` and its name at the end of :data:`REVISIONS`.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, MetaData, Table, Text

__all__ = ["METADATA", "REVISIONS", "VERSION_TABLE", "cameras", "gaps", "incidents", "nodes", "watches"]

REVISIONS = ("0001",)
"""Oldest first. A ledger whose revision is not among them was made by a newer Vedette."""

VERSION_TABLE = "vedette_schema"
"""Not Alembic's own name: in PostgreSQL, the ledger may share a database with other programs."""

METADATA = MetaData()

gaps = Table(
    "gaps",
    METADATA,
    # Ids are unique to a node, so that one node can never overwrite a row of another.
    Column("node", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Not "start" and "end", which are words of SQL and would need quotes in every query people write.
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    Column("cause", Text, nullable=False),
    Column("blame", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("frames_missed", BigInteger),
    Column("tracks_cut", BigInteger, nullable=False),
    Column("epoch_before", BigInteger),
    Column("epoch_after", BigInteger),
    Column("incident", Text),
    Index("gaps_by_camera", "node", "camera", "start_us"),
    Index("gaps_by_start", "start_us"),
    Index("gaps_by_end", "end_us"),
)

watches = Table(
    "watches",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("camera", Text, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("end_us", BigInteger),
    Column("host", Text, nullable=False),
)

incidents = Table(
    "incidents",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    Column("cause", Text, nullable=False),
    Column("cameras", JSON, nullable=False),
    Index("incidents_by_start", "start_us"),
)

nodes = Table(
    "nodes",
    METADATA,
    Column("node", Text, primary_key=True),
    # How often it was started. A node that lost its lock finds out by this that another one took over.
    Column("life", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("stopped", BigInteger),
    Column("version", Text, nullable=False),
)

cameras = Table(
    "cameras",
    METADATA,
    Column("node", Text, primary_key=True),
    Column("camera", Text, primary_key=True),
    # Ceilings: nothing above the epoch, and no track id from the next one on, has been used.
    Column("epoch", BigInteger, nullable=False),
    Column("next_track_id", BigInteger, nullable=False),
)
