"""The warnings with which a model came in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Models that are there already came in without any, as far as is known."""
    op.add_column("models", sa.Column("warnings", sa.JSON, nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    """Drop it, with what it holds."""
    op.drop_column("models", "warnings")
