"""Space that deletions free: contents without a reference are removed, and a SQLite file gives its pages back."""

from __future__ import annotations

import time

from app.storage import blobs
from app.storage.database import Database

PAGES = 1024
"""Number of pages that are given back in one transaction: 4 MiB, some 40 ms."""

SPARE_PAGES = 256
"""Free pages that stay in the file, for the next rows."""

PAUSE = 0.01
"""Seconds between two transactions, so that other writers have their turn."""


def release(database: Database, *, shrink_seconds: float = 10.0) -> int:
    """Remove contents without a reference, then give the free pages of a SQLite file back to the disk.

    Every transaction is short. What is interrupted is done by the next call. PostgreSQL reuses the space after its own
    VACUUM.

    Args:
        database: the database.
        shrink_seconds: the longest time for giving pages back.

    Returns:
        The number of contents that were removed.
    """
    removed = remove_unused(database)
    if database.is_sqlite:
        shrink(database, shrink_seconds)
    return removed


def remove_unused(database: Database) -> int:
    """Remove the contents without a reference, and return their number."""
    removed = 0
    seen: set[str] = set()
    while True:
        with database.read() as session:
            digests = [digest for digest in blobs.unused(session, 100 + len(seen)) if digest not in seen]
        if not digests:
            return removed
        for digest in digests:
            # One that another transaction has locked is seen to by the next call.
            seen.add(digest)
            while database.repeat(lambda session, digest=digest: blobs.remove_unused(session, digest)):  # type: ignore[misc]
                time.sleep(PAUSE)
            removed += 1


def shrink(database: Database, seconds: float) -> None:
    """Give the free pages of a SQLite file with auto_vacuum back to the disk, for at most some seconds."""
    if database.run_pragma("PRAGMA auto_vacuum") != [(2,)]:
        return
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ((free,),) = database.run_pragma("PRAGMA freelist_count")
        if free <= SPARE_PAGES:
            break
        database.run_pragma(f"PRAGMA incremental_vacuum({min(PAGES, free - SPARE_PAGES)})")
        time.sleep(PAUSE)
    # The file itself becomes shorter when the log is written into it. PASSIVE waits for nobody.
    database.run_pragma("PRAGMA wal_checkpoint(PASSIVE)")


def give_back(database: Database) -> None:
    """Give every free page of a SQLite file back to the disk. Writers wait meanwhile.

    A file of an older version, without auto_vacuum, is written anew, which needs as much free space as its content takes.

    Raises:
        Refusal: `not-ready`, if another program has the file locked; `insufficient-storage`.
    """
    if database.run_pragma("PRAGMA auto_vacuum") == [(2,)]:
        database.run_pragma("PRAGMA incremental_vacuum")
    else:
        database.run_pragma("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    database.run_pragma("PRAGMA wal_checkpoint(TRUNCATE)")
