"""A database for the tests of jobs."""

from __future__ import annotations

from tests.storage.conftest import address, database

__all__ = ["address", "database"]
