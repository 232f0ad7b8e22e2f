"""Turns of jobs in the queue, and states in the middle of an epoch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add columns and tables. Jobs that wait have their place in the order in which they were created."""
    op.add_column("jobs", sa.Column("lane", sa.String(28), nullable=False, server_default="long"))
    op.add_column("jobs", sa.Column("queued_at", MOMENT))
    op.execute("UPDATE jobs SET queued_at = created_at")
    op.execute("UPDATE jobs SET lane = sweep WHERE sweep IS NOT NULL")
    op.create_table(
        "queue_turns",
        sa.Column("owner", sa.String(32), primary_key=True),
        sa.Column("lane", sa.String(28), primary_key=True),
        sa.Column("served", NUMBER, nullable=False),
    )
    op.create_table(
        "interim_states",
        sa.Column("job", NUMBER, sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("epoch", NUMBER, nullable=False),
        sa.Column("content", sa.String(64), sa.ForeignKey("contents.digest"), nullable=False, index=True),
        sa.Column("notes", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop them. Jobs go on from their last checkpoint."""
    op.drop_table("interim_states")
    op.drop_table("queue_turns")
    op.drop_column("jobs", "queued_at")
    op.drop_column("jobs", "lane")
