"""Tables of models and datasets, and of the tensors that they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "contents",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("size", NUMBER, nullable=False),
    )
    op.create_table(
        "pieces",
        sa.Column("digest", sa.String(64), sa.ForeignKey("contents.digest", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "models",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("id", sa.String(28), nullable=False, unique=True),
        sa.Column("network", sa.JSON, nullable=False),
        sa.Column("tensors", sa.JSON, nullable=False),
        sa.Column("content", sa.String(64), sa.ForeignKey("contents.digest"), nullable=False, index=True),
        sa.Column("name", sa.String(200)),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("parent", sa.String(28)),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "datasets",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("id", sa.String(28), nullable=False, unique=True),
        sa.Column("content", sa.String(64), sa.ForeignKey("contents.digest"), nullable=False, index=True),
        sa.Column("examples", NUMBER, nullable=False),
        sa.Column("description", sa.JSON, nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("created_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    """Drop them, with what they hold."""
    for table in ("datasets", "models", "pieces", "contents"):
        op.drop_table(table)
