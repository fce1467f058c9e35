"""The tables of the review store. Times are integers: µs since 1970, UTC.

A change here needs a higher :data:`VERSION`, and a step in :data:`STEPS` that brings an older store there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "APPLICATION",
    "METADATA",
    "STEPS",
    "VERSION",
    "items",
    "periods",
    "reviews",
    "revisions",
    "versions",
]

APPLICATION = 0x76_64_72_76
"""SQLite keeps it in the file's head; by it a store is told from other databases."""

VERSION = 2

METADATA = MetaData()

items = Table(
    "items",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("file", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("captured_us", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("light", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("predictions", JSON, nullable=False),
    # None in the uniform stream.
    Column("reason", Text),
    Column("probability", Float),
    Column("state", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Index("items_by_state", "state", "reason"),
    Index("items_by_camera", "camera", "captured_us"),
    Index("items_by_bytes", "bytes"),
)

reviews = Table(
    "reviews",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("item", Text, ForeignKey("items.id"), nullable=False),
    Column("repeat_of", Integer, ForeignKey("reviews.id")),
    Column("state", Text, nullable=False),
    Column("boxes", JSON, nullable=False),
    Column("verdicts", JSON, nullable=False),
    Column("looked_for", JSON, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # Counts how often it was changed: whoever changes it says of which they know.
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("reviews_by_item", "item"),
    # One review is what counts of an item; all others are repeats of it, one of each.
    Index("one_review", "item", unique=True, sqlite_where=Column("repeat_of").is_(None)),
    Index("one_repeat", "repeat_of", unique=True),
    sqlite_autoincrement=True,
)

# What reviews said before they were changed or taken back. The review itself may be gone.
revisions = Table(
    "revisions",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("review", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("item", Text, ForeignKey("items.id"), nullable=False),
    Column("repeat_of", Integer),
    Column("state", Text, nullable=False),
    Column("boxes", JSON, nullable=False),
    Column("verdicts", JSON, nullable=False),
    Column("looked_for", JSON, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Index("revisions_by_item", "item"),
    Index("one_revision", "review", "revision", unique=True),
    sqlite_autoincrement=True,
)

periods = Table(
    "periods",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("seconds", Float, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("expected", Float, nullable=False),
)

versions = Table(
    "versions",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("made_us", BigInteger, nullable=False),
    Column("pictures", Integer, nullable=False),
)


def _revisions(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE reviews ADD COLUMN revision INTEGER DEFAULT '1' NOT NULL")
    revisions.create(connection)


STEPS: Mapping[int, Callable[[Connection], None]] = {2: _revisions}
"""By the version they lead to."""
