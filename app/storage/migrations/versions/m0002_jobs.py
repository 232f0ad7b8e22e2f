"""Tables of jobs, their events and checkpoints, of workers, and of answered requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def _content(name: str, *, nullable: bool) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), sa.ForeignKey("contents.digest"), nullable=nullable, index=True)


def _job() -> sa.Column[int]:
    return sa.Column("job", NUMBER, sa.ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("models", sa.Column("checkpoint_of", sa.String(28)))
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("id", sa.String(28), nullable=False, unique=True),
        sa.Column("request", sa.JSON, nullable=False),
        _content("content", nullable=True),
        _content("data", nullable=True),
        sa.Column("model", sa.String(28)),
        sa.Column("name", sa.String(200)),
        sa.Column("sweep", sa.String(28), index=True),
        sa.Column("variant", sa.JSON),
        sa.Column("parts", NUMBER, nullable=False),
        sa.Column("status", sa.String(10), nullable=False, index=True),
        sa.Column("verb", sa.String(10)),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("executor", sa.String(32), index=True),
        sa.Column("attempts", NUMBER, nullable=False),
        sa.Column("events", NUMBER, nullable=False),
        sa.Column("reported", NUMBER, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("environment", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
    )
    op.create_table(
        "job_events",
        _job(),
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "checkpoints",
        _job(),
        sa.Column("epoch", NUMBER, primary_key=True, autoincrement=False),
        _content("content", nullable=False),
        sa.Column("notes", sa.JSON, nullable=False),
        sa.Column("model", sa.String(28), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "executors",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("created_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    """Drop them, with what they hold."""
    for table in ("idempotency_keys", "executors", "checkpoints", "job_events", "jobs"):
        op.drop_table(table)
    op.drop_column("models", "checkpoint_of")
