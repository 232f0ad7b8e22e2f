"""Recognition of errors that mean: there is no space left to write."""

from __future__ import annotations

import sqlite3

from app.http.no_space import ERRORS

_OF_SQLITE = (
    "SQLITE_FULL",
    "SQLITE_IOERR_WRITE",
    "SQLITE_IOERR_SHMSIZE",
    "SQLITE_IOERR_FSYNC",
    "SQLITE_IOERR_TRUNCATE",
)
_OF_POSTGRESQL = ("53100",)


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it was raised during or because of, means that no space is left."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        origin = getattr(error, "orig", None) or error
        if isinstance(origin, OSError) and origin.errno in ERRORS:
            return True
        if isinstance(origin, sqlite3.Error) and getattr(origin, "sqlite_errorname", None) in _OF_SQLITE:
            return True
        if getattr(origin, "sqlstate", None) in _OF_POSTGRESQL:
            return True
        error = error.__cause__ or error.__context__
    return False
