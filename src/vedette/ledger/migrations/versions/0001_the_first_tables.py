"""Gaps, watches, incidents, nodes and cameras."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _gaps()
    op.create_table(
        "watches",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, primary_key=True),
        sa.Column("start_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("end_us", sa.BigInteger),
        sa.Column("host", sa.Text, nullable=False),
    )
    op.create_table(
        "incidents",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("cameras", sa.JSON, nullable=False),
    )
    op.create_index("incidents_by_start", "incidents", ["start_us"])
    op.create_table(
        "nodes",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("life", sa.BigInteger, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("heartbeat", sa.BigInteger, nullable=False),
        sa.Column("stopped", sa.BigInteger),
        sa.Column("version", sa.Text, nullable=False),
    )
    op.create_table(
        "cameras",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("next_track_id", sa.BigInteger, nullable=False),
    )


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("blame", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("frames_missed", sa.BigInteger),
        sa.Column("tracks_cut", sa.BigInteger, nullable=False),
        sa.Column("epoch_before", sa.BigInteger),
        sa.Column("epoch_after", sa.BigInteger),
        sa.Column("incident", sa.Text),
    )
    op.create_index("gaps_by_camera", "gaps", ["node", "camera", "start_us"])
    op.create_index("gaps_by_start", "gaps", ["start_us"])
    op.create_index("gaps_by_end", "gaps", ["end_us"])


def downgrade() -> None:
    for table in ("cameras", "nodes", "incidents", "watches", "gaps"):
        op.drop_table(table)
