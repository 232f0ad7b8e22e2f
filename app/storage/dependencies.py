"""The database as a dependency of routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.storage.database import Database


async def get_database(request: Request) -> Database:
    """Return the database of this server."""
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]
