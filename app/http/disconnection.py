"""Disconnection: work for a request ends when its client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CancelScope
from starlette.requests import Request


@asynccontextmanager
async def while_connected(request: Request) -> AsyncIterator[CancelScope]:
    """Cancel the block when the client leaves. The body of the request must have been received.

    Yields:
        The scope that is cancelled.
    """
    with CancelScope() as scope:
        watcher = asyncio.create_task(_cancel_when_left(request, scope))
        try:
            yield scope
        finally:
            watcher.cancel()


async def _cancel_when_left(request: Request, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
