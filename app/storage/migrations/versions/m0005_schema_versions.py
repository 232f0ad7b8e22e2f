"""The table of schema versions, by which a process knows whether a newer database still works with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
compatible_since = "0004"
"""The oldest step whose code works with the tables after this one: this step only adds a table."""


def upgrade() -> None:
    """Make the table. `migration.run` writes its rows."""
    op.create_table(
        "schema_versions",
        sa.Column("revision", sa.String(32), primary_key=True),
        sa.Column("compatible_since", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Drop it, with what it holds."""
    op.drop_table("schema_versions")
