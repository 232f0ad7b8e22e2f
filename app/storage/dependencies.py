"""The database as routes are given it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.storage.database import Database


async def get_database(request: Request) -> Database:
    """The database of this server."""
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]
