"""API keys, and the owners of models, datasets, jobs and idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OWNER = sa.String(32)
NOBODY = sa.text("owner IS NULL")


def upgrade() -> None:
    """Make the table and the columns. What is there already has no owner."""
    op.create_table(
        "api_keys",
        sa.Column("id", OWNER, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("owner", OWNER, nullable=False, index=True),
        sa.Column("rate", sa.Double),
        sa.Column("burst", NUMBER),
        sa.Column("concurrency", NUMBER),
        sa.Column("operations", sa.Double),
        sa.Column("storage_bytes", NUMBER),
        sa.Column("jobs", NUMBER),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
    )
    for name in ("models", "datasets"):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(f"uq_{name}_id", type_="unique")
            table.add_column(sa.Column("owner", OWNER))
        op.create_index(f"ix_{name}_owner", name, ["owner"])
        op.create_index(f"uq_{name}_id_owner", name, ["id", "owner"], unique=True)
        op.create_index(f"uq_{name}_id", name, ["id"], unique=True, sqlite_where=NOBODY, postgresql_where=NOBODY)
    op.add_column("jobs", sa.Column("owner", OWNER))
    op.create_index("ix_jobs_owner", "jobs", ["owner"])
    with op.batch_alter_table("idempotency_keys") as table:
        table.add_column(sa.Column("owner", OWNER, nullable=False, server_default=""))
        table.drop_constraint("pk_idempotency_keys", type_="primary")
        table.create_primary_key("pk_idempotency_keys", ["owner", "key"])


def downgrade() -> None:
    """Drop them, with what belongs to an owner: without the column it would be everybody's."""
    op.execute("DELETE FROM idempotency_keys WHERE owner <> ''")
    with op.batch_alter_table("idempotency_keys") as table:
        table.drop_constraint("pk_idempotency_keys", type_="primary")
        table.drop_column("owner")
        table.create_primary_key("pk_idempotency_keys", ["key"])
    op.execute("DELETE FROM jobs WHERE owner IS NOT NULL")
    op.drop_index("ix_jobs_owner", "jobs")
    op.drop_column("jobs", "owner")
    for name in ("models", "datasets"):
        op.execute(f"DELETE FROM {name} WHERE owner IS NOT NULL")  # noqa: S608  (two names of ours)
        for index in (f"uq_{name}_id", f"uq_{name}_id_owner", f"ix_{name}_owner"):
            op.drop_index(index, name)
        with op.batch_alter_table(name) as table:
            table.drop_column("owner")
            table.create_unique_constraint(f"uq_{name}_id", ["id"])
    op.drop_table("api_keys")
