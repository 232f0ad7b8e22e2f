"""What the service keeps: models, datasets, jobs. `docs/storage.md` shows how a table is added."""

from app.storage import blobs
from app.storage.base import Table, now
from app.storage.database import Database, Deadlock
from app.storage.tables import datasets, jobs, models

TABLES = (blobs, datasets, jobs, models)
"""Every module with tables, so that whoever imports this package knows them all."""

__all__ = ["TABLES", "Database", "Deadlock", "Table", "now"]
