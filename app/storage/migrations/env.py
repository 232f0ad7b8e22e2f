"""The Alembic environment: runs the steps on the connection and in the transaction of the caller."""

from __future__ import annotations

from alembic import context

from app.storage.base import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, transactional_ddl=True
)
context.run_migrations()
