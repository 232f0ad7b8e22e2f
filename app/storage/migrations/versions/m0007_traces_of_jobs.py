"""The trace of the request that created a job."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
compatible_since = "0006"
"""Older processes leave the new column empty."""


def upgrade() -> None:
    """Add the column. Jobs that are there already have no trace."""
    op.add_column("jobs", sa.Column("traceparent", sa.String(64)))


def downgrade() -> None:
    """Drop it, with what it holds."""
    op.drop_column("jobs", "traceparent")
