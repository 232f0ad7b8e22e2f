"""The database of models, datasets and jobs. `docs/storage.md` shows how to add a table."""

from app.storage import blobs
from app.storage.base import Table, now
from app.storage.database import Database, Deadlock
from app.storage.tables import datasets, jobs, keys, models, schema_versions

TABLES = (blobs, datasets, jobs, keys, models, schema_versions)
"""All modules that define tables. Importing this package registers every table."""

__all__ = ["TABLES", "Database", "Deadlock", "Table", "now"]
